import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import { vectorDistance, type DistanceFunction } from '../../../../src/query/functions/vector/vector-distance.ts';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/index.ts';
import type { IndexProgress } from '../../../../src/stores/postgres/indexes/index-builder.ts';
import { EXTENSION_SCHEMA, vectorDatabase, whyNoVectors } from './vector-server.ts';

const missing = await whyNoVectors();
if (missing !== undefined) {
  console.log(missing);
}

type IndexType = 'flat' | 'quantizedFlat' | 'diskANN';

function containerWith(
  dimensions: number,
  distanceFunction: DistanceFunction,
  type: IndexType | undefined,
  path = '/v',
): JsonObject & { id: string } {
  return {
    id: 'c',
    partitionKey: '/k',
    indexingPolicy: {
      includedPaths: [{ path: '/*' }],
      excludedPaths: [],
      ...(type === undefined ? {} : { vectorIndexes: [{ path, type }] }),
    },
    extra: { vectorEmbeddingPolicy: { vectorEmbeddings: [{ path, dataType: 'float32', dimensions, distanceFunction }] } },
  };
}

async function storeOf(backend: Backend, definition: JsonObject & { id: string }): Promise<DocumentStore> {
  await backend.createDatabase('d');
  await backend.createContainer('d', definition as never);
  return backend.container('d', definition.id);
}

async function oracle(definition: JsonObject & { id: string }): Promise<DocumentStore> {
  const backend = openMemoryBackend();
  onTestFinished(() => backend.close());
  return storeOf(backend, definition);
}

/** Numbers that repeat from run to run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function vectorOf(next: () => number, dimensions: number): number[] {
  return Array.from({ length: dimensions }, next);
}

async function fill(stores: readonly DocumentStore[], documents: readonly JsonObject[]): Promise<void> {
  for (const store of stores) {
    const { outcomes } = await store.bulk(documents.map((document) => ({ type: 'create' as const, document: document as never })));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  }
}

const asked = (query: string, q: JsonValue): { query: string; parameters: { name: string; value: JsonValue }[] } => ({
  query,
  parameters: [{ name: '@q', value: q }],
});

/** No more than are candidates whatever the query takes: among more that are alike an index may choose others. */
const MOST_DOCUMENTS = 17;

/** A vector of which all numbers are next to nothing is one of zeros in 4-byte floats, which has no cosine: an index misses it. */
const fraction = fc.double({ min: -2, max: 2, noNaN: true }).map((one) => (Math.abs(one) < 1e-30 ? 0 : one));

/** Whatever stands where a vector should. */
const anyVector = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), fraction),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<JsonValue | undefined>(
      undefined,
      null,
      'text',
      [],
      [1, 2],
      [1, 2, 3, 4],
      [0, 0, 0],
      [1, '2', 3],
      [1, null, 3],
      [1, [2], 3],
      [[1, 2, 3]],
      { 0: 1, 1: 2, 2: 3 },
      [1e300, 1, 1],
      [1e-300, 1e-300, 0],
      [1e-320, 0, 0],
      [3e38, 3e38, 3e38],
      [1e15, -1e15, 999_999_999_999_999],
      [1e-30, 2e-30, -1e-30],
    ),
  },
);
const anyDocument = fc.record({ k: fc.constantFrom('a', 'b'), v: anyVector, odd: fc.boolean(), n: fc.integer({ min: 0, max: 9 }) });

const QUERIES = [
  'SELECT TOP 3 c.id, VectorDistance(c.v, @q) AS s FROM c ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 100 * FROM c ORDER BY VectorDistance(@q, c.v, false)',
  'SELECT c.id FROM c ORDER BY VectorDistance(c.v, @q) OFFSET 2 LIMIT 4',
  'SELECT TOP 4 c.id FROM c WHERE c.n < 5 ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 2 c.id FROM c WHERE c.k = "a" ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 2 c.id FROM c WHERE REGEXMATCH(c.k, "A", "i") ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 3 VALUE c.v[0] FROM c ORDER BY VectorDistance(c.v, @q)',
  'SELECT TOP 5 c._rid, [{"item": VectorDistance(c.v, @q)}] AS orderByItems, {"id": c.id} AS payload FROM c ORDER BY VectorDistance(c.v, @q)',
] as const;

