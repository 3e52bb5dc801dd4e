import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isPerigeeError, PerigeeError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { betterSqlite3Driver, openSqliteBackend, type SqliteDriver } from '../../src/stores/sqlite/index.ts';
import {
  clientWins,
  lastWriteWins,
  mergeFields,
  SyncEngine,
  type Conflict,
  type SchemaOptions,
  type SyncOptions,
} from '../../src/sync/index.ts';
import { describeFile } from '../../src/sync/describe-file.ts';
import { fault, faultyStore } from './faulty-store.ts';
import { at } from './merging-scene.ts';
import { at3, migratedIds, note, V2, V3, versions } from './schema-scene.ts';
import { contents, synced, World, type Device, type DeviceOptions } from './world.ts';

let world: World;
let folder: string;

beforeEach(async () => {
  world = await World.open();
  folder = mkdtempSync(join(tmpdir(), 'perigee-schema-'));
  migratedIds.length = 0;
});

afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const path = (): string => join(folder, 'device.db');
/** Opens the device's file once more; what opened it before is closed. */
async function open(options: DeviceOptions = {}): Promise<Device> {
  return world.device({ path: path(), device: 'phone', ...options });
}
async function close(device: Device): Promise<void> {
  await device.engine.close();
  await device.backend.close();
}

describe('a file of an earlier version of the program', () => {
  test('is migrated when it opens, with local fields and without anything pending; what was pending is sent in the new version', async () => {
    const local = { localFields: { notes: ['/draft'] } };
    const before = await open(local);
    await before.notes.create(note({ name: 'a b', draft: 'x' }));
    await before.notes.create(note({ name: 'c' }, '2'));
    await synced(before);
    await before.notes.replace(note({ name: 'd e' }, '2'));
    await close(before);

    const after = await open({ ...local, ...versions(V3) });
    expect(await contents(after.notes)).toEqual({ 1: at3({ words: ['a', 'b'], draft: 'x' }), 2: at3({ words: ['d', 'e'] }, '2') });
    expect((await after.engine.pending()).map(({ id }) => id)).toEqual(['2']);
    expect(await after.engine.verify()).toMatchObject({ defects: 0, counts: { pending: 1 } });
    expect((await synced(after)).pushed).toBe(1);
    expect(await contents(await world.remote())).toEqual({ 1: note({ name: 'a b' }), 2: at3({ words: ['d', 'e'] }, '2') });
    const { equal, requests } = await after.engine.verify();
    expect([equal, requests]).toEqual([true, 1]);
    expect(await after.engine.repair()).toMatchObject({ reloaded: 0, journaled: 0 });
    await close(after);

    // Once is enough, and what is edited goes to the remote.
    migratedIds.length = 0;
    const again = await open({ ...local, ...versions(V3) });
    expect(migratedIds).toEqual([]);
    await again.notes.patch('1', 'ada', [{ op: 'add', path: '/words/-', value: 'c' }]);
    await synced(again);
    expect((await contents(await world.remote()))['1']).toEqual(at3({ words: ['a', 'b', 'c'] }));
  });

  test('goes on with the migration where it stopped', async () => {
    const before = await open();
    const ids = Array.from({ length: 450 }, (_, index) => `n${String(index).padStart(3, '0')}`);
    await before.notes.bulk(ids.map((id) => ({ type: 'create', document: note({ name: id }, id) })));
    await close(before);

    let left = 260;
    const broken: SqliteDriver = {
      name: 'broken',
      open: async (options) => {
        const connection = await betterSqlite3Driver().open(options);
        const executeSync = connection.executeSync as NonNullable<typeof connection.executeSync>;
        return {
          execute: (step) => connection.execute(step),
          close: () => connection.close(),
          executeSync: (step) => {
            if (step.sql.startsWith('UPDATE c') && (left -= 1) < 0) {
              throw new PerigeeError('STORE_IO', 'The disk is gone.');
            }
            return executeSync(step);
          },
        };
      },
    };
    const backend = await openSqliteBackend({ path: path(), driver: broken, runtime: world.runtime });
    const options: Omit<SyncOptions, 'backend'> = {
      user: 'ada',
      device: 'phone',
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: (container) => world.cloud.container('app', container),
      schemas: { notes: V3 },
    };
    await expect(SyncEngine.open({ ...options, backend })).rejects.toMatchObject({ code: 'STORE_IO' });
    await backend.close();
    expect(migratedIds.length).toBe(261);

    migratedIds.length = 0;
    const after = await open(versions(V3));
    expect(migratedIds).toEqual(ids.slice(200));
    expect(Object.values(await contents(after.notes)).every(({ schemaVersion }) => schemaVersion === 3)).toBe(true);
    expect((await synced(after)).pushed).toBe(450);
  });

  test('a program without versions, between two that have them, does no harm', async () => {
    const newer = await open(versions(V3));
    await newer.notes.create(at3({ words: ['a'] }));
    await synced(newer);
    await close(newer);

    const older = await open();
    expect(await older.backend.database.read(() => describeFile())).toMatchObject({ versioned: true });
    await expect(older.notes.upsert(note({ name: 'cut' }))).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' });
    await older.notes.create(note({ name: 'b' }, '2'));
    await (await world.remote()).create(note({ name: 'c' }, '3'));
    await synced(older);
    await close(older);

    const again = await open(versions(V3));
    expect(await contents(again.notes)).toEqual({
      1: at3({ words: ['a'] }),
      2: at3({ words: ['b'] }, '2'),
      3: at3({ words: ['c'] }, '3'),
    });
    expect((await again.engine.verify()).equal).toBe(true);
  });
});

