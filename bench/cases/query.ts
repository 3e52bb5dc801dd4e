import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { compareRates, timed, type BenchResult, type Side } from '../harness.ts';
import { openQueryStore, type QueryStore } from '../query-store.ts';
import { Workspace } from '../raw-twin.ts';

const HELD = 100_000;
/** Ranks of the documents: about ten of each. */
const RANKS = 10_007;

/** One query, as Perigee runs it and as a person would write it for the raw driver, whose rows are parsed. */
interface QueryCase {
  readonly name: string;
  readonly atLeast: number;
  readonly query: string;
  /** Parameters of the n-th run: the value of `@x`, and the first placeholder of the statement. */
  readonly value: (run: number) => number;
  readonly statement: (table: string) => string;
}

const EQUALITY = 'SELECT * FROM c WHERE c.rank = @x';
const equality = (name: string): QueryCase => ({
  name,
  atLeast: 0.6,
  query: EQUALITY,
  value: (run) => (run * 7717) % RANKS,
  statement: (table) => `SELECT json(body) AS body FROM ${table} WHERE body ->> '$.rank' = ?`,
});

const explicitCases: readonly QueryCase[] = [
  equality('equality, explicit path'),
  {
    name: 'range, ORDER BY, TOP 20',
    atLeast: 0.6,
    query: 'SELECT TOP 20 * FROM c WHERE c.rank > @x ORDER BY c.rank',
    value: (run) => (run * 6007) % RANKS,
    statement: (table) => `SELECT json(body) AS body FROM ${table} WHERE body ->> '$.rank' > ? ORDER BY body ->> '$.rank' LIMIT 20`,
  },
  {
    name: 'GROUP BY with COUNT and AVG',
    atLeast: 0.5,
    query: 'SELECT c.type, COUNT(1) AS n, AVG(c.rank) AS mean FROM c WHERE c.rank >= @x GROUP BY c.type',
    value: () => 0,
    statement: (table) =>
      `SELECT json_object('type', body ->> '$.type', 'n', count(*), 'mean', avg(body ->> '$.rank')) AS body FROM ${table} WHERE body ->> '$.rank' >= ? GROUP BY body ->> '$.type'`,
  },
  {
    name: 'GROUP BY with COUNT and AVG, no filter',
    atLeast: 0.5,
    query: 'SELECT c.type, COUNT(1) AS n, AVG(c.address.zip) AS mean FROM c GROUP BY c.type',
    value: () => 0,
    statement: (table) =>
      `SELECT json_object('type', body ->> '$.type', 'n', count(*), 'mean', avg(body ->> '$.address.zip')) AS body FROM ${table} WHERE ? = 0 GROUP BY body ->> '$.type'`,
  },
  {
    name: 'unindexed scan with filter',
    atLeast: 0.6,
    query: 'SELECT * FROM c WHERE c.address.zip > @x AND c.done = true',
    value: () => 99_000,
    statement: (table) => `SELECT json(body) AS body FROM ${table} WHERE body ->> '$.address.zip' > ? AND body ->> '$.done' = 1`,
  },
];

/** Only `rank` has an index; the rest of the policy keeps others from coming. */
const explicitPolicy: JsonObject = { includedPaths: [{ path: '/rank/?' }], excludedPaths: [{ path: '/*' }] };

async function askPerigee(store: DocumentStore, query: string, x: JsonValue): Promise<readonly JsonValue[]> {
  return store.query<JsonValue>({ query, parameters: [{ name: '@x', value: x }] }, { maxItemCount: 10_000 }).toArray();
}

async function compare({ store, raw, table }: QueryStore, entry: QueryCase): Promise<BenchResult> {
  const statement = raw.prepare(entry.statement(table));
  const askRaw = (x: number): readonly unknown[] => (statement.all(x) as { body: string }[]).map(({ body }): unknown => JSON.parse(body));
  for (const run of [1, 2, 3]) {
    const x = entry.value(run);
    const [found, expected] = [(await askPerigee(store, entry.query, x)).length, askRaw(x).length];
    if (found !== expected) {
      throw new Error(`${entry.name}: Perigee gave ${found} rows, the statement ${expected}.`);
    }
  }
  const perigee = async (run: number): Promise<void> => void (await askPerigee(store, entry.query, entry.value(run)));
  const byHand = (run: number): Promise<void> => Promise.resolve(void askRaw(entry.value(run)));
  return compareRates({
    name: entry.name,
    unit: 'queries/s',
    rounds: 7,
    atLeast: entry.atLeast,
    measured: await sideOf(perigee),
    baseline: await sideOf(byHand),
  });
}

const ROUND_MS = 150;
const WARM_MS = 500;
const MOST_RUNS = 400;

/** One side, with as many runs a round as fit into {@link ROUND_MS}. */
async function sideOf(work: (run: number) => Promise<void>): Promise<Side> {
  // Code that the engine has not compiled yet says nothing of either side.
  for (let spentMs = 0, run = 0; spentMs < WARM_MS && run < MOST_RUNS; run += 1) {
    spentMs += (await timed(1, () => work(run))).elapsedMs;
  }
  const { elapsedMs } = await timed(1, () => work(0));
  const runs = Math.max(1, Math.min(MOST_RUNS, Math.round(ROUND_MS / elapsedMs)));
  return () =>
    timed(runs, async () => {
      for (let run = 0; run < runs; run += 1) {
        await work(run);
      }
    });
}

const MAX_WARM_UP = 60;

/** Asks until an index serves the query, as recorded use makes one under the default policy. */
async function warmUp(store: DocumentStore): Promise<void> {
  for (let run = 0; run < MAX_WARM_UP; run += 1) {
    await askPerigee(store, EQUALITY, run);
    if (run % 10 === 9 && (await store.explain({ query: EQUALITY, parameters: [{ name: '@x', value: 1 }] })).access === 'index') {
      return;
    }
  }
}

/** Queries over 100,000 documents of 500 bytes against the best hand-written SQL over the same rows with the same indexes. */
export async function* run(): AsyncGenerator<BenchResult> {
  const workspace = new Workspace();
  try {
    const explicit = await openQueryStore(workspace, HELD, explicitPolicy, ["body ->> '$.rank'"]);
    for (const entry of explicitCases) {
      yield await compare(explicit, entry);
    }
    await explicit.close();
    const followed = await openQueryStore(workspace, HELD, undefined, ["body ->> '$.rank'"], warmUp);
    yield await compare(followed, equality('equality under /*, after autoIndex create'));
    await followed.close();
  } finally {
    workspace.dispose();
  }
}
