import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/memory-backend.ts';
import { openForcedPostgres, openFreshPostgres } from '../../../support/open-postgres.ts';
import { field, point, polygon, seed } from '../../../query/functions/spatial/shapes.ts';
import { placeCondition, placed, shape, SPATIAL_POLICY } from '../../spatial-queries.ts';

async function placesIn(backend: Backend): Promise<DocumentStore> {
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'places', partitionKey: '/pk', indexingPolicy: SPATIAL_POLICY });
  return backend.container('app', 'places');
}

describe(`queries over indexes of places (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const backends: Backend[] = [];
  let stores: readonly DocumentStore[] = [];
  beforeAll(async () => {
    backends.push(openMemoryBackend(), await openForcedPostgres('-c enable_seqscan=off -c enable_indexscan=off'));
    stores = await Promise.all(backends.map(placesIn));
  });
  afterAll(() => Promise.all(backends.map((backend) => backend.close())));

  test('give what the evaluator gives, in its order, through any writes', { timeout: 120_000 }, async () => {
    const postgres = stores[1] as DocumentStore;
    let served = 0;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(placed, { minLength: 1, maxLength: 8 }),
        fc.array(placed, { maxLength: 3 }),
        fc.array(placeCondition, { minLength: 4, maxLength: 8 }),
        shape,
        async (items, again, conditions, parameter) => {
          // PostgreSQL can be told nothing of a document with U+0000: it is read besides.
          const odd = { ...items[0], pk: 'a', id: 'odd', n: 3, text: '\u0000' };
          for (const store of stores) {
            await store.bulk(
              [...items.map((one, n) => ({ ...one, pk: 'a', id: String(n), n })), odd].map((document) => ({ type: 'upsert', document })),
            );
            await store.bulk(again.map((one, n) => ({ type: 'upsert', document: { ...one, pk: 'a', id: String(n * 2), n } })));
            await store.bulk([{ type: 'delete', id: '1', partitionKey: 'a' }]);
          }
          for (const where of conditions) {
            const query = { query: `SELECT VALUE c.id FROM c WHERE ${where}`, parameters: [{ name: '@shape', value: parameter }] };
            const [expected, indexed] = await Promise.all(stores.map((store) => store.query(query).toArray()));
            expect(indexed, `${where} ${JSON.stringify(parameter)}`).toEqual(expected);
            found += expected?.length ?? 0;
            served += (await postgres.explain(query)).indexes.some((index) => index.startsWith('spatial ')) ? 1 : 0;
          }
        },
      ),
      { seed, numRuns: 25 },
    );
    expect(served).toBeGreaterThan(25);
    expect(found).toBeGreaterThan(100);
  });
});

describe('an index of places', () => {
  let backend: Backend;
  let store: DocumentStore;
  beforeAll(async () => {
    backend = await openFreshPostgres();
    store = await placesIn(backend);
    const documents = Array.from({ length: 3000 }, (_, n) => ({
      id: String(n),
      pk: 'a',
      n,
      place: point((n % 90) - 45, Math.floor(n / 90)),
    }));
    const { outcomes } = await store.bulk(documents.map((document) => ({ type: 'create', document })));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  });
  afterAll(() => backend.close());

  const here = JSON.stringify(point(0.2, 1.1));
  test.each<readonly [where: string, rows: number]>([
    [`ST_DISTANCE(c.place, ${here}) < 50000`, 1],
    [`50000 >= ST_DISTANCE(${here}, c.place)`, 1],
    [`ST_WITHIN(c.place, ${JSON.stringify(polygon(field(-1.5, -1, 2.5, 2.5)))})`, 12],
    [`ST_INTERSECTS(${here}, c.place) OR ST_WITHIN(c.place, ${JSON.stringify(polygon(field(-1.5, -1, 2.5, 2.5)))})`, 12],
    [`c.n > 100 AND (ST_DISTANCE(c.place, ${here}) BETWEEN 0 AND 50000)`, 1],
  ])('is taken for %s', async (where, rows) => {
    const query = `SELECT * FROM c WHERE ${where}`;
    expect(await store.query(query).toArray()).toHaveLength(rows);
    const { access, indexes, documentsScanned, text } = await store.explain(query);
    expect([access, indexes]).toEqual(['index', ['spatial /place']]);
    expect(documentsScanned).toBeLessThan(30);
    expect(text).toContain('spatial /place: what lies near');
  });

  test.each([
    `ST_DISTANCE(c.place, ${here}) > 100000`,
    `NOT ST_WITHIN(c.place, ${here})`,
    `ST_DISTANCE(c.elsewhere, ${here}) < 100000`,
    `ST_DISTANCE(c.place, c.other) < 100000`,
    `ST_INTERSECTS(c.place, ${here}) OR c.n = 1`,
  ])('is of no use for %s', async (where) => {
    expect((await store.explain(`SELECT * FROM c WHERE ${where}`)).indexes).toEqual([]);
  });
});
