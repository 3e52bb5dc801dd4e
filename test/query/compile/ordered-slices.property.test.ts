import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Backend } from '../../../src/store/backend.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { openForcedPostgres, openFreshPostgres } from '../../support/open-postgres.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20_261_121);
const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 20);
// One clock for both: a query that sorts by `_ts` would tell two apart.
const runtime = new SimulatedRuntime({ seed: 1 });
const backends: readonly Backend[] = [
  openMemoryBackend({ runtime }),
  await openSqliteBackend({ path: ':memory:', runtime }),
  await openFreshPostgres({ runtime }),
  await openForcedPostgres('-c enable_seqscan=off -c enable_sort=off', { runtime }),
];
/** The last one has the indexes of its policy. */
const POLICY: JsonObject = {
  includedPaths: ['/*', '/a/?', '/b/?'].map((path) => ({ path })),
  compositeIndexes: [
    [
      { path: '/a', order: 'descending' },
      { path: '/b', order: 'ascending' },
    ],
    [
      { path: '/b', order: 'ascending' },
      { path: '/a', order: 'descending' },
    ],
  ],
};
let containers = 0;
afterAll(async () => {
  for (const backend of backends) {
    await backend.close();
  }
});

async function storesWith(documents: readonly JsonObject[]): Promise<readonly DocumentStore[]> {
  containers += 1;
  return Promise.all(
    backends.map(async (backend, index) => {
      if (containers === 1) {
        await backend.createDatabase('order');
      }
      await backend.createContainer('order', {
        id: `c${containers}`,
        partitionKey: '/pk',
        indexingPolicy: index === 3 ? POLICY : undefined,
      });
      const store = await backend.container('order', `c${containers}`);
      const { outcomes } = await store.bulk(
        documents.map((document, index) => ({ type: 'create', document: { ...document, id: `d${index}`, pk: `p${index % 3}` } })),
      );
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
      return store;
    }),
  );
}

/** Values of all types, few of each, so that there are many ties; arrays, objects and texts with NUL are those whose place SQLite cannot tell. */
const plain = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom('', 'a', 'b', 'Z', '😀', '～', 'ab'),
  fc.constantFrom('', 'a', 'b').map((end) => 'x'.repeat(250) + end),
);
const untold = fc.oneof(fc.constant([1]), fc.constant({ x: 1 }), fc.constant('a\u0000b'));
const documents = fc
  .tuple(
    fc.integer({ min: 0, max: 40 }),
    fc.array(fc.record({ a: plain, b: plain, odd: untold, lot: fc.nat(100) }), { minLength: 150, maxLength: 400 }),
  )
  .map(([share, rows]) =>
    rows.map(
      ({ a, b, odd, lot }) =>
        Object.fromEntries(
          Object.entries({ a: lot < share ? odd : a, b, n: lot }).filter(([, value]) => value !== undefined),
        ) as JsonObject,
    ),
  );
const query = fc.constantFrom(
  'SELECT * FROM c ORDER BY c.a',
  'SELECT c.id, c.a FROM c ORDER BY c.a DESC',
  'SELECT * FROM c ORDER BY c.a DESC, c.b',
  'SELECT TOP 7 * FROM c ORDER BY c.b, c.a DESC',
  'SELECT TOP 90 c.id FROM c WHERE c.n > 30 ORDER BY c.a',
  'SELECT * FROM c WHERE IS_NUMBER(c.a) ORDER BY c.a DESC',
  'SELECT VALUE c.b FROM c ORDER BY c.a',
  'SELECT VALUE {i: c.id} FROM c ORDER BY c.b DESC OFFSET 20 LIMIT 15',
  'SELECT * FROM c WHERE CONTAINS(c.b, "a", true) ORDER BY c.b',
  'SELECT c.id FROM c ORDER BY c._ts DESC, c.id DESC',
);

test(
  `the first rows of an order are the same on memory, SQLite and PostgreSQL, whatever is left out of a slice (seed ${seed})`,
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.array(query, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 30 }),
        async (rows, texts, maxItemCount) => {
          const stores = await storesWith(rows);
          for (const text of texts) {
            const [expected, ...others] = await Promise.all(
              stores.map(async (store) => {
                const first = await store.query(text, { maxItemCount }).nextPage();
                return { first: first?.items.map(stripped), all: (await store.query(text, { maxItemCount: 97 }).toArray()).map(stripped) };
              }),
            );
            for (const [index, actual] of others.entries()) {
              expect(actual, `${['SQLite', 'PostgreSQL', 'PostgreSQL with indexes'][index]}: ${text}`).toEqual(expected);
            }
          }
        },
      ),
      { numRuns, seed },
    );
  },
);

/** Without what each store writes itself. */
function stripped(item: unknown): unknown {
  return typeof item === 'object' && item !== null && !Array.isArray(item)
    ? Object.fromEntries(Object.entries(item).filter(([name]) => !name.startsWith('_')))
    : item;
}
