import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { DEFAULT_INDEXING_POLICY } from '../../../src/store/container-definition.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { QueryExplanation } from '../../../src/store/query-explanation.ts';
import type { QueryInput, QueryOptions } from '../../../src/store/queries.ts';
import { openSqliteBackend, type SqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { advisableQueries } from '../advisable-queries.ts';

const DOCUMENTS = 4000;
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 11);

let backend: SqliteBackend;
let plain: DocumentStore;
let containers = 0;

/** The documents in a container with pieces of policy beside the default one. */
async function withPolicy(...pieces: readonly JsonObject[]): Promise<DocumentStore> {
  const policy: Record<string, JsonValue | undefined> = { ...DEFAULT_INDEXING_POLICY };
  for (const piece of pieces) {
    for (const [member, list] of Object.entries(piece)) {
      policy[member] = [...((policy[member] ?? []) as readonly JsonValue[]), ...(list as readonly JsonValue[])];
    }
  }
  containers += 1;
  const id = `items-${containers}`;
  await backend.createContainer('test', { id, partitionKey: '/pk', indexingPolicy: policy });
  const store = await backend.container('test', id);
  const { outcomes } = await store.bulk(
    Array.from({ length: DOCUMENTS }, (_, n) => ({
      type: 'create' as const,
      document: {
        id: `d${n}`,
        pk: `p${n % 4}`,
        n,
        kind: `k${n % 40}`,
        day: (n * 7) % 100,
        'odd name': n % 11,
        o: { x: n % 500 },
        s: `s${n}`,
      },
    })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  return store;
}

beforeAll(async () => {
  backend = await openSqliteBackend({ path: ':memory:' });
  await backend.createDatabase('test');
  plain = await withPolicy();
});
afterAll(() => backend.close());

/** What is advised, and what becomes of the query when the advice is followed. */
async function follow(query: QueryInput, options?: QueryOptions): Promise<{ advised: QueryExplanation; followed: QueryExplanation }> {
  const advised = await plain.explain(query, options);
  const store = await withPolicy(...advised.advice.map(({ policy }) => policy));
  return { advised, followed: await store.explain(query, options) };
}

test('a scan counts every document that it looks at, whether it passes or not, so that its charge is always the same', async () => {
  const runs = await Promise.all([1, 2, 3].map(() => plain.explain('SELECT VALUE c.id FROM c WHERE c.kind = "k7" AND c.n < 1000')));
  expect(runs.map(({ documentsScanned, itemsReturned }) => [documentsScanned, itemsReturned])).toEqual(
    [1, 2, 3].map(() => [DOCUMENTS, 25]),
  );
  expect(new Set(runs.map(({ requestUnits }) => requestUnits)).size).toBe(1);
  const scoped = await plain.explain('SELECT VALUE c.id FROM c WHERE c.kind = "k8"', { partitionKey: 'p0' });
  expect(scoped).toMatchObject({ access: 'partition', documentsScanned: DOCUMENTS / 4, itemsReturned: 100 });
});

describe('advice', () => {
  test.each<readonly [text: string, policy: JsonObject, lookedAt: number]>([
    ['SELECT * FROM c WHERE c.kind = "k7"', { includedPaths: [{ path: '/kind/?' }] }, 100],
    ['SELECT VALUE COUNT(1) FROM c WHERE c.n >= 3900 AND REVERSE(c.s) != "x"', { includedPaths: [{ path: '/n/?' }] }, 100],
    ['SELECT TOP 20 c.id FROM c ORDER BY c.day DESC', { includedPaths: [{ path: '/day/?' }] }, 20],
    ['SELECT * FROM c WHERE c["odd name"] = 3 AND c.o.x IN (1, 2)', { includedPaths: [{ path: '/o/x/?' }] }, 16],
    [
      'SELECT TOP 5 * FROM c WHERE c.kind = "k7" ORDER BY c.n',
      {
        compositeIndexes: [
          [
            { path: '/kind', order: 'ascending' },
            { path: '/n', order: 'ascending' },
          ],
        ],
      },
      5,
    ],
    [
      'SELECT * FROM c WHERE c.kind = "k7" AND c.day < 10',
      {
        compositeIndexes: [
          [
            { path: '/kind', order: 'ascending' },
            { path: '/day', order: 'ascending' },
          ],
        ],
      },
      20,
    ],
  ])('%s', async (text, policy, lookedAt) => {
    const { advised, followed } = await follow(text);
    expect(advised.access).toBe('container');
    expect(advised.advice.map((one) => one.policy)).toEqual([policy]);
    const [advice] = advised.advice;
    expect(advice).toMatchObject({
      provenBy: 'planner',
      before: { documentsScanned: advised.documentsScanned },
      after: { access: 'index' },
    });
    expect(advice?.after.documentsScanned).toBe(lookedAt);
    expect(followed).toMatchObject({ access: 'index', indexes: [advice?.after.index], itemsReturned: advised.itemsReturned, advice: [] });
    // A walk in order may read a few entries ahead.
    expect(followed.documentsScanned).toBeLessThanOrEqual(lookedAt * 2 + 64);
    expect(advised.text).toContain(JSON.stringify(Object.values(policy).flat()[0]));
  });

  test('is not given where no index helps, where it would not be used, and where little is looked at', async () => {
    const queries: readonly (readonly [QueryInput, QueryOptions?])[] = [
      ['SELECT * FROM c'],
      ['SELECT * FROM c WHERE c.n > 10'],
      ['SELECT * FROM c WHERE REVERSE(c.s) = "1s"'],
      ['SELECT * FROM c WHERE c.kind != "k7"'],
      ['SELECT * FROM c WHERE c.id = "d7" AND c.pk = "p3"'],
      ['SELECT TOP 3 * FROM c WHERE c.day >= 0'],
      ['SELECT VALUE 1'],
      ['SELECT c.kind, COUNT(1) FROM c GROUP BY c.kind'],
    ];
    for (const [query, options] of queries) {
      expect([query, (await plain.explain(query, options)).advice]).toEqual([query, []]);
    }
  });

  test('tells what Cosmos DB would refuse, once', async () => {
    const text = 'SELECT TOP 3 * FROM c WHERE REVERSE(c.s) != "x" ORDER BY c.kind, c.n DESC';
    const { advice, text: shown } = await plain.explain(text);
    expect(advice.map(({ provenBy }) => provenBy)).toEqual(['policy']);
    expect(shown).toContain('Cosmos DB and strict mode refuse the query');
    const store = await withPolicy(...advice.map(({ policy }) => policy));
    const strict = await store.explain(text, { orderBy: 'strict' });
    expect(strict).toMatchObject({ itemsReturned: 3, advice: [] });
    await expect(plain.explain(text, { orderBy: 'strict' })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });

  test(
    'holds for generated queries: followed, it is used, looks at no more than was said, and changes no answer',
    { timeout: 60_000 },
    async () => {
      const query = advisableQueries(['c.n', 'c.kind', 'c.day', 'c["odd name"]', 'c.o.x', 'c.pk'], 40);
      const stores = new Map<string, DocumentStore>();
      let advisedCount = 0;
      await fc.assert(
        fc.asyncProperty(query, async (text) => {
          const advised = await plain.explain(text, { maxItemCount: 500 });
          for (const { policy, after, provenBy } of advised.advice) {
            const key = JSON.stringify(policy);
            const store = stores.get(key) ?? (await withPolicy(policy));
            stores.set(key, store);
            const followed = await store.explain(text, { maxItemCount: 500 });
            expect(await store.query(text).toArray()).toEqual(await plain.query(text).toArray());
            if (provenBy === 'planner') {
              advisedCount += 1;
              expect(followed.indexes).toEqual([after.index]);
              expect(followed.documentsScanned).toBeLessThanOrEqual(2 * (after.documentsScanned ?? 0) + 64);
            }
          }
        }),
        { seed, numRuns: 60 },
      );
      expect(advisedCount).toBeGreaterThan(15);
    },
  );
});
