import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawDatabase as Database } from '../../support/raw-database.ts';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-codes.ts';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { SqliteDatabase } from '../../../src/stores/sqlite/sqlite-database.ts';
import { betterSqlite3Driver } from '../../../src/stores/sqlite/better-sqlite3-driver.ts';
import { all, run } from '../../../src/stores/sqlite/driver.ts';
import { MIGRATIONS, type Migration } from '../../../src/stores/sqlite/schema.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { drivers, newStore, openBackend, temporaryFolder } from './test-files.ts';

/** Opens a file, expects a refusal, and that no byte changed. */
async function expectRefused(path: string, code: ErrorCode): Promise<void> {
  const before = readFileSync(path);
  for (const { driver } of drivers) {
    await expect(openSqliteBackend({ path, driver: driver() })).rejects.toSatisfy((error) => isPerigeeError(error, code));
  }
  expect(readFileSync(path).equals(before)).toBe(true);
}

/** A closed store with some documents. */
async function storeFile(): Promise<string> {
  const path = join(temporaryFolder(), 'store.db');
  const backend = await openBackend({ path });
  const store = await newStore(backend);
  await store.bulk(
    Array.from({ length: 500 }, (_, index) => ({ type: 'create', document: { id: `d${index}`, pk: 'p', text: 'x'.repeat(300) } })),
  );
  await backend.close();
  return path;
}

/** A closed database of another program. */
function otherDatabase(mode: string): string {
  const path = join(temporaryFolder(), 'other.db');
  const other = new Database(path);
  other.pragma(`journal_mode = ${mode}`);
  other.exec('CREATE TABLE people (name TEXT)');
  other.close();
  return path;
}

/** A copy of a closed file and its journal, taken while a writer without a log has changed half of what it wants to. */
function killedWhileWriting(path: string): string {
  const killed = join(temporaryFolder(), 'killed.db');
  const writer = new Database(path);
  writer.pragma('cache_size = 2');
  writer.exec('BEGIN; CREATE TABLE half (done TEXT)');
  for (let row = 0; row < 50; row += 1) {
    writer.prepare('INSERT INTO half VALUES (randomblob(3000))').run();
  }
  copyFileSync(path, killed);
  copyFileSync(`${path}-journal`, `${killed}-journal`);
  writer.exec('ROLLBACK');
  writer.close();
  return killed;
}

describe('a store whose process was killed while the write-ahead log was begun or ended', () => {
  for (const { name, driver } of drivers) {
    test(`is opened as it was before (${name})`, async () => {
      const backend = await openBackend({ path: killedWhileWriting(await storeFile()), driver: driver() });
      const store = await backend.container('test', 'items');
      expect(await store.query('SELECT VALUE COUNT(1) FROM c').nextPage()).toMatchObject({ items: [500] });
      await store.create({ id: 'after', pk: 'p' });
    });
  }
});

describe('a file that is not a store', () => {
  test('any other content is refused and left as it was', async () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'These are notes and no database. '.repeat(500));
    await expectRefused(path, 'STORE_CORRUPT');
  });

  test('a store that was cut off is refused and left as it was', async () => {
    const path = await storeFile();
    truncateSync(path, 8192);
    await expectRefused(path, 'STORE_CORRUPT');
  });

  test('a store whose first page is damaged is refused and left as it was', async () => {
    const path = await storeFile();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 100, 4096);
    writeFileSync(path, bytes);
    await expectRefused(path, 'STORE_CORRUPT');
  });

  for (const mode of ['delete', 'wal']) {
    test(`a database of another program in journal mode ${mode} is refused and left as it was`, async () => {
      const path = otherDatabase(mode);
      await expectRefused(path, 'STORE_CORRUPT');
      const again = new Database(path);
      expect(again.pragma('journal_mode', { simple: true })).toBe(mode);
      again.close();
    });
  }

  test('a newer store is refused and left as it was', async () => {
    const path = await storeFile();
    const raw = new Database(path);
    raw.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    raw.close();
    await expectRefused(path, 'STORE_TOO_NEW');
  });

  test('a database of another program that was killed while it wrote is refused as that program will find it', async () => {
    const path = killedWhileWriting(otherDatabase('delete'));
    await expect(openSqliteBackend({ path })).rejects.toSatisfy((error) => isPerigeeError(error, 'STORE_CORRUPT'));
    const again = new Database(path);
    expect(again.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(again.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(again.prepare('SELECT name FROM sqlite_master').pluck().all()).toEqual(['people']);
    again.close();
  });

  test('damage in the middle is reported by the call that meets it', async () => {
    const path = await storeFile();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 15 * 4096, bytes.length - 4096);
    writeFileSync(path, bytes);
    const store = await (await openBackend({ path })).container('test', 'items');
    await expect(store.changes({ maxItemCount: 1000 }).nextPage()).rejects.toSatisfy((error) => isPerigeeError(error, 'STORE_CORRUPT'));
  });

  test('an empty file becomes a store', async () => {
    const path = join(temporaryFolder(), 'empty.db');
    writeFileSync(path, '');
    await (await newStore(await openBackend({ path }))).create({ id: 'a', pk: 'p' });
  });
});

