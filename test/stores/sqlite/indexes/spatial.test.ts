import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { boundingBox, boxAround } from '../../../../src/query/functions/spatial/bounding-box.ts';
import { distanceBetween } from '../../../../src/query/functions/spatial/distance.ts';
import { readGeometry } from '../../../../src/query/functions/spatial/read-geometry.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import type { QueryExplanation } from '../../../../src/store/query-explanation.ts';
import { betterSqlite3Driver } from '../../../../src/stores/sqlite/better-sqlite3-driver.ts';
import type { SqliteDriver, SqliteStep } from '../../../../src/stores/sqlite/driver.ts';
import type { SqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';
import { field, point, polygon, seed } from '../../../query/functions/spatial/shapes.ts';
import { placeCondition, placed, shape, SPATIAL_POLICY } from '../../spatial-queries.ts';
import { drivers, openBackend as open, temporaryFolder } from '../test-files.ts';

async function places(backend: SqliteBackend, indexingPolicy?: JsonObject): Promise<DocumentStore> {
  const id = indexingPolicy === undefined ? 'plain' : 'indexed';
  if ((await backend.readDatabase('app')) === undefined) {
    await backend.createDatabase('app');
  }
  await backend.createContainer('app', { id, partitionKey: '/pk', indexingPolicy });
  return backend.container('app', id);
}

async function accessOf(store: DocumentStore, where: string): Promise<QueryExplanation> {
  return store.explain(`SELECT * FROM c WHERE ${where}`);
}

describe('boxes', () => {
  test(`hold everything within a distance (PERIGEE_FUZZ_SEED=${seed})`, () => {
    let inside = 0;
    fc.assert(
      fc.property(shape, shape, fc.integer({ min: 0, max: 8_000_000 }), (first, second, most) => {
        const [one, other] = [readGeometry(first), readGeometry(second)];
        fc.pre(typeof one !== 'string' && typeof other !== 'string');
        const [box, otherBox] = [boundingBox(one), boundingBox(other)];
        fc.pre(box !== undefined && otherBox !== undefined);
        const distance = distanceBetween(one, other) as number;
        const around = boxAround(box, most);
        if (distance <= most && around !== undefined) {
          inside += 1;
          for (const axis of [0, 1, 2] as const) {
            expect(around.high[axis]).toBeGreaterThanOrEqual(otherBox.low[axis]);
            expect(around.low[axis]).toBeLessThanOrEqual(otherBox.high[axis]);
          }
        }
      }),
      { seed, numRuns: 400 },
    );
    expect(inside).toBeGreaterThan(25);
  });
});

describe('spatial indexes', () => {
  test(`give the rows that are found without them, through any writes (PERIGEE_FUZZ_SEED=${seed})`, { timeout: 60_000 }, async () => {
    const backend = await open({ path: ':memory:' });
    const stores = [await places(backend), await places(backend, SPATIAL_POLICY)];
    let served = 0;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(placed, { minLength: 1, maxLength: 8 }),
        fc.array(placed, { maxLength: 3 }),
        fc.array(placeCondition, { minLength: 4, maxLength: 8 }),
        shape,
        async (items, again, conditions, parameter) => {
          for (const store of stores) {
            await store.bulk(items.map((one, n) => ({ type: 'upsert' as const, document: { ...one, pk: 'a', id: String(n), n } })));
            await store.bulk(again.map((one, n) => ({ type: 'upsert' as const, document: { ...one, pk: 'a', id: String(n * 2), n } })));
            await store.bulk([{ type: 'delete' as const, id: '1', partitionKey: 'a' }]);
          }
          for (const where of conditions) {
            const query = { query: `SELECT VALUE c.id FROM c WHERE ${where}`, parameters: [{ name: '@shape', value: parameter }] };
            const [plain, indexed] = await Promise.all(stores.map((store) => store.query(query).toArray()));
            expect(indexed, `${where} ${JSON.stringify(parameter)}`).toEqual(plain);
            found += plain?.length ?? 0;
            served += (await stores[1]?.explain(query))?.access === 'index' ? 1 : 0;
          }
        },
      ),
      { seed, numRuns: 40 },
    );
    // The comparison would say nothing if the index were hardly used, or hardly anything found.
    expect(served).toBeGreaterThan(25);
    expect(found).toBeGreaterThan(100);
  });

  test('are what explain says', async () => {
    const store = await places(await open({ path: ':memory:' }), SPATIAL_POLICY);
    await store.bulk(
      Array.from({ length: 300 }, (_, n) => ({
        type: 'create' as const,
        document: { id: String(n), pk: 'a', place: point((n % 90) - 45, Math.floor(n / 90)) },
      })),
    );
    const here = JSON.stringify(point(0.2, 1.1));
    const near = await accessOf(store, `ST_DISTANCE(c.place, ${here}) < 100000`);
    expect(near.access).toBe('index');
    expect(near.indexes).toEqual(['spatial /place']);
    expect(near.text).toContain('spatial /place');
    expect(near.documentsScanned).toBeLessThan(10);
    for (const where of [
      `ST_WITHIN(c.place, ${JSON.stringify(polygon(field(-1, -1, 2, 2)))})`,
      `ST_INTERSECTS(${here}, c.place) OR ST_WITHIN(c.place, ${here})`,
    ]) {
      expect((await accessOf(store, where)).access, where).toBe('index');
    }
    for (const where of [
      `ST_DISTANCE(c.place, ${here}) > 100000`,
      `NOT ST_WITHIN(c.place, ${here})`,
      `ST_DISTANCE(c.elsewhere, ${here}) < 100000`,
      `ST_DISTANCE(c.place, c.other) < 100000`,
      `ST_INTERSECTS(c.place, ${here}) OR c.n = 1`,
    ]) {
      expect((await accessOf(store, where)).access, where).toBe('container');
    }
  });

  test('are not there without the module, and explain says so', async () => {
    const plain = betterSqlite3Driver();
    const driver: SqliteDriver = {
      name: 'without R-trees',
      open: async (options) => {
        const connection = await plain.open(options);
        const answer = (step: SqliteStep): SqliteStep => ({ ...step, sql: step.sql.replace("= 'rtree'", "= 'no such module'") });
        const { executeSync } = connection;
        return {
          executeSync: executeSync && ((step) => executeSync(answer(step))),
          execute: (step) => connection.execute(answer(step)),
          close: () => connection.close(),
        };
      },
    };
    const store = await places(await open({ path: ':memory:', driver }), SPATIAL_POLICY);
    await store.create({ id: '1', pk: 'a', place: point(1, 1) as unknown as JsonObject });
    const where = `ST_DISTANCE(c.place, ${JSON.stringify(point(1, 1))}) < 10`;
    expect(await store.query(`SELECT VALUE c.id FROM c WHERE ${where}`).toArray()).toEqual(['1']);
    const explanation = await accessOf(store, where);
    expect(explanation.access).toBe('container');
    expect(explanation.text).toContain('the spatial index of /place is not there, since this SQLite has no R-tree');
    expect((await accessOf(store, 'c.n = 1')).text).not.toContain('R-tree');
  });

  test.each(drivers)('are made for documents that are there, follow the policy, and outlive the store ($name)', async ({ driver }) => {
    const file = join(temporaryFolder(), 'store.db');
    const backend = await open({ path: file, driver: driver() });
    const store = await places(backend, {});
    await store.bulk(
      Array.from({ length: 450 }, (_, n) => ({
        type: 'create' as const,
        document: { id: String(n), pk: 'a', place: n % 9 === 0 ? point(179.99, n / 10) : point(0, 0) },
      })),
    );
    const where = `ST_INTERSECTS(c.place, ${JSON.stringify(polygon(field(179, -1, -179, 60)))})`;
    const query = `SELECT VALUE c.id FROM c WHERE ${where}`;
    const before = await store.query<string>(query).toArray();
    expect(before.length).toBeGreaterThan(40);
    await backend.replaceContainer('app', { id: 'indexed', partitionKey: '/pk', indexingPolicy: SPATIAL_POLICY });
    await backend.indexesReady();
    const again = await backend.container('app', 'indexed');
    expect(await again.query(query).toArray()).toEqual(before);
    expect((await accessOf(again, where)).access).toBe('index');
    await again.delete('0', 'a');
    await backend.close();

    const reopened = await open({ path: file, driver: driver() });
    const last = await reopened.container('app', 'indexed');
    expect(await last.query<string>(query).toArray()).toEqual(before.filter((id) => id !== '0'));
    expect((await accessOf(last, where)).access).toBe('index');
    await reopened.replaceContainer('app', { id: 'indexed', partitionKey: '/pk', indexingPolicy: {} });
    expect((await accessOf(await reopened.container('app', 'indexed'), where)).access).toBe('container');
  });
});