describe.skipIf(missing !== undefined)('vector indexes on a PostgreSQL with the extension vector', () => {
  test.each(['cosine', 'dotproduct', 'euclidean'] as const)(
    'of %s refuse no document, and lead to what the evaluator finds, wherever they miss nothing',
    async (distance) => {
      const database = await vectorDatabase();
      // One server sorts, which misses nothing, the other has to take the index, which in a graph as small as this finds all as well.
      const sorting = await database.open({}, '-c enable_indexscan=off');
      const definition = containerWith(3, distance, 'diskANN');
      const sorted = await storeOf(sorting, definition);
      await sorting.indexesReady();
      const indexing = await database.open({}, '-c enable_seqscan=off -c enable_sort=off -c enable_bitmapscan=off');
      const indexed = await indexing.container('d', 'c');
      const memory = await oracle(definition);
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyDocument, { minLength: 1, maxLength: MOST_DOCUMENTS }),
          fc.oneof(
            { weight: 6, arbitrary: fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.5, 1)) },
            { weight: 1, arbitrary: fc.constantFrom<JsonValue>([0, 0, 0], [1, 2], [1e20, 1, 1], [1e-200, 0, 0], 'text') },
          ),
          async (documents, q) => {
            round += 1;
            const bodies = documents.map(({ k, v, odd, n }, at) => ({
              id: `${round}-${at}`,
              k,
              n,
              ...(v === undefined ? {} : { v }),
              ...(odd && at % 5 === 0 ? { text: 'a\u0000' } : {}),
            }));
            try {
              await fill([sorted, memory], bodies as never);
              for (const query of QUERIES) {
                const wanted = await memory.explain(asked(query, q));
                const rows = await memory.query(asked(query, q)).toArray();
                const ids = (row: unknown): unknown => {
                  const { _rid: _, _self: __, _etag: ___, _ts: ____, ...own } = (typeof row === 'object' ? row : { row }) as JsonObject;
                  return own;
                };
                for (const store of [sorted, indexed]) {
                  expect((await store.query(asked(query, q)).toArray()).map(ids), query).toEqual(rows.map(ids));
                  const { requestUnits } = await store.explain(asked(query, q));
                  if (!query.includes('*') && !query.includes('_rid')) {
                    expect(requestUnits, query).toBe(wanted.requestUnits);
                  }
                }
              }
            } finally {
              for (const { id, k } of bodies) {
                await Promise.all([sorted.delete(id, k), memory.delete(id, k)]);
              }
              // Deleted vectors stay in the graph until then.
              await database.client.query('VACUUM p_1.c1');
            }
          },
        ),
        { numRuns: 25 },
      );
      await fill([sorted], [{ id: 'last', k: 'a', n: 1, v: [1, 2, 3] }]);
      const single = asked('SELECT TOP 1 c.id FROM c ORDER BY VectorDistance(c.v, @q)', [1, 1, 1]);
      expect((await indexed.explain(single)).access).toBe('index');
      expect((await sorted.explain(single)).access).toBe('container');
    },
    120_000,
  );

  test('are made in the background over what is there, told of, taken, and dropped with the policy', async () => {
    const database = await vectorDatabase();
    const backend = await database.open();
    const store = await storeOf(backend, containerWith(16, 'cosine', undefined));
    const memory = await oracle(containerWith(16, 'cosine', 'quantizedFlat'));
    const next = numbers(7);
    await fill(
      [store, memory],
      Array.from({ length: 2000 }, (_, n) => ({ id: `d${n}`, k: `k${n % 3}`, n, v: vectorOf(next, 16) })),
    );
    const query = 'SELECT TOP 10 c.id, VectorDistance(c.v, @q) AS s FROM c ORDER BY VectorDistance(c.v, @q)';
    const before = await store.explain(asked(query, vectorOf(next, 16)));
    expect([before.access, before.documentsScanned]).toEqual(['container', 2000]);
    const progress: IndexProgress[] = [];
    backend.onIndexProgress((event) => progress.push(event));
    await backend.replaceContainer('d', containerWith(16, 'cosine', 'quantizedFlat') as never);
    await backend.indexesReady();
    expect(progress.map(({ index, state }) => `${index} ${state}`)).toEqual(expect.arrayContaining(['/v building', '/v ready']));
    expect(await backend.indexStatus()).toEqual([
      { database: 'd', container: 'c', index: '/v', kind: 'vector', origin: 'policy', isReady: true },
    ]);
    let found = 0;
    for (let round = 0; round < 20; round += 1) {
      const q = vectorOf(next, 16);
      const rows = await store.query<{ id: string; s: number }>(asked(query, q)).toArray();
      const nearest = await memory.query<{ id: string; s: number }>(asked(query, q)).toArray();
      const scores = new Map(
        (await memory.query<{ id: string; v: number[] }>('SELECT c.id, c.v FROM c').toArray()).map(({ id, v }) => [
          id,
          vectorDistance(v, q, 'cosine'),
        ]),
      );
      // Whatever is missed: what is there is scored and sorted as the evaluator does.
      expect(rows.map(({ s }) => s)).toEqual(rows.map(({ id }) => scores.get(id)));
      expect(rows.map(({ s }) => s)).toEqual(rows.map(({ s }) => s).toSorted((a, b) => b - a));
      found += rows.filter(({ id }) => nearest.some((one) => one.id === id)).length;
    }
    expect(found).toBeGreaterThan(180);
    const explained = await store.explain(asked(query, vectorOf(next, 16)), { analyze: true });
    expect([explained.access, explained.documentsScanned, explained.measured?.indexes]).toEqual([
      'index',
      26,
      expect.arrayContaining(['/v']),
    ]);
    expect(JSON.stringify(explained.plan)).toContain('nearest vectors by HNSW');
    const forced = await store.explain(asked(query.replaceAll('@q)', '@q, true)'), vectorOf(next, 16)));
    expect([forced.access, forced.documentsScanned]).toEqual(['container', 2000]);
    // A filter that leaves fewer than the index can lead to is answered by all documents.
    const q = vectorOf(next, 16);
    const rare = 'SELECT TOP 10 c.id FROM c WHERE c.n >= 1993 ORDER BY VectorDistance(c.v, @q)';
    expect(await store.query(asked(rare, q)).toArray()).toEqual(await memory.query(asked(rare, q)).toArray());
    expect(JSON.stringify((await store.explain(asked(rare, q))).plan)).toContain('fewer vectors than are asked for');
    const often = 'SELECT TOP 5 c.id FROM c WHERE c.n >= 1990 ORDER BY VectorDistance(c.v, @q)';
    expect(await store.query(asked(often, q)).toArray()).toEqual(await memory.query(asked(often, q)).toArray());
    // Pages of any size make up the whole.
    const paged: unknown[] = [];
    for await (const page of store.query(asked(query, q), { maxItemCount: 3 }).pages()) {
      paged.push(...page.items);
    }
    expect(paged).toEqual(await store.query(asked(query, q)).toArray());
    await backend.replaceContainer('d', containerWith(16, 'cosine', undefined) as never);
    await backend.indexesReady();
    expect(await backend.indexStatus()).toEqual([]);
    expect((await store.explain(asked(query, q))).access).toBe('container');
  }, 60_000);

  test('are not made where the policy wants an exact answer, or the extension has none for so many dimensions', async () => {
    const database = await vectorDatabase();
    const backend = await database.open();
    await storeOf(backend, containerWith(3, 'cosine', 'flat'));
    await backend.createContainer('d', { ...containerWith(4001, 'cosine', 'diskANN'), id: 'wide' } as never);
    await backend.indexesReady();
    expect(await backend.indexStatus()).toEqual([]);
  });

  test('of more than 2,000 dimensions hold numbers of 2 bytes', async () => {
    const database = await vectorDatabase();
    const backend = await database.open();
    const definition = containerWith(3072, 'euclidean', 'diskANN', '/a/"odd\'?name"');
    const store = await storeOf(backend, definition);
    await backend.indexesReady();
    const next = numbers(3);
    const vectors = [vectorOf(next, 3072), vectorOf(next, 3072), [70_000, ...vectorOf(next, 3071)], [1e300, ...vectorOf(next, 3071)]];
    await fill(
      [store],
      vectors.map((vector, n) => ({ id: `d${n}`, k: 'k', a: { "odd'?name": vector } })),
    );
    const query = `SELECT TOP 2 c.id FROM c ORDER BY VectorDistance(c.a["odd'?name"], @q)`;
    expect(await store.query(asked(query, vectors[1] as number[])).toArray()).toEqual([{ id: 'd1' }, { id: 'd0' }]);
    expect((await backend.indexStatus()).map(({ index, isReady }) => [index, isReady])).toEqual([[`/a/"odd'?name"`, true]]);
    expect(await store.query(asked(query.replace('TOP 2', 'TOP 3'), vectors[1] as number[])).toArray()).toHaveLength(3);
  });

  test('follow the extension: dropped under an open store, and made again', async () => {
    const database = await vectorDatabase();
    const backend = await database.open({ sweepIntervalMs: 0 });
    const store = await storeOf(backend, containerWith(2, 'euclidean', 'diskANN'));
    await backend.indexesReady();
    await fill(
      [store],
      Array.from({ length: 50 }, (_, n) => ({ id: `d${n}`, k: 'k', v: [n, 0] })),
    );
    const query = 'SELECT TOP 2 c.id FROM c ORDER BY VectorDistance(c.v, @q)';
    const expected = [{ id: 'd7' }, { id: 'd8' }];
    const scanned = async (): Promise<number | undefined> => (await store.explain(asked(query, [7.1, 0]))).documentsScanned;
    expect(await store.query(asked(query, [7.1, 0])).toArray()).toEqual(expected);
    await database.client.query('DROP EXTENSION vector CASCADE');
    expect(await store.query(asked(query, [7.1, 0])).toArray()).toEqual(expected);
    expect(await scanned()).toBe(50);
    await store.create({ id: 'more', k: 'k', v: [7.1, 0] });
    await backend.indexesReady();
    expect(await backend.indexStatus()).toEqual([]);
    await database.client.query(`CREATE EXTENSION vector SCHEMA "${EXTENSION_SCHEMA}"`);
    await backend.indexesReady();
    expect(await backend.indexStatus()).toMatchObject([{ index: '/v', isReady: true }]);
    expect(await store.query(asked(query, [7.1, 0])).toArray()).toEqual([{ id: 'more' }, { id: 'd7' }]);
    expect((await store.explain(asked(query, [7.1, 0]))).plan).toMatchObject({ operation: 'limit' });
  });

  test('answer within a transaction, what it has written itself among it', async () => {
    const database = await vectorDatabase();
    const backend = await database.open({}, '-c enable_seqscan=off -c enable_sort=off -c enable_bitmapscan=off');
    const store = await storeOf(backend, containerWith(2, 'dotproduct', 'diskANN'));
    await backend.indexesReady();
    await fill(
      [store],
      Array.from({ length: 30 }, (_, n) => ({ id: `d${n}`, k: 'k', v: [n, 0] })),
    );
    const rows = await store.transact('k', async (transaction) => {
      await transaction.create({ id: 'new', k: 'k', v: [100, 0] });
      return transaction.query(asked('SELECT TOP 2 c.id FROM c ORDER BY VectorDistance(c.v, @q)', [1, 0]));
    });
    expect(rows).toEqual([{ id: 'new' }, { id: 'd29' }]);
  });
});