describe('documents of other writers', () => {
  test('an older one is migrated when it is taken over, at every version, and told apart from a change', async () => {
    const remote = await world.remote();
    await remote.create(note({ name: 'a b' }));
    await remote.create(note({ title: 'c d', schemaVersion: 2 }, '2'));
    const device = await world.device(versions(V3));
    await synced(device);
    expect(await contents(device.notes)).toEqual({ 1: at3({ words: ['a', 'b'] }), 2: at3({ words: ['c', 'd'] }, '2') });
    expect(await device.engine.pending()).toEqual([]);
    await device.engine.reconcile();
    expect((await device.engine.verify()).equal).toBe(true);
    await remote.replace(note({ name: 'e' }));
    expect((await device.engine.verify()).differences).toMatchObject([{ id: '1', kind: 'different' }]);
    await device.engine.repair();
    expect(await at(device)).toEqual(at3({ words: ['e'] }));
  });

  test('a newer one is kept whole: it can be read, deleted, and changed by who keeps its version', async () => {
    const remote = await world.remote();
    const unknown = note({ schemaVersion: 4, words: ['a'], colour: { name: 'red' } });
    await remote.create(unknown);
    await remote.create({ ...unknown, id: '2' });
    const device = await world.device(versions(V3));
    await synced(device);
    expect(await at(device)).toEqual(unknown);
    const cut = at3({ words: ['b'] });
    for (const write of [
      () => device.notes.upsert(cut),
      () => device.notes.replace(cut),
      () => device.notes.patch('1', 'ada', [{ op: 'set', path: '/schemaVersion', value: 3 }]),
    ]) {
      await expect(write()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW', details: { version: 4, known: 3 } });
    }
    const { outcomes } = await device.notes.bulk([
      { type: 'upsert', document: cut },
      { type: 'create', document: at3({ words: [] }, '3') },
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true]);
    await device.notes.patch('1', 'ada', [{ op: 'set', path: '/words', value: ['b'] }]);
    await device.notes.delete('2', 'ada');
    await synced(device);
    expect(await contents(remote)).toEqual({ 1: { ...unknown, words: ['b'] }, 3: at3({ words: [] }, '3') });
  });

  test('a document of an older version, or of none that can be read, is not written', async () => {
    const device = await world.device(versions(V3));
    for (const wrong of [note({ name: 'a' }), note({ schemaVersion: 2 }), note({ schemaVersion: 'three' })]) {
      await expect(device.notes.create(wrong)).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
    }
  });
});

describe('conflicts between versions', () => {
  test('a policy sees both sides and their base in the version of the program', async () => {
    const seen: Conflict[] = [];
    const merging = mergeFields();
    const policy = Object.assign((conflict: Conflict) => (seen.push(conflict), merging(conflict)), { needsBase: true });
    const before = await open({ policy });
    await before.notes.create(note({ name: 'a', n: 1 }));
    await synced(before);
    await before.notes.patch('1', 'ada', [{ op: 'set', path: '/name', value: 'a b' }]);
    await close(before);
    await (await world.remote()).patch('1', 'ada', [{ op: 'set', path: '/n', value: 2 }]);
    const after = await open({ policy, ...versions(V3) });
    await synced(after);
    expect(seen).toMatchObject([
      {
        base: at3({ words: ['a'], n: 1 }),
        local: { document: at3({ words: ['a', 'b'], n: 1 }) },
        remote: { document: at3({ words: ['a'], n: 2 }) },
      },
    ]);
    expect(await contents(await world.remote())).toEqual({ 1: at3({ words: ['a', 'b'], n: 2 }) });
  });

  test.each([
    ['the last write', lastWriteWins],
    ['the device', clientWins],
    ['a merge', mergeFields()],
  ])(
    'where the remote is newer than the program it stays, whatever the policy; a forced push says otherwise: %s',
    async (_name, policy) => {
      const device = await world.device({ policy, ...versions(V3) });
      const remote = await world.remote();
      await device.notes.create(at3({ words: ['a'] }));
      await synced(device);
      const newer = note({ schemaVersion: 4, words: ['b'], colour: 'red' });
      await remote.replace(newer);
      await world.pass(10_000);
      await device.notes.replace(at3({ words: ['c'] }));
      await synced(device);
      expect(await at(device)).toEqual(newer);
      const [entry] = await device.engine.journal();
      expect(entry).toMatchObject({ reason: 'schema', losingSide: 'local', document: at3({ words: ['c'] }) });
      await expect(device.engine.restore(entry?.seq as number)).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' });

      await device.notes.create(at3({ words: ['a'] }, '2'));
      await remote.create({ ...newer, id: '2' });
      await device.engine.forcePush('notes', '2', 'ada');
      expect((await contents(remote))['2']).toEqual(at3({ words: ['a'] }, '2'));
      expect((await device.engine.journal())[1]).toMatchObject({ reason: 'forced', document: { ...newer, id: '2' } });
    },
  );

  test.each([
    ['the last write', lastWriteWins],
    ['a merge', mergeFields({ counters: ['/n'] })],
  ])('a write whose answer was lost before the migration is known as itself after it: %s', async (_name, policy) => {
    const lost: DeviceOptions = {
      policy,
      wrap: (store) => faultyStore(store, (request) => (request === 'batch' ? fault('TIMEOUT', 'after') : undefined)),
    };
    const before = await open(lost);
    await before.notes.create(note({ name: 'a', n: 1 }));
    expect((await before.engine.sync()).outcome).toBe('failed');
    await before.notes.patch('1', 'ada', [{ op: 'incr', path: '/n', value: 1 }]);
    await close(before);
    const after = await open({ policy, ...versions(V3) });
    expect((await synced(after)).conflicts).toEqual([]);
    expect(await contents(await world.remote())).toEqual({ 1: at3({ words: ['a'], n: 2 }) });
  });

  test('what the journal holds of an older version is migrated when it is restored', async () => {
    const before = await open({ policy: () => 'remote' });
    await before.notes.create(note({ name: 'a' }));
    await synced(before);
    await before.notes.replace(note({ name: 'b' }));
    await (await world.remote()).replace(note({ name: 'c' }));
    await synced(before);
    await close(before);
    const after = await open(versions(V3));
    await after.engine.restore((await after.engine.journal())[0]?.seq as number);
    expect(await at(after)).toEqual(at3({ words: ['b'] }));
  });
});

describe('a migration that fails', () => {
  const failing: SchemaOptions = {
    version: 2,
    migrate: {
      2: (document) => {
        if (document['name'] === 'bad') {
          throw new Error('bad');
        }
        return (V2.migrate as NonNullable<SchemaOptions['migrate']>)[2]?.(document) as JsonObject;
      },
    },
  };

  test('leaves the document whole, is told of with its name, holds up nothing, and is tried again by the next life', async () => {
    const before = await open();
    await before.notes.create(note({ name: 'bad', more: 1 }));
    await before.notes.create(note({ name: 'good' }, '2'));
    await close(before);
    await (await world.remote()).create(note({ name: 'bad' }, '3'));
    const after = await open(versions(failing));
    expect((await after.engine.status()).warnings).toMatchObject([expect.stringMatching(/"1".*"notes"/u)]);
    expect((await synced(after)).pushed).toBe(2);
    const expected = {
      1: note({ name: 'bad', more: 1 }),
      2: note({ title: 'good', schemaVersion: 2 }, '2'),
      3: note({ name: 'bad' }, '3'),
    };
    expect(await contents(await world.remote())).toEqual(expected);
    expect(await contents(after.notes)).toEqual(expected);
    expect((await after.engine.verify()).equal).toBe(true);
    await close(after);
    const mended = await open(versions(V2));
    expect(Object.values(await contents(mended.notes)).map(({ title }) => title)).toEqual(['bad', 'good', 'bad']);
  });

  test.each([
    ['gives another id', () => ({ id: '9', owner: 'ada' })],
    ['gives another partition key', () => ({ id: '1', owner: 'bob' })],
    ['gives what is no JSON', () => ({ id: '1', owner: 'ada', n: Number.NaN })],
    ['gives nothing', () => undefined as unknown as JsonObject],
  ])('because it %s', async (_name, migrate) => {
    await (await world.remote()).create(note({ name: 'a' }));
    const device = await world.device(versions({ version: 2, migrate: { 2: migrate } }));
    await synced(device);
    expect(await at(device)).toEqual(note({ name: 'a' }));
  });
});

test.each([
  { version: 0 },
  { version: 1.5 },
  { version: 2 },
  { version: 3, migrate: { 3: (document: JsonObject) => document } },
  { version: 1, initialVersion: 2 },
  { version: 1, path: 'v' },
  { version: 1, path: '/owner' },
  { version: 1, path: '/draft/v' },
])('%j is refused', async (schema) => {
  await expect(world.device({ localFields: { notes: ['/draft'] }, ...versions(schema) })).rejects.toSatisfy((error) =>
    isPerigeeError(error, 'INVALID_OPTION'),
  );
});
