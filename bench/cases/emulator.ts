import { spawnSync } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import { PROGRAMS, startEmulator, type Emulator } from '../emulators.ts';
import { atOnce } from '../at-once.ts';
import { compareAmounts, compareRates, sampleDocument, timed, type BenchResult, type Side } from '../harness.ts';
import { Workspace } from '../raw-twin.ts';
import { WireClient, type WireRequest } from '../wire-client.ts';
import type { WireAnswer } from '../wire-connection.ts';

const AT_ONCE = 16;
const HELD = 10_000;
/** Operations of one round of point operations. */
const ROUND = 1000;
/** A round takes less than a tenth of a second, and these machines are noisy. */
const POINT_ROUNDS = 31;
const ROUNDS = 7;
const STARTS = 9;
const FILLS = 3;

const LINK = 'dbs/bench/colls/docs';

type Bench = { readonly emulator: Emulator; readonly client: WireClient };

async function expectStatus(client: WireClient, request: WireRequest, ...statuses: readonly number[]): Promise<WireAnswer> {
  const answer = await client.send(request);
  if (!statuses.includes(answer.status)) {
    throw new Error(`${request.method} ${request.path} was answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  }
  return answer;
}

const ownerOf = (index: number): string => `owner-${index % 50}`;
const keyHeader = (index: number): Record<string, string> => ({ 'x-ms-documentdb-partitionkey': JSON.stringify([ownerOf(index)]) });
const itemLink = (index: number): string => `${LINK}/docs/${sampleDocument(index, '').id}`;

const requests = {
  create: (index: number): WireRequest => ({
    method: 'POST',
    path: `${LINK}/docs`,
    type: 'docs',
    link: LINK,
    headers: keyHeader(index),
    body: JSON.stringify(sampleDocument(index, ownerOf(index))),
  }),
  read: (index: number): WireRequest => ({
    method: 'GET',
    path: itemLink(index),
    type: 'docs',
    link: itemLink(index),
    headers: keyHeader(index),
  }),
  upsert: (index: number): WireRequest => {
    const create = requests.create(index);
    return { ...create, headers: { ...create.headers, 'x-ms-documentdb-is-upsert': 'true' } };
  },
  replace: (index: number): WireRequest => ({
    ...requests.read(index),
    method: 'PUT',
    body: JSON.stringify({ ...sampleDocument(index, ownerOf(index)), done: null }),
  }),
  delete: (index: number): WireRequest => ({ ...requests.read(index), method: 'DELETE' }),
  query: (query: string, continuation: string | undefined): WireRequest => ({
    method: 'POST',
    path: `${LINK}/docs`,
    type: 'docs',
    link: LINK,
    headers: {
      'content-type': 'application/query+json',
      'x-ms-documentdb-isquery': 'true',
      'x-ms-documentdb-query-enablecrosspartition': 'true',
      'x-ms-max-item-count': '1000',
      ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
    },
    body: JSON.stringify({ query, parameters: [] }),
  }),
};

async function open(args: readonly string[]): Promise<Bench> {
  const emulator = await startEmulator(args);
  const client = new WireClient(emulator.url);
  await expectStatus(client, { method: 'POST', path: 'dbs', type: 'dbs', link: '', body: '{"id":"bench"}' }, 201);
  const definition = JSON.stringify({ id: 'docs', partitionKey: { paths: ['/owner'], kind: 'Hash', version: 2 } });
  await expectStatus(client, { method: 'POST', path: 'dbs/bench/colls', type: 'colls', link: 'dbs/bench', body: definition }, 201);
  return { emulator, client };
}

async function close({ emulator, client }: Bench): Promise<void> {
  client.close();
  await emulator.stop();
}

const fill = ({ client }: Bench): Promise<void> => atOnce(AT_ONCE, HELD, (index) => expectStatus(client, requests.create(index), 201));

/** All rows of a query, page by page. */
async function ask({ client }: Bench, query: string): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  let continuation: string | undefined;
  do {
    const { header, text } = await expectStatus(client, requests.query(query, continuation), 200);
    rows.push(...(JSON.parse(text) as { Documents: unknown[] }).Documents);
    continuation = header('x-ms-continuation');
  } while (continuation !== undefined);
  return rows;
}

/** Rows without what each server adds of its own. */
function plainRows(rows: readonly unknown[], isOrdered: boolean): readonly string[] {
  const texts = rows.map((row) => {
    if (typeof row !== 'object' || row === null) {
      return JSON.stringify(row);
    }
    const { _rid, _self, _etag, _ts, _attachments, ...rest } = row as Record<string, unknown>;
    return JSON.stringify(Object.fromEntries(Object.entries(rest).toSorted(([left], [right]) => (left < right ? -1 : 1))));
  });
  return isOrdered ? texts : texts.toSorted();
}

const QUERIES: readonly { readonly name: string; readonly query: string; readonly isOrdered: boolean }[] = [
  { name: 'filter', query: "SELECT * FROM c WHERE c.rank > 9800 AND c.type = 'task'", isOrdered: false },
  { name: 'ORDER BY with TOP', query: "SELECT TOP 20 * FROM c WHERE c.type = 'task' ORDER BY c.rank DESC", isOrdered: true },
  {
    name: 'aggregate',
    query: 'SELECT COUNT(1) AS n, SUM(c.rank) AS total, MAX(c.rank) AS most FROM c WHERE c.done = true',
    isOrdered: false,
  },
];

/** Point operations: each round makes documents, reads, upserts, replaces and deletes them. */
function pointSides(bench: Bench): Readonly<Record<string, Side>> {
  const first = 1_000_000;
  const round =
    (work: (index: number) => Promise<unknown>): Side =>
    () =>
      timed(ROUND, () => atOnce(AT_ONCE, ROUND, (index) => work(first + index)));
  const send = (kind: 'create' | 'read' | 'upsert' | 'replace' | 'delete', ...statuses: readonly number[]): Side =>
    round((index) => expectStatus(bench.client, requests[kind](index), ...statuses));
  return {
    create: send('create', 201),
    read: send('read', 200),
    upsert: send('upsert', 200),
    replace: send('replace', 200),
    delete: send('delete', 204),
  };
}

/** Rates of point operations, one kind after the other within a round: a round's documents live from its create to its delete. */
async function* comparePoints(label: string, bar: number | undefined, ours: Bench, theirs: Bench): AsyncGenerator<BenchResult> {
  const [measured, baseline] = [pointSides(ours), pointSides(theirs)];
  // A kind that needs documents gets them, and one that makes them finds none, outside of what is timed.
  const before: Readonly<Record<string, string>> = { create: 'delete', delete: 'create' };
  for (const sides of [measured, baseline]) {
    await (sides['create'] as Side)();
  }
  for (const kind of ['read', 'upsert', 'replace', 'create', 'delete']) {
    const prepared =
      (sides: Readonly<Record<string, Side>>): Side =>
      async () => {
        const preparation = before[kind];
        if (preparation !== undefined) {
          await prepare(sides, kind);
        }
        return (sides[kind] as Side)();
      };
    yield await compareRates({
      name: `emulator: ${kind}, ${AT_ONCE} at once${label}`,
      unit: 'operations/s',
      rounds: POINT_ROUNDS,
      atLeast: bar,
      measured: prepared(measured),
      baseline: prepared(baseline),
    });
  }
}

const present = new WeakMap<object, boolean>();

/** Sees that the documents of a round are there, or are not. */
async function prepare(sides: Readonly<Record<string, Side>>, kind: string): Promise<void> {
  const isThere = present.get(sides) ?? true;
  const shouldBe = kind === 'delete';
  if (isThere !== shouldBe) {
    await (sides[shouldBe ? 'create' : 'delete'] as Side)();
  }
  present.set(sides, kind === 'create');
}

async function* compareQueries(ours: Bench, theirs: Bench): AsyncGenerator<BenchResult> {
  for (const { name, query, isOrdered } of QUERIES) {
    const [mine, other] = [plainRows(await ask(ours, query), isOrdered), plainRows(await ask(theirs, query), isOrdered)];
    if (mine.length === 0 || !isDeepStrictEqual(mine, other)) {
      throw new Error(`${name}: the two servers give ${mine.length} and ${other.length} rows, and not the same.`);
    }
    const side =
      (bench: Bench, times: number): Side =>
      () =>
        timed(times, async () => {
          for (let run = 0; run < times; run += 1) {
            await ask(bench, query);
          }
        });
    yield await compareRates({
      name: `emulator: ${name} over ${HELD.toLocaleString('en')} documents`,
      unit: 'queries/s',
      rounds: ROUNDS,
      atLeast: 20,
      measured: side(ours, 50),
      baseline: side(theirs, 3),
    });
  }
}

async function compareStarts(): Promise<BenchResult> {
  const times: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < STARTS; round += 1) {
    for (const side of round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)) {
      const emulator = await startEmulator(side === 'ours' ? PROGRAMS.memory : PROGRAMS.peer);
      times[side].push(emulator.startMs);
      await emulator.stop();
    }
  }
  return compareAmounts('emulator: start to first answer', 'ms', times.ours, times.theirs, 0.5);
}

async function compareMemory(): Promise<BenchResult> {
  const bytes: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < FILLS; round += 1) {
    for (const side of ['ours', 'theirs'] as const) {
      const bench = await open(side === 'ours' ? PROGRAMS.memory : PROGRAMS.peer);
      await fill(bench);
      bytes[side].push(bench.emulator.residentBytes() / 1e6);
      await close(bench);
    }
  }
  return compareAmounts(`emulator: resident with ${HELD.toLocaleString('en')} documents`, 'MB', bytes.ours, bytes.theirs, 1);
}

/** The server against `@vercel/cosmosdb-server`, each in a process of its own, by the same client over connections that are kept. */
export async function* run(): AsyncGenerator<BenchResult> {
  spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  yield await compareStarts();
  yield await compareMemory();
  const workspace = new Workspace();
  const theirs = await open(PROGRAMS.peer);
  const ours = await open(PROGRAMS.memory);
  const durable = await open(PROGRAMS.sqlite(workspace.file()));
  try {
    await Promise.all([fill(ours), fill(theirs), fill(durable)]);
    yield* comparePoints('', 1, ours, theirs);
    yield* comparePoints(' (on SQLite)', undefined, durable, theirs);
    yield* compareQueries(ours, theirs);
  } finally {
    await Promise.all([ours, theirs, durable].map(close));
    workspace.dispose();
  }
}
