import { expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { Backend } from '../../../src/store/backend.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openFreshPostgres } from '../../support/open-postgres.ts';

const QUERIES = [
  'SELECT c.k, COUNT(1) AS n, COUNT(c.v) AS d, SUM(c.v) AS s, AVG(c.v) AS a FROM c GROUP BY c.k',
  'SELECT c.k, c.o.x, COUNT(1) AS n FROM c WHERE c.v >= 2 GROUP BY c.k, c.o.x',
  'SELECT AVG(c.v) AS a, SUM(c.v) AS s, SUM(c.missing) AS m, AVG(c.missing) AS n FROM c WHERE c.v > 1000000',
  'SELECT VALUE SUM(c.v) FROM c',
  'SELECT VALUE AVG(c.missing) FROM c',
  'SELECT DISTINCT c.k FROM c',
  'SELECT DISTINCT VALUE c.o.x FROM c WHERE c.v < 50',
  'SELECT DISTINCT c.k, c.o.x FROM c',
  'SELECT c.k AS same, COUNT(1) AS same FROM c GROUP BY c.k',
  'SELECT c._ts, COUNT(1) AS n FROM c GROUP BY c._ts',
];

const documents = (values: readonly (JsonValue | undefined)[], keys: readonly (JsonValue | undefined)[]): readonly JsonObject[] =>
  Array.from({ length: 60 }, (_, index) => {
    const [v, k] = [values[index % values.length], keys[(index * 7) % keys.length]];
    const all: Record<string, JsonValue | undefined> = { v, k, o: index % 3 === 0 ? {} : { x: index % 4 } };
    return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined)) as JsonObject;
  });

const SETS: Readonly<Record<string, readonly JsonObject[]>> = {
  'whole numbers': documents([1, 2, 3, 100, -7, 0], ['a', 'b', 1, null, true, undefined, '']),
  'values of other types': documents([1, 'x', undefined, null, [1]], ['a', 1e21, 0.1]),
  'fractions, whose sum depends on the order': documents([0.1, 0.2, 0.3, 1e16, -1e16], ['a', 'b', 'c', 'd']),
  'huge numbers': documents([1.7e308, 1e308, -1.7e308, 2 ** 53, 1], ['a', 'b']),
  'arrays and objects as keys': documents([1, 2], [{ a: 1, b: 2 }, { b: 2, a: 1 }, [1], 'a']),
  'long keys': documents([1, 2], ['x'.repeat(5000), 'y'.repeat(5000)]),
  'odd documents': documents([1, 2], ['a', 'a\u0000']),
  nothing: [],
};

async function outcomeOf(store: DocumentStore, query: string, maxItemCount: number): Promise<string> {
  try {
    return JSON.stringify(await store.query(query, { maxItemCount }).toArray());
  } catch (error) {
    if (isPerigeeError(error, 'QUERY_FAILED')) {
      return error.code;
    }
    throw error;
  }
}

test.each(Object.entries(SETS))('groups are those of the evaluator: %s', async (_, set) => {
  const backends: readonly Backend[] = [openMemoryBackend(), await openFreshPostgres()];
  try {
    const [memory, postgres] = (await Promise.all(
      backends.map(async (backend) => {
        await backend.createDatabase('app');
        await backend.createContainer('app', { id: 'c', partitionKey: '/pk' });
        const store = await backend.container('app', 'c');
        await store.bulk(set.map((one, index) => ({ type: 'create' as const, document: { ...one, id: `d${index}`, pk: 'p' } })));
        return store;
      }),
    )) as [DocumentStore, DocumentStore];
    for (const query of QUERIES.filter((one) => !one.includes('_ts') || set.length === 0)) {
      for (const maxItemCount of [2, 100]) {
        const [expected, found] = await Promise.all([memory, postgres].map((store) => outcomeOf(store, query, maxItemCount)));
        expect(found, query).toBe(expected);
      }
    }
  } finally {
    await Promise.all(backends.map((backend) => backend.close()));
  }
});

test('explain tells that PostgreSQL makes the groups, and which index it takes', async () => {
  const backend = await openFreshPostgres();
  await backend.createDatabase('app');
  await backend.createContainer('app', {
    id: 'c',
    partitionKey: '/pk',
    indexingPolicy: { includedPaths: [{ path: '/*' }, { path: '/v/?' }] },
  });
  const store = await backend.container('app', 'c');
  for (let start = 0; start < 3000; start += 500) {
    await store.bulk(
      Array.from({ length: 500 }, (_, at) => ({ type: 'create' as const, document: { id: `d${start + at}`, pk: 'p', v: start + at } })),
    );
  }
  const grouped = await store.explain('SELECT c.pk, COUNT(1) AS n FROM c GROUP BY c.pk');
  expect(grouped.statement).toContain('GROUP BY k0');
  expect(grouped.access).toBe('container');
  const indexed = await store.explain('SELECT * FROM c WHERE c.v > 2990 ORDER BY c.v');
  expect([indexed.access, indexed.indexes, indexed.documentsScanned]).toEqual(['index', ['/v'], 9]);
  const scanned = await store.explain('SELECT * FROM c WHERE c.w = 1');
  expect([scanned.access, scanned.indexes, scanned.documentsScanned]).toEqual(['container', [], 3000]);
  await backend.close();
});
