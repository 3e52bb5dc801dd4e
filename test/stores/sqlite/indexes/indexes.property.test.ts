import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/memory-backend.ts';
import { openSqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import { arbitraryBody, arbitraryValue } from '../../../query/compile/arbitrary-document.ts';
import { indexedQuery, INDEXING_POLICY, outcomeOf } from '../../indexed-queries.ts';

const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 16);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

const isOdd = (value: JsonValue): boolean => JSON.stringify(value).includes('\\u0000');

describe(`queries with and without indexes (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const backends: Backend[] = [];
  const counts = { index: 0, other: 0, rows: 0 };
  let containers = 0;

  beforeAll(async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    backends.push(openMemoryBackend({ runtime }), await openSqliteBackend({ path: ':memory:', runtime }));
    await Promise.all(backends.map((backend) => backend.createDatabase('test')));
  });
  afterAll(() => Promise.all(backends.map((backend) => backend.close())));

  async function storesWith(bodies: readonly JsonObject[]): Promise<readonly DocumentStore[]> {
    containers += 1;
    const keys: readonly (JsonValue | undefined)[] = ['x', 1, null, 'x', undefined];
    return Promise.all(
      backends.map(async (backend) => {
        await backend.createContainer('test', { id: `c${containers}`, partitionKey: '/pk', indexingPolicy: INDEXING_POLICY });
        const store = await backend.container('test', `c${containers}`);
        for (const [index, body] of bodies.entries()) {
          const pk = keys[index % keys.length];
          const key = pk === undefined ? {} : { pk };
          await store.create({ ...(index % 3 === 0 ? {} : body), id: `d${index}`, ...key });
          if (index % 3 === 0) {
            await store.replace({ ...body, id: `d${index}`, ...key });
          }
        }
        return store;
      }),
    );
  }

  test('give the same rows in the same order, whatever the size of the pages', async () => {
    const aQuery = fc.record({
      text: indexedQuery,
      values: fc.record({ '@p0': arbitraryValue, '@p1': arbitraryValue, '@p2': arbitraryValue, '@n': fc.constantFrom(0, 1, 4) }),
      maxItemCount: fc.constantFrom(1, 2, 3, 7, 100),
      partitionKey: fc.constantFrom<JsonValue>('all', 'all', 'all', 'x', 1),
    });
    const documents = fc.tuple(fc.array(arbitraryBody, { minLength: 1, maxLength: 60, size: 'max' }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(documents, fc.array(aQuery, { minLength: 12, maxLength: 12 }), async ([bodies, mayBeOdd], queries) => {
        const stores = await storesWith(mayBeOdd ? bodies : bodies.filter((body) => !isOdd(body)));
        const [memory, sqlite] = stores as readonly [DocumentStore, DocumentStore];
        try {
          for (const query of queries) {
            const expected = await outcomeOf(memory, query);
            const found = await outcomeOf(sqlite, query);
            counts.rows += expected.startsWith('[{') ? 1 : 0;
            if (found !== expected) {
              expect(found, JSON.stringify(query)).toBe(expected);
            }
            if (!expected.startsWith('QUERY')) {
              const parameters = Object.entries(query.values).map(([name, value]) => ({ name, value }));
              const { access } = await sqlite.explain({ query: query.text, parameters });
              counts[access === 'index' ? 'index' : 'other'] += 1;
            }
          }
        } finally {
          await Promise.all(stores.map((store) => store.close()));
          await Promise.all(backends.map((backend) => backend.deleteContainer('test', `c${containers}`)));
        }
      }),
      { seed, numRuns },
    );
    // A test of indexes that no query uses would prove nothing.
    expect(counts.index / (counts.index + counts.other), JSON.stringify(counts)).toBeGreaterThan(0.5);
    expect(counts.rows, JSON.stringify(counts)).toBeGreaterThan(numRuns);
  }, 900_000);
});
