import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openSqliteBackend, type SqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { contents, NOTES, synced, World, type Note } from './world.ts';

let world: World;
let folder: string;

beforeEach(async () => {
  world = await World.open();
  folder = mkdtempSync(join(tmpdir(), 'perigee-remotes-'));
});

afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const note = (text: string, id = '1'): Note => ({ id, owner: 'ada', text });

test('a remote that was restored from an older copy gets what it forgot and what is pending, and devices end equal with it', async () => {
  const open = (path: string): Promise<SqliteBackend> => openSqliteBackend({ path: join(folder, path), runtime: world.runtime });
  let server = await open('server.db');
  await server.createDatabase('app');
  await server.createContainer('app', NOTES);
  const remote = (): Promise<DocumentStore<JsonObject>> => server.container('app', 'notes');
  let current = await remote();
  // The address stays, what answers behind it is another store.
  const address = new Proxy({} as DocumentStore<JsonObject>, {
    get: (_, name) => {
      const value: unknown = Reflect.get(current, name, current);
      return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(current) : value;
    },
  });
  const phone = await world.device({ remote: () => address, containers: [NOTES] });
  const laptop = await world.device({ remote: () => address, containers: [NOTES] });
  await phone.notes.create(note('old', '1'));
  await phone.notes.create(note('old', '2'));
  await synced(phone);
  await synced(laptop);
  await current.flush();
  copyFileSync(join(folder, 'server.db'), join(folder, 'copy.db'));
  await world.pass(61_000);
  await phone.notes.upsert(note('new', '1'));
  await phone.notes.create(note('new', '3'));
  await phone.notes.delete('2', 'ada');
  await synced(phone);
  await synced(laptop);
  await server.close();
  server = await open('copy.db');
  current = await remote();
  await world.pass(61_000);
  await laptop.notes.upsert(note('of the laptop', '1'));
  await laptop.notes.create(note('of the laptop', '4'));
  for (const device of [laptop, phone]) {
    // The first run of each meets a session that the copy has not reached.
    await device.engine.sync();
  }
  for (const device of [laptop, phone, laptop]) {
    await synced(device);
  }
  const expected = await contents(current as unknown as DocumentStore<Note>);
  expect(await contents(phone.notes)).toEqual(expected);
  expect(await contents(laptop.notes)).toEqual(expected);
  expect(await laptop.engine.pending()).toEqual([]);
  expect(expected).toMatchObject({ 1: { text: 'of the laptop' }, 3: { text: 'new' }, 4: { text: 'of the laptop' } });
  expect(expected['2']).toBeUndefined();
  await server.close();
});

test('two engines on one file that push and pull side by side take turns, without losing or doubling anything', async () => {
  const path = join(folder, 'device.db');
  const phone = await world.device({ path, device: 'one' });
  const backend = await openSqliteBackend({ path, runtime: world.runtime });
  const second = await SyncEngine.open({
    backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => world.cloud.container('app', container),
  });
  const other = second.store<Note>('notes');
  for (let round = 0; round < 20; round += 1) {
    for (let index = 0; index < 10; index += 1) {
      await (index % 2 === 0 ? phone.notes : other).upsert(note(`${round}`, `n${index}`));
    }
    const runs = Promise.all([phone.engine.sync(), second.sync(), phone.notes.upsert(note(`late ${round}`, 'n0'))]);
    const reports = await world.runtime.runUntilSettled(runs);
    expect(reports[0].error).toBeUndefined();
    expect(reports[1].error).toBeUndefined();
    expect(reports[0].conflictCount + reports[1].conflictCount).toBe(0);
  }
  await synced(phone);
  const expected = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`n${index}`, note(index === 0 ? 'late 19' : '19', `n${index}`)]),
  );
  expect(await contents(await world.remote())).toEqual(expected);
  expect(await contents(phone.notes)).toEqual(expected);
  expect(await phone.engine.pending()).toEqual([]);
  await second.close();
  await backend.close();
});

test('a remote that commits and forgets to say what: the run fails, and the next one finds everything there', async () => {
  let forget = true;
  const phone = await world.device({
    wrap: (store) =>
      new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (name === 'batch' && forget) {
            return async (...parameters: Parameters<typeof target.batch>) => {
              const result = await target.batch(...parameters);
              return { ...result, outcomes: result.outcomes.map((one) => (one.ok ? { ...one, etag: undefined } : one)) };
            };
          }
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        },
      }),
  });
  await phone.notes.create(note('one', '1'));
  await phone.notes.create(note('two', '2'));
  expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'BAD_RESPONSE' } });
  await phone.notes.upsert(note('two, edited', '2'));
  forget = false;
  const report = await synced(phone);
  expect(report.conflictCount).toBe(0);
  expect(await contents(await world.remote())).toEqual({ 1: note('one', '1'), 2: note('two, edited', '2') });
  expect(await phone.engine.pending()).toEqual([]);
});
