import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SnapshotRecord } from '../../../src/store/snapshot/snapshot-record.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { MIGRATIONS } from '../../../src/stores/sqlite/schema.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { RawDatabase } from '../../support/raw-database.ts';
import { afterTest, BACK_TO_VERSION_3, drivers, newStore, openBackend, temporaryFolder } from './test-files.ts';

/** A closed store with documents a, b and c. */
async function storeFile(folder = temporaryFolder()): Promise<string> {
  const path = join(folder, 'store.db');
  const backend = await openSqliteBackend({ path });
  const store = await newStore(backend);
  for (const id of ['a', 'b', 'c']) {
    await store.create({ id, pk: 'p', n: 1 });
  }
  await backend.close();
  return path;
}

/** Every file of a folder with its content and its time. */
function contentOf(folder: string): readonly (readonly [string, string, number])[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => [name, readFileSync(join(folder, name)).toString('base64'), statSync(join(folder, name)).mtimeMs]);
}

function copiesLeft(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => /^perigee-[a-zA-Z0-9]{6}$/u.test(name));
}

/** What a process without privileges reads, or the code of its refusal. */
function readUnprivileged(path: string): string {
  const program = fileURLToPath(new URL('programs/read-unprivileged.ts', import.meta.url));
  const child = spawnSync(process.execPath, ['--import', 'tsx', program, path], {
    encoding: 'utf8',
    env: { ...process.env, HOME: '/tmp' },
  });
  return child.status === 0 ? child.stdout.trim() : `exit ${child.status}: ${child.stderr}`;
}

/** Leaves a log with writes beside the file, as a writer that is killed does. */
async function leaveLog(path: string): Promise<void> {
  const writer = fileURLToPath(new URL('programs/write-documents.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', writer, path, 'k', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  afterTest(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve) => {
    let lines = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      lines += chunk.toString().split('\n').length - 1;
      if (lines > 20) {
        child.kill('SIGKILL');
        resolve();
      }
    });
  });
  await new Promise((resolve) => child.on('close', resolve));
  expect(existsSync(`${path}-wal`)).toBe(true);
}

