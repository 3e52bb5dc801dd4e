import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import MultipleCiphers from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import {
  betterSqlite3Driver,
  changeStoreKey,
  encryptedDriver,
  openSqliteBackend,
  type BetterSqlite3Constructor,
  type SqliteBackend,
  type SqliteBackendOptions,
  type StoreKey,
} from '../../../src/stores/sqlite/index.ts';
import { get } from '../../../src/stores/sqlite/driver.ts';
import { SyncEngine } from '../../../src/sync/index.ts';

const SECRET = 'a very private sentence';
const KEY = new Uint8Array(32).map((_, index) => (index * 7) % 256);

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perigee-encrypted-'));
  path = join(folder, 'notes.db');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const open = (key: StoreKey, more: Partial<SqliteBackendOptions> = {}): Promise<SqliteBackend> =>
  openSqliteBackend({ path, driver: encryptedDriver({ key }), ...more });

async function fill(backend: SqliteBackend): Promise<void> {
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'notes', partitionKey: '/owner' });
  const notes = await backend.container('app', 'notes');
  await notes.create({ id: '1', owner: 'ada', text: SECRET });
}

async function textOf(backend: SqliteBackend): Promise<unknown> {
  return (await (await backend.container('app', 'notes')).read('1', 'ada'))?.document['text'];
}

/** Files that hold a text. */
const filesWith = (text: string): readonly string[] =>
  readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));

describe('an encrypted file', () => {
  test.each<[string, StoreKey, StoreKey]>([
    ['a passphrase', 'correct horse', 'wrong horse'],
    ['32 bytes', KEY, KEY.toReversed()],
  ])('has no plain text, nor have the files beside it, and opens with its key alone: %s', async (_name, key, other) => {
    const backend = await open(key);
    await fill(backend);
    expect(readdirSync(folder)).toContain('notes.db-wal');
    expect([...filesWith(SECRET), ...filesWith('CREATE TABLE'), ...filesWith('SQLite format')]).toEqual([]);
    expect(await backend.database.read(() => get<{ temp_store: number }>('PRAGMA temp_store'))).toEqual({ temp_store: 2 });
    await backend.close();
    expect(filesWith(SECRET)).toEqual([]);

    const before = readFileSync(path);
    const error: unknown = await open(other).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORE_KEY_WRONG', category: 'auth' });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('wrong horse');
    await expect(openSqliteBackend({ path })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(readFileSync(path).equals(before)).toBe(true);

    const again = await open(key);
    expect(await textOf(again)).toBe(SECRET);
    await again.close();
    const reader = await open(key, { readOnly: true });
    expect(await textOf(reader)).toBe(SECRET);
    await reader.close();
  });

  test('is asked for its key with each connection, by its path', async () => {
    const asked: string[] = [];
    const driver = encryptedDriver({
      key: async (of) => {
        asked.push(of);
        return KEY;
      },
    });
    const backend = await openSqliteBackend({ path, driver });
    await fill(backend);
    await backend.close();
    expect(new Set(asked)).toEqual(new Set([path]));
    const inMemory = await openSqliteBackend({ path: ':memory:', driver });
    await fill(inMemory);
    await inMemory.close();
    expect(asked).not.toContain(':memory:');
  });

  test('keeps what sync writes down, and a crash leaves nothing plain either', async () => {
    const cloud = openMemoryBackend();
    await cloud.createDatabase('app');
    await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
    const options = {
      user: 'ada',
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: (container: string) => cloud.container('app', container),
      localFields: { notes: ['/draft'] },
    };
    const backend = await open(KEY);
    const engine = await SyncEngine.open({ ...options, backend });
    await engine.store('notes').create({ id: '1', owner: 'ada', text: 'sent', draft: SECRET });
    await engine.sync();
    await engine.store('notes').patch('1', 'ada', [{ op: 'set', path: '/text', value: `${SECRET}, not sent` }]);
    // As a crash would leave it: the file and its log, while it is open.
    const crashed = join(folder, 'crashed.db');
    copyFileSync(path, crashed);
    copyFileSync(`${path}-wal`, `${crashed}-wal`);
    await engine.close();
    await backend.close();
    expect(filesWith(SECRET)).toEqual([]);
    const restored = await openSqliteBackend({ path: crashed, driver: encryptedDriver({ key: KEY }) });
    const second = await SyncEngine.open({ ...options, backend: restored });
    expect((await second.sync()).pushed).toBe(1);
    await second.close();
    await restored.close();
    await cloud.close();
  });

  test.each<[string, StoreKey | undefined, StoreKey | undefined]>([
    ['another key', 'old', KEY],
    ['a first key', undefined, 'new'],
    ['none', KEY, undefined],
  ])('gets %s', async (_name, from, to) => {
    // Locks of two builds in one process do not see each other, so plain files are opened with the same one.
    const plain = betterSqlite3Driver(MultipleCiphers as unknown as BetterSqlite3Constructor);
    const driverOf = (key: StoreKey | undefined): SqliteBackendOptions => ({
      path,
      driver: key === undefined ? plain : encryptedDriver({ key }),
    });
    const backend = await openSqliteBackend(driverOf(from));
    await fill(backend);
    await expect(changeStoreKey(path, { from, to })).rejects.toMatchObject({ code: 'STORE_BUSY' });
    await backend.close();
    await expect(changeStoreKey(path, { from: 'no key', to })).rejects.toMatchObject({ code: 'STORE_KEY_WRONG' });
    await changeStoreKey(path, { from, to });
    expect(filesWith(SECRET)).toEqual(to === undefined ? ['notes.db'] : []);
    const again = await openSqliteBackend(driverOf(to));
    expect(await textOf(again)).toBe(SECRET);
    await again.close();
    await expect(openSqliteBackend(driverOf(from ?? 'no key'))).rejects.toMatchObject({ code: 'STORE_KEY_WRONG' });
  });

  test('is not made by what is no key, or by a build that cannot encrypt', async () => {
    for (const key of ['', new Uint8Array(16), undefined as unknown as string]) {
      expect(() => encryptedDriver({ key })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
    }
    const module = BetterSqlite3 as unknown as BetterSqlite3Constructor;
    await expect(openSqliteBackend({ path, driver: encryptedDriver({ key: KEY, module }) })).rejects.toMatchObject({
      code: 'DRIVER_MISSING',
    });
    await expect(changeStoreKey(join(folder, 'none.db'), { from: KEY, to: 'new' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(join(folder, 'none.db'))).toBe(false);
  });
});

test('another build can be plugged in: its first statements come before any of the store', async () => {
  const opened: string[] = [];
  const driver = betterSqlite3Driver(undefined, {
    onOpen: (database, { path: of, readOnly }) => {
      // Has an effect only while the file is empty.
      database.prepare('PRAGMA page_size = 8192').run([]);
      opened.push(`${of} ${readOnly}`);
    },
  });
  const backend = await openSqliteBackend({ path, driver });
  await fill(backend);
  expect(await backend.database.read(() => get<{ page_size: number }>('PRAGMA page_size'))).toEqual({ page_size: 8192 });
  await backend.close();
  expect(opened).toContain(`${path} false`);
  const failing = betterSqlite3Driver(undefined, {
    onOpen: () => {
      throw new Error('no key');
    },
  });
  await expect(openSqliteBackend({ path, driver: failing })).rejects.toMatchObject({ code: 'INTERNAL' });
});
