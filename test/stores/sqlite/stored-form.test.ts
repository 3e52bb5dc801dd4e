import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { betterSqlite3Driver } from '../../../src/stores/sqlite/better-sqlite3-driver.ts';
import type { SqliteDriver } from '../../../src/stores/sqlite/driver.ts';
import { SqliteDatabase } from '../../../src/stores/sqlite/sqlite-database.ts';
import { RawDatabase as Database } from '../../support/raw-database.ts';
import { arbitraryBody } from '../../query/compile/arbitrary-document.ts';
import { newStore, openBackend, temporaryFolder } from './test-files.ts';

const SEED = 20_261_121;

/** The documents of a file past the store. */
function rowsOf(path: string): { readonly id: string; readonly type: string }[] {
  const raw = new Database(path, { readonly: true });
  try {
    const table = raw.prepare("SELECT 'c' || number FROM containers WHERE id = 'items'").pluck().get() as string;
    return raw.prepare(`SELECT id, typeof(body) AS type FROM ${table} ORDER BY ordinal`).all() as { id: string; type: string }[];
  } finally {
    raw.close();
  }
}

describe('the stored form', () => {
  test('gives back every document byte by byte', async () => {
    const raw = new Database(':memory:');
    const echo = raw.prepare('SELECT json(jsonb(?))').pluck();
    const anyJson = fc.oneof(
      fc.json({ stringUnit: 'binary', maxDepth: 8 }).map((text) => JSON.stringify(JSON.parse(text))),
      arbitraryBody.map((body) => JSON.stringify(body)),
    );
    fc.assert(
      fc.property(anyJson, (text) => {
        expect(echo.get(text)).toBe(text);
      }),
      { seed: SEED, numRuns: 3000 },
    );
    for (let unit = 0; unit <= 0xffff; unit += unit === 0xd7ff ? 0x801 : 1) {
      const text = JSON.stringify({ [`k${String.fromCharCode(unit)}`]: `${String.fromCharCode(unit)}x` });
      if (echo.get(text) !== text) {
        expect(echo.get(text)).toBe(text);
      }
    }
    const deepest = `${'['.repeat(128)}1e21${']'.repeat(128)}`;
    expect(echo.get(deepest)).toBe(deepest);
    raw.close();
  });

  test('is JSONB, and text only where an escaped NUL makes a document odd', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const backend = await openBackend({ path });
    const store = await newStore(backend);
    await store.create({ id: 'plain', pk: 'p', a: 1 });
    await store.create({ id: 'odd', pk: 'p', a: 'x\u0000y' });
    await store.create({ id: 'was odd', pk: 'p', a: '\u0000' });
    await store.upsert({ id: 'was odd', pk: 'p', a: 2 });
    await store.create({ id: 'becomes odd', pk: 'p' });
    await store.patch('becomes odd', 'p', [{ op: 'set', path: '/a', value: '\u0000' }]);
    expect(rowsOf(path)).toEqual([
      { id: 'plain', type: 'blob' },
      { id: 'odd', type: 'text' },
      { id: 'was odd', type: 'blob' },
      { id: 'becomes odd', type: 'text' },
    ]);
    expect((await store.read('odd', 'p'))?.document['a']).toBe('x\u0000y');
    expect(await store.query('SELECT VALUE c.id FROM c WHERE LENGTH(c.a) = 3').toArray()).toEqual(['odd']);
  });

  test('may be the text of an early version, which is read, queried and written like all others', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const first = await openBackend({ path });
    const items = await newStore(first);
    const documents: JsonObject[] = [{ a: 1 }, { a: 'x' }, { a: 'x\u0000y' }, { a: [1e21, null] }, {}];
    for (const [index, document] of documents.entries()) {
      await items.create({ id: `d${index}`, pk: 'p', ...document });
    }
    await first.close();
    const raw = new Database(path);
    const table = raw.prepare("SELECT 'c' || number FROM containers WHERE id = 'items'").pluck().get() as string;
    raw.exec(`UPDATE ${table} SET body = json(body); PRAGMA user_version = 1`);
    raw.close();
    expect(rowsOf(path).map(({ type }) => type)).toEqual(documents.map(() => 'text'));

    const second = await openBackend({ path });
    const store = await second.container('test', 'items');
    const ask = (query: string) => store.query(query).toArray();
    expect(await ask('SELECT VALUE c.a FROM c')).toEqual([1, 'x', 'x\u0000y', [1e21, null]]);
    expect(await ask('SELECT VALUE c.id FROM c WHERE c.a = 1 OR c.a = "x"')).toEqual(['d0', 'd1']);
    expect(await ask('SELECT VALUE COUNT(c.a) FROM c')).toEqual([4]);
    const changes = [];
    for await (const { document } of store.changes()) {
      changes.push(document?.['a']);
    }
    expect(changes).toEqual([1, 'x', 'x\u0000y', [1e21, null], undefined]);
    await store.upsert({ id: 'd1', pk: 'p', a: 'x' });
    expect(rowsOf(path)[1]).toEqual({ id: 'd1', type: 'blob' });
    expect(await ask('SELECT VALUE c.id FROM c WHERE c.a = "x"')).toEqual(['d1']);
  });

  test('needs SQLite 3.45, and an older one is refused before it writes', async () => {
    const written: string[] = [];
    const real = betterSqlite3Driver();
    const old = (version: string): SqliteDriver => ({
      name: 'antique',
      open: async (options) => {
        const connection = await real.open(options);
        return {
          executeSync: undefined,
          execute(step) {
            written.push(step.sql);
            return step.sql.includes('sqlite_version()') ? Promise.resolve({ version }) : connection.execute(step);
          },
          close: () => connection.close(),
        };
      },
    });
    const open = (version: string) =>
      SqliteDatabase.open({ path: ':memory:', driver: old(version), runtime: systemRuntime, synchronous: 'normal', busyTimeoutMs: 100 });
    await expect(open('3.44.2')).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      message: expect.stringContaining('"antique": it brings SQLite 3.44.2, and 3.45 or newer') as string,
    });
    expect(written).toEqual(['SELECT sqlite_version() AS version']);
    for (const version of ['3.45.0', '3.100', '4.0.1']) {
      await (await open(version)).close();
    }
  });
});