for (const { name, driver } of drivers) {
  describe(`a store that is opened to read only over ${name}`, () => {
    test('reads everything, refuses every write, and leaves the folder as it was', async () => {
      const path = await storeFile();
      const before = contentOf(dirname(path));
      const backend = await openBackend({ path, readOnly: true, driver: driver() });
      const store = await backend.container('test', 'items');
      expect((await store.read('a', 'p'))?.document['n']).toBe(1);
      expect((await store.readMany([{ id: 'b', partitionKey: 'p' }])).documents[0]?.id).toBe('b');
      expect(await store.query('SELECT VALUE COUNT(1) FROM c WHERE c.n = 1').toArray()).toEqual([3]);
      expect((await store.changes().nextPage()).changes).toHaveLength(3);
      expect(await backend.listDatabases()).toHaveLength(1);
      expect((await store.explain('SELECT * FROM c')).requestUnits).toBeGreaterThan(0);
      await backend.flush();
      await backend.indexesReady();
      const records: SnapshotRecord[] = [];
      for await (const record of backend.snapshot()) {
        records.push(record);
      }
      expect(records).toHaveLength(7);
      const document = { id: 'new', pk: 'p' };
      for (const write of [
        () => store.create(document),
        () => store.upsert(document),
        () => store.replace({ ...document, id: 'a' }),
        () => store.patch('a', 'p', [{ op: 'set', path: '/n', value: 2 }]),
        () => store.delete('a', 'p'),
        () => store.batch('p', [{ type: 'create', document }]),
        () => store.bulk([{ type: 'create', document }]),
        () => store.transact('p', (transaction) => transaction.create(document)),
        () => backend.createDatabase('new'),
        () => backend.deleteDatabase('test'),
        () => backend.createContainer('test', { id: 'new', partitionKey: '/pk' }),
        () => backend.replaceContainer('test', { id: 'items', partitionKey: '/pk', defaultTtl: 5 }),
        () => backend.deleteContainer('test', 'items'),
        () => backend.restore(records, { replace: true }),
        () => backend.database.ensureTables('part', []),
      ]) {
        await expect(write()).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
      }
      await expect(backend.catalog()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await backend.close();
      expect(contentOf(dirname(path))).toEqual(before);
    });

    test('sees what others write meanwhile, whoever came first', async () => {
      const path = await storeFile();
      const reader = await openBackend({ path, readOnly: true, driver: driver() });
      const read = await reader.container('test', 'items');
      const writer = await openBackend({ path });
      const written = await writer.container('test', 'items');
      const second = await openBackend({ path, readOnly: true, driver: driver() });
      const also = await second.container('test', 'items');
      for (let n = 2; n < 6; n += 1) {
        await written.upsert({ id: 'a', pk: 'p', n });
        for (const store of [read, also]) {
          expect((await store.read('a', 'p'))?.document['n']).toBe(n);
        }
      }
      await writer.close();
      expect((await read.read('a', 'p'))?.document['n']).toBe(5);
      const again = await openBackend({ path });
      await (await again.container('test', 'items')).upsert({ id: 'a', pk: 'p', n: 6 });
      expect((await also.read('a', 'p'))?.document['n']).toBe(6);
    });
  });
}

describe('a file that is read only', () => {
  test('is refused where it is missing, empty, foreign, newer, or no file, and nothing is made', async () => {
    const folder = temporaryFolder();
    const refuse = async (name: string, code: string): Promise<void> => {
      const before = contentOf(folder).length;
      await expect(openSqliteBackend({ path: join(folder, name), readOnly: true }), name).rejects.toMatchObject({ code });
      expect(contentOf(folder).length).toBe(before);
    };
    await refuse('missing.db', 'NOT_FOUND');
    await refuse('missing/store.db', 'NOT_FOUND');
    writeFileSync(join(folder, 'empty.db'), '');
    await refuse('empty.db', 'STORE_CORRUPT');
    writeFileSync(join(folder, 'text.db'), 'not a database, but a text of some length');
    await refuse('text.db', 'STORE_CORRUPT');
    for (const [name, sql] of [
      ['nothing.db', 'CREATE TABLE x (y); DROP TABLE x'],
      ['foreign.db', 'CREATE TABLE people (name TEXT)'],
    ] as const) {
      const raw = new RawDatabase(join(folder, name));
      raw.exec(sql);
      raw.close();
      await refuse(name, 'STORE_CORRUPT');
    }
    const path = await storeFile(folder);
    const raw = new RawDatabase(path);
    raw.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    raw.close();
    await refuse('store.db', 'STORE_TOO_NEW');
    await expect(openSqliteBackend({ path: folder, readOnly: true })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    await expect(openSqliteBackend({ path: ':memory:', readOnly: true })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('is read in a folder that cannot be written, closed or left by a writer that was killed', async () => {
    const folder = temporaryFolder();
    const path = await storeFile(folder);
    const copies = copiesLeft();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    expect(readUnprivileged(path)).toBe('["a","b","c"]');
    chmodSync(folder, 0o755);
    chmodSync(path, 0o644);
    await leaveLog(path);
    for (const name of readdirSync(folder)) {
      chmodSync(join(folder, name), 0o444);
    }
    chmodSync(folder, 0o555);
    const before = contentOf(folder);
    const found = JSON.parse(readUnprivileged(path)) as string[];
    expect(found.slice(0, 3)).toEqual(['a', 'b', 'c']);
    expect(found.length).toBeGreaterThan(20);
    expect(contentOf(folder)).toEqual(before);
    chmodSync(folder, 0o755);
    chmodSync(path, 0o000);
    expect(readUnprivileged(path)).toBe('STORE_READ_ONLY');
    expect(copiesLeft()).toEqual(copies);
  });

  test('is read from a copy where a log was left without its index, which takes nothing from what was written', async () => {
    const path = await storeFile();
    await leaveLog(path);
    const folder = join(temporaryFolder(), 'moved');
    mkdirSync(folder);
    // As after copying the two to another machine.
    for (const ending of ['', '-wal']) {
      copyFileSync(path + ending, join(folder, `store.db${ending}`));
    }
    const before = contentOf(folder);
    const copies = copiesLeft();
    const backend = await openBackend({ path: join(folder, 'store.db'), readOnly: true });
    const store = await backend.container('test', 'items');
    expect((await store.query<number>('SELECT VALUE COUNT(1) FROM c').toArray())[0]).toBeGreaterThan(20);
    await expect(store.upsert({ id: 'x', pk: 'p' })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(copiesLeft()).toHaveLength(copies.length + 1);
    await backend.close();
    expect(copiesLeft()).toEqual(copies);
    expect(contentOf(folder)).toEqual(before);
  });

  test('is read from a copy where an earlier version wrote it, and stays as it was', async () => {
    const path = await storeFile();
    const raw = new RawDatabase(path);
    raw.exec(BACK_TO_VERSION_3);
    raw.pragma('journal_mode = WAL');
    raw.close();
    const before = contentOf(dirname(path));
    const backend = await openBackend({ path, readOnly: true });
    const store = await backend.container('test', 'items');
    expect(await store.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a', 'b', 'c']);
    await backend.close();
    expect(contentOf(dirname(path))).toEqual(before);
  });

  test('gives recorded versions as far as they are recorded, and counts what is too old as gone', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const runtime = new SimulatedRuntime();
    const writer = await openSqliteBackend({ path, runtime });
    await writer.createDatabase('test');
    await writer.createContainer('test', { id: 'items', partitionKey: '/pk', defaultTtl: -1, changeFeedPolicy: { retentionDuration: 10 } });
    const store = await writer.container('test', 'items');
    const { cursor } = await store.changes({ mode: 'all', from: 'now' }).nextPage();
    await store.create({ id: 'a', pk: 'p' });
    await runtime.advance(300_000);
    const second = await store.changes({ mode: 'all', from: 'now' }).nextPage();
    await store.create({ id: 'b', pk: 'p', ttl: 5 });
    await writer.close();
    await runtime.advance(60_000);
    const backend = await openBackend({ path, readOnly: true, runtime });
    const read = await backend.container('test', 'items');
    const idsFrom = async (from: string): Promise<string[]> =>
      (await read.changes({ mode: 'all', from: { cursor: from } }).nextPage()).changes.map(({ document }) => document.id);
    expect(await read.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a']);
    expect(await idsFrom(cursor)).toEqual(['a', 'b']);
    const copy = openMemoryBackend({ runtime });
    await copy.restore(backend.snapshot());
    const copied = await copy.container('test', 'items');
    const feed = copied.changes({ mode: 'all', from: { timeMs: runtime.nowMs() - 360_000 } });
    const told = (await feed.nextPage()).changes.map(({ operation, document }) => `${operation} ${document.id}`);
    expect(told).toEqual(['create a', 'create b', 'delete b']);
    await copy.close();
    await runtime.advance(300_000);
    await expect(idsFrom(cursor)).rejects.toMatchObject({ code: 'OUTSIDE_RETENTION' });
    expect(await idsFrom(second.cursor)).toEqual(['b']);
  });
});

test('a store that its last user has closed is one file, which others may have open meanwhile', async () => {
  const path = await storeFile();
  expect(readdirSync(dirname(path))).toEqual(['store.db']);
  const first = await openSqliteBackend({ path });
  const second = await openSqliteBackend({ path });
  const store = await second.container('test', 'items');
  await (await first.container('test', 'items')).create({ id: 'd', pk: 'p' });
  await first.close();
  await store.create({ id: 'e', pk: 'p' });
  expect(await store.query('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([5]);
  await second.close();
  expect(readdirSync(dirname(path))).toEqual(['store.db']);
});
