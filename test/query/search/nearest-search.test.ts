import { expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { accessByPolicy } from '../../../src/query/cost/query-work.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { nearestSearch, targetVector } from '../../../src/query/search/nearest-search.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { defineContainer, type ContainerDefinition } from '../../../src/store/container-definition.ts';

const PATHS: readonly (readonly [path: string, type: string | undefined, distanceFunction: string])[] = [
  ['/v', 'diskANN', 'cosine'],
  ['/deep/w', 'quantizedFlat', 'euclidean'],
  ['/exact', 'flat', 'cosine'],
  ['/bare', undefined, 'cosine'],
  ['/made', 'diskANN', 'cosine'],
];

function container(indexingPolicy: JsonObject = {}): ContainerDefinition {
  return defineContainer({
    id: 'c',
    partitionKey: '/pk',
    computedProperties: [{ name: 'made', query: 'SELECT VALUE c.v FROM c' }],
    indexingPolicy: {
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/secret/?' }],
      vectorIndexes: PATHS.flatMap(([path, type]) => (type === undefined ? [] : [{ path, type }])),
      ...indexingPolicy,
    },
    extra: {
      vectorEmbeddingPolicy: {
        vectorEmbeddings: PATHS.map(([path, , distanceFunction]) => ({ path, dataType: 'float32', dimensions: 2, distanceFunction })),
      },
    },
  });
}

const definition = container();

test.each([
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 5 c.id, VectorDistance(c.v, @q) AS score FROM c ORDER BY VectorDistance(c.v, @q, false)',
  'SELECT c.id FROM c WHERE c.pk = "a" ORDER BY VectorDistance(@q, c.v) OFFSET 2 LIMIT 3',
  'SELECT TOP 5 * FROM x ORDER BY vectordistance(x.deep.w, [1, -2]) ASC',
  "SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q, false, {distanceFunction: 'Cosine', dataType: 'float32'}) DESC",
  'SELECT c._rid, [{"item": VectorDistance(c.v, @q)}] AS orderByItems, {"id": c.id} AS payload FROM c ORDER BY VectorDistance(c.v, @q)',
])('an approximate index may answer %s', (text) => {
  const prepared = prepareQuery(text);
  const search = nearestSearch(prepared, definition);
  expect(search).toBeDefined();
  expect(search && targetVector(search, [{ name: '@q', value: [1, -2] }])).toEqual([1, -2]);
  expect(accessByPolicy(prepared, definition)).toBe('nearest');
});

test.each([
  // Brute force, or what is only known with the parameters.
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q, true)',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q, @force)',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q, false, @options)',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q, false, {distanceFunction: @how})',
  // Another comparison, or the farthest first.
  "SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q, false, {distanceFunction: 'euclidean'})",
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q) ASC',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.deep.w, @q) DESC',
  // Exact by their policy, or without one.
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.exact, @q)',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.bare, @q)',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.other, @q)',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.made, @q)',
  // Rows that are not the documents, or an order of more than the distance.
  'SELECT TOP 5 VALUE i FROM c JOIN i IN c.items ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 5 VALUE i FROM i IN c.items ORDER BY VectorDistance(i.v, @q)',
  'SELECT DISTINCT TOP 5 c.id FROM c ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 5 * FROM c ORDER BY RANK VectorDistance(c.v, @q)',
  'SELECT TOP 5 * FROM c ORDER BY c.n',
  'SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, c.deep.w)',
])('%s is answered exactly', (text) => {
  const prepared = prepareQuery(text);
  expect(nearestSearch(prepared, definition)).toBeUndefined();
  expect(accessByPolicy(prepared, definition)).not.toBe('nearest');
});

test('a filter that nothing serves is charged for all documents, whatever the order', () => {
  const prepared = prepareQuery('SELECT TOP 5 * FROM c WHERE c.secret = 1 ORDER BY VectorDistance(c.v, @q)');
  expect(nearestSearch(prepared, definition)).toBeDefined();
  expect(accessByPolicy(prepared, definition)).toBe('scan');
});

test('a policy without indexes has none of vectors', () => {
  const off = container({ indexingMode: 'none', includedPaths: [], excludedPaths: [] });
  expect(nearestSearch(prepareQuery('SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q)'), off)).toBeUndefined();
});

test.each([
  ['no vector', 'text'],
  ['an empty one', []],
  ['one with more than numbers in it', [1, 'a']],
])('%s is no target', (_, value) => {
  const search = nearestSearch(prepareQuery('SELECT TOP 5 * FROM c ORDER BY VectorDistance(c.v, @q)'), definition);
  expect(search && targetVector(search, [{ name: '@q', value }])).toBeUndefined();
});

test('a search that an approximate index may answer is charged for what it returns and leaves out, one that is exact for all that pass', async () => {
  const backend = openMemoryBackend();
  onTestFinished(() => backend.close());
  await backend.createDatabase('d');
  await backend.createContainer('d', definition);
  const store = await backend.container('d', 'c');
  await store.bulk(
    Array.from({ length: 100 }, (_, n) => ({ type: 'create' as const, document: { id: String(n), pk: 'p', v: [1, n], exact: [1, n] } })),
  );
  const charge = async (count: string, path: string): Promise<number> =>
    (
      await store.explain(
        `SELECT ${count.startsWith('TOP') ? count : ''} VALUE [1] FROM c ORDER BY VectorDistance(c.${path}, [1, 2]) ${count.startsWith('TOP') ? '' : count}`,
      )
    ).requestUnits;
  // 0.01 for each document that is read.
  expect((await charge('TOP 3', 'exact')) - (await charge('TOP 3', 'v'))).toBeCloseTo(0.97, 5);
  expect((await charge('OFFSET 7 LIMIT 3', 'exact')) - (await charge('OFFSET 7 LIMIT 3', 'v'))).toBeCloseTo(0.9, 5);
});
