import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import { arbitraryBody, arbitraryValue } from '../../../query/compile/arbitrary-document.ts';
import { openForcedPostgres, openFreshPostgres } from '../../../support/open-postgres.ts';
import { indexedQuery, INDEXING_POLICY, outcomeOf } from '../../indexed-queries.ts';

const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 16);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261130);

/** Longer than what an index has of a text, and alike for most of it; of one, two and four bytes a character. */
const longText = fc
  .tuple(fc.constantFrom('x', 'é', '😀'), fc.constantFrom(249, 250, 251, 2900), fc.constantFrom('', 'a', 'b', 'a'.repeat(100)))
  .map(([character, length, end]) => character.repeat(length) + end);
const body = fc.oneof(
  { weight: 4, arbitrary: arbitraryBody },
  {
    weight: 1,
    arbitrary: fc
      .tuple(arbitraryBody, longText, fc.constantFrom('s', 'a', 'n', 'b'))
      .map(([one, text, name]): JsonObject => ({ ...one, [name]: text })),
  },
);
const value = fc.oneof({ weight: 4, arbitrary: arbitraryValue }, { weight: 1, arbitrary: longText });

/** Documents of which everything is told in SQL, so that no walk over an index gives up. */
function withoutUntold(bodies: readonly JsonObject[]): readonly JsonObject[] {
  const plain = (one: JsonValue | undefined, index: number): JsonValue | undefined =>
    (typeof one === 'object' && one !== null) || (typeof one === 'string' && one.length > 200) ? (index * 7) % 5 : one;
  return bodies
    .filter((one) => !isOdd(one))
    .map((one, index) => ({
      ...Object.fromEntries(Object.entries(one).map(([name, member]) => [name, name === 'o' ? member : plain(member, index)])),
      o: { a: index % 3 === 0 ? 'x' : index % 4 },
    })) as readonly JsonObject[];
}

const isOdd = (document: JsonValue): boolean => JSON.stringify(document).includes('\\u0000');

describe(`queries with and without indexes of PostgreSQL (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const backends: Backend[] = [];
  const counts = { index: 0, other: 0, rows: 0 };
  let containers = 0;

  beforeAll(async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    backends.push(
      openMemoryBackend({ runtime }),
      await openFreshPostgres({ runtime }),
      await openForcedPostgres('-c enable_seqscan=off -c enable_sort=off -c enable_bitmapscan=off', { runtime }),
    );
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
        const withKey = (one: JsonObject, index: number): JsonObject & { readonly id: string } => {
          const pk = keys[index % keys.length];
          return { ...one, id: `d${index}`, ...(pk === undefined ? {} : { pk }) };
        };
        const made = await store.bulk(
          bodies.map((one, index) => ({ type: 'create' as const, document: withKey(index % 3 === 0 ? {} : one, index) })),
        );
        expect(made.outcomes.every(({ ok }) => ok)).toBe(true);
        for (const [index, one] of bodies.entries()) {
          if (index % 3 === 0) {
            await store.replace(withKey(one, index));
          }
        }
        return store;
      }),
    );
  }

  test('give the same rows in the same order, whatever the size of the pages', async () => {
    const aQuery = fc.record({
      text: indexedQuery,
      values: fc.record({ '@p0': value, '@p1': value, '@p2': value, '@n': fc.constantFrom(0, 1, 4) }),
      maxItemCount: fc.constantFrom(1, 2, 3, 7, 100),
      partitionKey: fc.constantFrom<JsonValue>('all', 'all', 'all', 'x', 1),
    });
    const documents = fc.tuple(
      fc.array(body, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.constantFrom('any', 'told', 'plain', 'plain'),
    );
    await fc.assert(
      fc.asyncProperty(documents, fc.array(aQuery, { minLength: 12, maxLength: 12 }), async ([bodies, kind], queries) => {
        const stores = await storesWith(
          kind === 'any' ? bodies : kind === 'told' ? bodies.filter((one) => !isOdd(one)) : withoutUntold(bodies),
        );
        const [memory, ...postgres] = stores as readonly [DocumentStore, DocumentStore, DocumentStore];
        try {
          for (const query of queries) {
            const expected = await outcomeOf(memory, query);
            counts.rows += expected.startsWith('[{') ? 1 : 0;
            for (const store of postgres) {
              const found = await outcomeOf(store, query);
              if (found !== expected) {
                expect(found, JSON.stringify(query)).toBe(expected);
              }
            }
            if (!expected.startsWith('QUERY')) {
              const parameters = Object.entries(query.values).map(([name, one]) => ({ name, value: one }));
              const { access } = await postgres[1].explain({ query: query.text, parameters });
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
    // A test of indexes that no query uses would prove nothing. It is what PostgreSQL took: of so few documents it often prefers the order of creation.
    expect(counts.index / (counts.index + counts.other), JSON.stringify(counts)).toBeGreaterThan(0.4);
    expect(counts.rows, JSON.stringify(counts)).toBeGreaterThan(numRuns);
  }, 900_000);
});
