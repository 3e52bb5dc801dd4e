import { documentOf, type Call, type SeenVersion } from './history.ts';
import type { HeldDocument } from './check-feed.ts';

/**
 * Finds what the feed of all versions of a container has told wrongly. It gives the order of all writes of a document, so each can be held against what the
 * write was sent for: every acknowledged one is there once, no refused one, of those without an answer each at most once; each version follows the one
 * that it replaced; batches are whole; and the last versions are what is there.
 */
export function checkVersions(
  container: string,
  versions: readonly SeenVersion[],
  calls: readonly Call[],
  held: readonly HeldDocument[],
): readonly string[] {
  const problems: string[] = [];
  const own = calls.filter((call) => call.container === container && call.kind !== 'read');
  const writes = new Map(own.flatMap((call) => (call.w === undefined ? [] : [[call.w, call]])));
  const told = new Set<string>();
  const state = new Map<string, SeenVersion>();
  const deletes = new Map<string, number>();
  const lastOfKey = new Map<string, number>();
  const latestStart = new Map<string, Call>();
  for (const version of versions) {
    const { type, pk, id, lsn, current, previous, previousLsn } = version;
    const name = `${container}/${pk}/${id} at ${lsn}`;
    const before = state.get(`${pk}/${id}`);
    if (lsn <= (lastOfKey.get(pk) ?? 0)) {
      problems.push(`${name}: came after ${lastOfKey.get(pk)} of the same partition key.`);
    }
    lastOfKey.set(pk, lsn);
    if (
      before?.current?.w !== previous?.w ||
      before?.current?.n !== previous?.n ||
      (previous !== undefined && previousLsn !== before?.lsn)
    ) {
      problems.push(
        `${name}: follows ${previous?.w ?? 'nothing'} of ${previousLsn}, and before it came ${before?.current?.w ?? 'nothing'} of ${before?.lsn}.`,
      );
    }
    if ((type === 'create') !== (previous === undefined) || (type === 'delete') !== (current === undefined)) {
      problems.push(`${name}: is a ${type} from ${previous?.w ?? 'nothing'} to ${current?.w ?? 'nothing'}.`);
    }
    state.set(`${pk}/${id}`, version);
    if (current === undefined) {
      deletes.set(`${pk}/${id}`, (deletes.get(`${pk}/${id}`) ?? 0) + 1);
      continue;
    }
    const call = writes.get(current.w);
    if (told.has(current.w)) {
      problems.push(`${name}: the write ${current.w} is there twice.`);
    }
    told.add(current.w);
    if (call === undefined || call.outcome === 'refused' || documentOf(call) !== `${container}/${pk}/${id}`) {
      problems.push(`${name}: nobody has written ${current.w}.`);
      continue;
    }
    problems.push(...contradictions(name, call, version));
    const latest = latestStart.get(pk) ?? call;
    if (call.end < latest.start) {
      problems.push(`${name}: ${current.w} came after ${latest.w}, which was written later.`);
    }
    latestStart.set(pk, latest.start > call.start ? latest : call);
  }
  for (const call of own) {
    if (call.outcome === 'ok' && call.w !== undefined && !told.has(call.w)) {
      problems.push(`${documentOf(call)}: the acknowledged write ${call.w} is missing.`);
    }
  }
  return [...problems, ...wrongDeletes(own, deletes), ...halfBatches(own, told), ...wrongEnds(container, state, held)];
}

/** What a version is not that the call which wrote it was sent for. */
function contradictions(name: string, call: Call, { current, previous, type }: SeenVersion): readonly string[] {
  const { kind, ifWrite, n, by = 0, onlyEven, w, etag } = call;
  const wanted = kind === 'patch' ? (previous?.n ?? 0) + by : n;
  const problems = [
    current?.n === wanted ? undefined : `${name}: ${w} left ${current?.n}, and should have left ${wanted}.`,
    ifWrite === undefined || ifWrite === previous?.w ? undefined : `${name}: ${w} was only for the version of ${ifWrite}.`,
    onlyEven === true && (previous?.n ?? 0) % 2 !== 0 ? `${name}: ${w} was only for an even number.` : undefined,
    kind === 'upsert' || (kind === 'create') === (type === 'create') ? undefined : `${name}: ${w} was a ${kind}, and is told as a ${type}.`,
    etag === undefined || etag === current?.etag ? undefined : `${name}: ${w} has another etag than its writer was told.`,
  ];
  return problems.filter((problem) => problem !== undefined);
}

function wrongDeletes(calls: readonly Call[], told: ReadonlyMap<string, number>): readonly string[] {
  const [sure, possible] = [new Map<string, number>(), new Map<string, number>()];
  for (const { kind, outcome, pk, id } of calls) {
    if (kind === 'delete' && outcome !== 'refused') {
      const counts = outcome === 'ok' ? sure : possible;
      counts.set(`${pk}/${id}`, (counts.get(`${pk}/${id}`) ?? 0) + 1);
    }
  }
  return [...new Set([...told.keys(), ...sure.keys()])].flatMap((key) => {
    const [count, least] = [told.get(key) ?? 0, sure.get(key) ?? 0];
    const most = least + (possible.get(key) ?? 0);
    return count >= least && count <= most ? [] : [`${key}: ${count} deletes are told, and there were from ${least} to ${most}.`];
  });
}

function halfBatches(calls: readonly Call[], told: ReadonlySet<string>): readonly string[] {
  const batches = new Map<string, Call[]>();
  for (const call of calls) {
    if (call.batch !== undefined && call.w !== undefined && call.outcome !== 'refused') {
      batches.set(call.batch, [...(batches.get(call.batch) ?? []), call]);
    }
  }
  return [...batches].flatMap(([batch, parts]) => {
    const there = parts.filter(({ w }) => told.has(w as string)).length;
    return there === 0 || there === parts.length ? [] : [`the batch ${batch} is there with ${there} of ${parts.length} writes.`];
  });
}

function wrongEnds(container: string, state: ReadonlyMap<string, SeenVersion>, held: readonly HeldDocument[]): readonly string[] {
  const there = new Map(
    held.filter((document) => document.container === container).map((document) => [`${document.pk}/${document.id}`, document]),
  );
  return [...new Set([...state.keys(), ...there.keys()])].flatMap((key) => {
    const [last, document] = [state.get(key)?.current, there.get(key)];
    return last?.etag === document?.etag && last?.w === document?.w
      ? []
      : [`${container}/${key}: the last version told is ${last?.w ?? 'none'}, and there is ${document?.w ?? 'none'}.`];
  });
}
