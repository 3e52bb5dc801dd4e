import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { betterSqlite3Driver } from '../../../src/stores/sqlite/better-sqlite3-driver.ts';
import type { SqliteDriver } from '../../../src/stores/sqlite/driver.ts';
import { afterTest, newStore, openBackend } from './test-files.ts';

const HELD = 3000;

/** Some documents are odd: SQLite tells nothing of them. */
function documentOf(index: number): JsonObject & { readonly id: string } {
  return {
    id: `d${index}`,
    pk: 'p',
    n: index % 10,
    list: [1, index],
    filler: 'x'.repeat(300),
    ...(index % 1100 === 1099 ? { text: 'a\u0000b' } : {}),
  };
}

async function fill(store: DocumentStore): Promise<void> {
  await store.bulk(Array.from({ length: HELD }, (_, index) => ({ type: 'create' as const, document: documentOf(index) })));
}

/** A driver that counts the characters it gives. */
function countingDriver(): { readonly driver: SqliteDriver; readonly counts: { characters: number } } {
  const counts = { characters: 0 };
  const real = betterSqlite3Driver();
  const driver: SqliteDriver = {
    name: 'counting',
    async open(options) {
      const connection = await real.open(options);
      return {
        executeSync: undefined,
        async execute(step) {
          const result = await connection.execute(step);
          counts.characters += JSON.stringify(result ?? null).length;
          return result;
        },
        close: () => connection.close(),
      };
    },
  };
  return { driver, counts };
}

describe('OFFSET', () => {
  test.each([
    'SELECT VALUE c.id FROM c OFFSET 2500 LIMIT 7',
    'SELECT c.id FROM c OFFSET 2995 LIMIT 50',
    'SELECT c.id FROM c OFFSET 3000 LIMIT 1',
    'SELECT c.id FROM c OFFSET 7000 LIMIT 1',
    'SELECT c.id, c.text FROM c WHERE c.n > 4 OFFSET 1200 LIMIT 9',
    'SELECT c.id FROM c WHERE REVERSE(c.id) != "x" OFFSET 2000 LIMIT 3',
    'SELECT c.id FROM c JOIN x IN c.list OFFSET 2000 LIMIT 3',
    'SELECT DISTINCT c.n FROM c OFFSET 7 LIMIT 9',
  ])('%s gives the same on memory and SQLite, in pages of any size', async (text) => {
    const memory = openMemoryBackend();
    afterTest(() => memory.close());
    const [one, other] = [await newStore(memory), await newStore(await openBackend({ path: ':memory:' }))];
    await Promise.all([fill(one), fill(other)]);
    for (const maxItemCount of [2, 100]) {
      const [expected, found] = await Promise.all([one, other].map((store) => store.query(text, { maxItemCount }).toArray()));
      expect(found).toEqual(expected);
    }
  });

  test('counts the documents that it leaves out instead of reading them', async () => {
    const { driver, counts } = countingDriver();
    const store = await newStore(await openBackend({ path: ':memory:', driver }));
    await fill(store);
    counts.characters = 0;
    const page = await store.query('SELECT * FROM c OFFSET 2900 LIMIT 10', { maxItemCount: 10 }).nextPage();
    expect(page?.items).toHaveLength(10);
    expect(counts.characters).toBeLessThan(60_000);
    expect(page?.documentsScanned).toBeGreaterThanOrEqual(2910);
  });
});