describe('a path that cannot be written', () => {
  for (const { name, driver } of drivers) {
    test(`a missing folder, and a folder in place of the file (${name})`, async () => {
      const folder = temporaryFolder();
      for (const path of [join(folder, 'missing', 'store.db'), folder]) {
        await expect(openSqliteBackend({ path, driver: driver() })).rejects.toSatisfy((error) => isPerigeeError(error, 'STORE_READ_ONLY'));
      }
    });
  }

  /** Opens the path in a process without privileges and gives the code of the refusal. */
  function openUnprivileged(path: string): string {
    const program = fileURLToPath(new URL('programs/open-unprivileged.ts', import.meta.url));
    const child = spawnSync(process.execPath, ['--import', 'tsx', program, path], {
      encoding: 'utf8',
      env: { ...process.env, HOME: '/tmp' },
    });
    return child.status === 0 ? child.stdout.trim() : `exit ${child.status}: ${child.stderr}`;
  }

  test('a read-only file and an unwritable folder', async () => {
    const path = await storeFile();
    const folder = join(path, '..');
    const before = readFileSync(path);
    chmodSync(folder, 0o777);
    chmodSync(path, 0o444);
    expect(openUnprivileged(path)).toBe('STORE_READ_ONLY');
    chmodSync(path, 0o666);
    chmodSync(folder, 0o555);
    expect(openUnprivileged(path)).toBe('STORE_READ_ONLY');
    expect(openUnprivileged(join(folder, 'new.db'))).toBe('STORE_READ_ONLY');
    chmodSync(folder, 0o755);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(['store.db']);
  });

  test('a folder that cannot be entered', () => {
    const folder = join(temporaryFolder(), 'closed');
    mkdirSync(folder, { mode: 0o000 });
    if (process.getuid?.() === 0) {
      chownSync(folder, 0, 0);
    }
    expect(openUnprivileged(join(folder, 'store.db'))).toBe('STORE_READ_ONLY');
    chmodSync(folder, 0o700);
  });
});

describe('schema versions', () => {
  const settings = { driver: betterSqlite3Driver(), runtime: systemRuntime, synchronous: 'normal', busyTimeoutMs: 1000 } as const;
  const addNotes: Migration = function* () {
    yield* run('CREATE TABLE notes (text TEXT)');
    yield* run("INSERT INTO notes SELECT 'container ' || id FROM containers");
  };

  test('an older file is brought forward, keeps its data, and stays there', async () => {
    const path = await storeFile();
    const newer = [...MIGRATIONS, addNotes];
    for (let round = 0; round < 2; round += 1) {
      const database = await SqliteDatabase.open({ ...settings, path, migrations: newer });
      expect(await database.read(() => all('SELECT text FROM notes'))).toEqual([{ text: 'container items' }]);
      expect(await database.read(() => all('PRAGMA user_version'))).toEqual([{ user_version: newer.length }]);
      await database.close();
    }
    await expectRefused(path, 'STORE_TOO_NEW');
  });

  test('a step that fails leaves the file at its old version with all its data', async () => {
    const path = await storeFile();
    const broken: Migration = function* () {
      yield* run('DROP TABLE databases');
      yield* run('INSERT INTO nowhere VALUES (1)');
    };
    await expect(SqliteDatabase.open({ ...settings, path, migrations: [...MIGRATIONS, broken] })).rejects.toThrow();
    const store = await (await openBackend({ path })).container('test', 'items');
    expect((await store.read('d7', 'p'))?.document.id).toBe('d7');
  });

  test('parts of the system keep tables of their own, with a version of their own', async () => {
    const path = await storeFile();
    const first: Migration = () => run('CREATE TABLE outbox (n INTEGER)') as never;
    const second: Migration = () => run('ALTER TABLE outbox ADD COLUMN attempts INTEGER') as never;
    const database = await SqliteDatabase.open({ ...settings, path });
    await database.ensureTables('sync', [first]);
    await database.ensureTables('sync', [first, second]);
    await database.write(() => run('INSERT INTO outbox VALUES (1, 2)'));
    await expect(database.ensureTables('sync', [first])).rejects.toSatisfy((error) => isPerigeeError(error, 'STORE_TOO_NEW'));
    await database.close();
  });
});
