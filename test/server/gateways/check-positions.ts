import { documentOf, type Call } from './history.ts';

/** Positions of writes by their names, as etags and feeds tell them. */
export function positionsOfWrites(
  calls: readonly Call[],
  seen: readonly { readonly w: string; readonly lsn: number }[],
): ReadonlyMap<string, number> {
  const positions = new Map(seen.map(({ w, lsn }) => [w, lsn]));
  for (const { kind, w, found, etag, outcome } of calls) {
    const position = outcome === 'ok' ? positionOf(etag) : undefined;
    const write = kind === 'read' ? found?.w : w;
    if (position !== undefined && write !== undefined) {
      positions.set(write, position);
    }
  }
  return positions;
}

/** The position of a version: a store that has positions writes them into its etags, which clients do not look into. */
function positionOf(etag: string | undefined): number | undefined {
  const digits = /^"[0-9a-f]+-(\d+)-[0-9a-z]+"$/u.exec(etag ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Finds where positions contradict the order in which clients saw things happen. What somebody has seen of a document is not older than what anybody had seen
 * of it before, and of two writes to one partition key the one that ended before the other started has the lower position.
 */
export function checkPositions(calls: readonly Call[]): readonly string[] {
  const known = calls.filter(({ outcome, etag }) => outcome === 'ok' && positionOf(etag) !== undefined);
  return [
    ...goingBack(known, documentOf, 'what was seen of it'),
    ...goingBack(
      known.filter(({ kind }) => kind !== 'read'),
      ({ container, pk }) => `${container}/${pk}`,
      'what was written to it',
    ),
  ];
}

function goingBack(calls: readonly Call[], groupOf: (call: Call) => string, what: string): readonly string[] {
  const groups = new Map<string, Call[]>();
  for (const call of calls) {
    const key = groupOf(call);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [call]);
    } else {
      group.push(call);
    }
  }
  return [...groups].flatMap(([key, group]) => {
    const problems: string[] = [];
    const ended = group.toSorted((left, right) => left.end - right.end);
    let next = 0;
    let highest = 0;
    for (const call of group.toSorted((left, right) => left.start - right.start)) {
      for (let before = ended[next]; before !== undefined && before.end < call.start; before = ended[next]) {
        highest = Math.max(highest, positionOf(before.etag) ?? 0);
        next += 1;
      }
      const position = positionOf(call.etag) ?? 0;
      if (position < highest) {
        problems.push(`${key}: ${what} went back from position ${highest} to ${position}, of ${call.w ?? call.found?.w ?? 'a read'}.`);
      }
    }
    return problems;
  });
}
