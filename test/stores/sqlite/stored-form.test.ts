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
import { BACK_TO_VERSION_3, newStore, openBackend, temporaryFolder } from './test-files.ts';

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
    raw.exec(`${BACK_TO_VERSION_3} UPDATE ${table} SET body = json(body); PRAGMA user_version = 1`);
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

  test('long and odd documents among many short ones, and gaps between ordinals, change no answer', async () => {
    const store = await newStore(await openBackend({ path: ':memory:' }));
    const documentOf = (index: number) => ({
      id: `d${index}`,
      pk: 'p',
      n: index % 7,
      text: index % 400 === 399 ? 'long '.repeat(20_000) : index % 301 === 300 ? 'odd\u0000' : 'short',
    });
    const all = Array.from({ length: 1500 }, (_, index) => documentOf(index));
    await store.bulk(all.map((document) => ({ type: 'create' as const, document })));
    const gone = (index: number): boolean => index >= 300 && index < 1200 && index % 50 !== 0 && index % 400 !== 399;
    await store.bulk(all.filter((_, index) => gone(index)).map(({ id }) => ({ type: 'delete' as const, id, partitionKey: 'p' })));
    const kept = all.filter((_, index) => !gone(index));
    const ask = (query: string) => store.query(query, { maxItemCount: 1000 }).toArray();
    expect(await ask('SELECT VALUE c.id FROM c')).toEqual(kept.map(({ id }) => id));
    expect(await ask('SELECT VALUE c.text FROM c WHERE c.n = 3')).toEqual(kept.filter(({ n }) => n === 3).map(({ text }) => text));
    expect((await ask('SELECT * FROM c WHERE c.n > 3')).map((document) => (document as { id: string }).id)).toEqual(
      kept.filter(({ n }) => n > 3).map(({ id }) => id),
    );
    expect(await ask('SELECT c.n, COUNT(1) AS count FROM c GROUP BY c.n')).toEqual(
      [...new Set(kept.map(({ n }) => n))].map((n) => ({ n, count: kept.filter((document) => document.n === n).length })),
    );
    expect(await ask('SELECT VALUE c.id FROM c WHERE c.n < 5 OFFSET 200 LIMIT 30')).toEqual(
      kept
        .filter(({ n }) => n < 5)
        .slice(200, 230)
        .map(({ id }) => id),
    );
    expect(await ask('SELECT VALUE COUNT(1) FROM c')).toEqual([kept.length]);
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
