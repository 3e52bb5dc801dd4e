import pg from 'pg';
import { openPostgresBackend } from '../../src/stores/postgres/postgres-backend.ts';
import { compareAmounts, compareRates, timed, withBar, type BenchResult } from '../harness.ts';

const DOCUMENTS = 20_000;
const DIMENSIONS = 64;
const CHUNK = 1000;
const QUERIES = 40;
const TOP = 10;
const SCHEMA = 'bench_vectors';

const NEAREST = `SELECT TOP ${TOP} c.id FROM c ORDER BY VectorDistance(c.v, @q)`;
const BRUTE_FORCE = `SELECT TOP ${TOP} c.id FROM c ORDER BY VectorDistance(c.v, @q, true)`;
/** A filter that leaves a tenth. */
const FILTERED = `SELECT TOP ${TOP} c.id FROM c WHERE c.tenth = 3 ORDER BY VectorDistance(c.v, @q)`;
const FILTERED_FORCE = `SELECT TOP ${TOP} c.id FROM c WHERE c.tenth = 3 ORDER BY VectorDistance(c.v, @q, true)`;

/** Numbers that repeat from run to run. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

async function serverWithVectors(): Promise<string | undefined> {
  const url = process.env['PERIGEE_POSTGRES_URL'];
  if (url === undefined) {
    return undefined;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT FROM pg_extension WHERE extname = 'vector'");
    await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA}_1 CASCADE; DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
    return rows.length > 0 ? url : undefined;
  } finally {
    await client.end();
  }
}

/** The nearest of random vectors by the index of pgvector, against the evaluator's exact answer: how many it finds, and how fast. */
export async function* run(): AsyncGenerator<BenchResult> {
  const url = await serverWithVectors();
  if (url === undefined) {
    console.log('postgres-vectors: left out, as PERIGEE_POSTGRES_URL names no database with the extension vector.');
    return;
  }
  const backend = await openPostgresBackend({ connectionString: url, schema: SCHEMA });
  try {
    const definition = (isIndexed: boolean): Parameters<typeof backend.createContainer>[1] => ({
      id: 'items',
      partitionKey: '/owner',
      indexingPolicy: {
        includedPaths: [{ path: '/*' }],
        excludedPaths: [],
        vectorIndexes: isIndexed ? [{ path: '/v', type: 'diskANN' }] : [],
      },
      extra: {
        vectorEmbeddingPolicy: {
          vectorEmbeddings: [{ path: '/v', dataType: 'float32', dimensions: DIMENSIONS, distanceFunction: 'cosine' }],
        },
      },
    });
    await backend.createDatabase('bench');
    await backend.createContainer('bench', definition(false));
    const store = await backend.container('bench', 'items');
    const next = numbers();
    const vector = (): number[] => Array.from({ length: DIMENSIONS }, next);
    for (let start = 0; start < DOCUMENTS; start += CHUNK) {
      const { outcomes } = await store.bulk(
        Array.from({ length: CHUNK }, (_, n) => ({
          type: 'create' as const,
          document: { id: `d${start + n}`, owner: `o${(start + n) % 50}`, tenth: (start + n) % 10, v: vector() },
        })),
      );
      if (outcomes.some(({ ok }) => !ok)) {
        throw new Error('A document of the benchmark was refused.');
      }
    }
    const built = await timed(DOCUMENTS, async () => {
      await backend.replaceContainer('bench', definition(true));
      await backend.indexesReady();
    });
    yield compareAmounts('postgres-vectors: building the index', 's', [built.elapsedMs / 1000], [built.elapsedMs / 1000]);
    const ask = async (query: string, q: readonly number[]): Promise<readonly string[]> =>
      (await store.query<{ id: string }>({ query, parameters: [{ name: '@q', value: q }] }).toArray()).map(({ id }) => id);
    for (const [what, approximate, exact] of [
      ['', NEAREST, BRUTE_FORCE],
      [', a tenth passes', FILTERED, FILTERED_FORCE],
    ] as const) {
      let found = 0;
      for (let query = 0; query < QUERIES; query += 1) {
        const q = vector();
        const nearest = new Set(await ask(exact, q));
        found += (await ask(approximate, q)).filter((id) => nearest.has(id)).length;
      }
      const recall = (100 * found) / (QUERIES * TOP);
      yield withBar(compareAmounts(`postgres-vectors: recall@${TOP}${what}`, '%', [recall], [100]), 'at least', 90);
      yield await compareRates({
        name: `postgres-vectors: TOP ${TOP} of ${DOCUMENTS} by the index${what}`,
        unit: 'queries/s',
        rounds: 3,
        measured: () =>
          timed(20, async () => {
            for (let query = 0; query < 20; query += 1) {
              await ask(approximate, vector());
            }
          }),
        baseline: () => timed(1, () => ask(exact, vector())),
      });
    }
  } finally {
    await backend.close();
    await serverWithVectors();
  }
}
