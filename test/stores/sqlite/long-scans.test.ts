import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemRuntime } from '../../../src/core/runtime.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { drivers, newStore, openBackend, temporaryFolder } from './test-files.ts';

const COUNT = 30_000;

/** A turn of the event loop: calls on a driver that answers at once would keep all others from theirs. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function largeStore(driver: () => Parameters<typeof openBackend>[0]['driver']): Promise<DocumentStore> {
  const backend = await openBackend({ path: join(temporaryFolder(), 'store.db'), driver: driver() });
  const store = await newStore(backend);
  await store.bulk(
    Array.from({ length: COUNT }, (_, index) => ({ type: 'create', document: { id: `d${index}`, pk: `p${index % 50}`, n: index } })),
  );
  return store;
}

for (const { name, driver } of drivers) {
  describe(`a long scan over ${name}`, () => {
    test('lets other calls through many times before it ends, and can be aborted in the middle', { timeout: 60_000 }, async () => {
      const store = await largeStore(driver);
      // SQLite does not hold system properties as part of the document, so every one comes to the evaluator.
      const query = 'SELECT VALUE COUNT(1) FROM c WHERE IS_STRING(c._etag) AND c.pk != "other"';
      let others = 0;
      let scanning = true;
      const scan = store
        .query(query)
        .toArray()
        .finally(() => {
          scanning = false;
        });
      while (scanning) {
        await store.read('d7', 'p7');
        await store.upsert({ id: 'busy', pk: 'other', n: others });
        others += 1;
        await turn();
      }
      expect(await scan).toEqual([COUNT]);
      expect(others).toBeGreaterThan(10);

      const abort = new AbortController();
      const aborted = store.query(query, { signal: abort.signal }).toArray();
      await turn();
      abort.abort(new Error('no longer wanted'));
      await expect(aborted).rejects.toThrow('no longer wanted');
    });

    test('a filter that keeps nothing is no exception', { timeout: 60_000 }, async () => {
      const store = await largeStore(driver);
      let others = 0;
      let scanning = true;
      const scan = store
        .query('SELECT * FROM c WHERE c.n < 0')
        .toArray()
        .finally(() => {
          scanning = false;
        });
      while (scanning) {
        await store.read('d7', 'p7');
        others += 1;
        await turn();
      }
      expect(await scan).toEqual([]);
      expect(others).toBeGreaterThan(5);
    });
  });
}

describe('what a query reads', () => {
  test('is narrowed by partition key and id, and explain says so', async () => {
    const store = await largeStore(() => 'better-sqlite3');
    const cases = [
      ['SELECT * FROM c WHERE c.pk = "p3" AND c.id = "d53"', 'point', 1, 1],
      ['SELECT * FROM c WHERE c.pk IN ("p3", "p4") AND c.n < 100', 'partition', 4, undefined],
      ['SELECT * FROM c WHERE c.n = 5', 'container', 1, undefined],
      ['SELECT * FROM c WHERE c.pk = "p3" AND c.pk = "p4"', 'point', 0, 0],
      ['SELECT * FROM c WHERE c.id = 7', 'point', 0, 0],
    ] as const;
    for (const [query, access, itemsReturned, documentsScanned] of cases) {
      const explained = await store.explain(query);
      expect(explained).toMatchObject({ access, itemsReturned, ...(documentsScanned === undefined ? {} : { documentsScanned }) });
    }
    const inOne = await store.explain('SELECT VALUE c.n FROM c WHERE c.n >= 0', { partitionKey: 'p3' });
    expect(inOne).toMatchObject({ access: 'partition', itemsReturned: COUNT / 50 });
    // A page looks one document ahead to tell whether there is more.
    expect(inOne.documentsScanned).toBeLessThan((COUNT / 50) * 1.2);
  });

  test('of many partition keys comes in creation order, however they are looked up', async () => {
    const store = await largeStore(() => 'better-sqlite3');
    for (const count of [2, 49, 50, 51]) {
      const keys = Array.from({ length: count }, (_, index) => `p${count - 1 - index}`);
      const items = await store
        .query<number>({
          query: 'SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(@keys, c.pk) AND c.n < 500',
          parameters: [{ name: '@keys', value: keys }],
        })
        .toArray();
      const listed = await store
        .query<number>(`SELECT VALUE c.n FROM c WHERE c.pk IN (${keys.map((key) => JSON.stringify(key)).join()}) AND c.n < 500`)
        .toArray();
      const expected = Array.from({ length: 500 }, (_, index) => index).filter((index) => index % 50 < count);
      expect(listed).toEqual(expected);
      expect(items).toEqual(expected);
    }
  });
});

test(
  'a query that scans on for long ends with CLOSED when its store closes; the memory store does the same',
  { timeout: 60_000 },
  async () => {
    let tickMs = 0;
    // Every look at the clock finds it far ahead, so any scan that goes on counts as long.
    const runtime = { ...systemRuntime, monotonicMs: () => (tickMs += 1000) };
    const memory = openMemoryBackend({ runtime });
    for (const backend of [await openBackend({ path: join(temporaryFolder(), 'store.db'), runtime }), memory]) {
      const store = await newStore(backend);
      await store.bulk(Array.from({ length: COUNT }, (_, index) => ({ type: 'create', document: { id: `d${index}`, pk: 'p', n: index } })));
      const scan = store.query('SELECT VALUE COUNT(1) FROM c WHERE IS_STRING(c._etag)').toArray();
      const refused = expect(scan).rejects.toMatchObject({ code: 'CLOSED' });
      await turn();
      await store.close();
      await refused;
    }
    await memory.close();
  },
);
