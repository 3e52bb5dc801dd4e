import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { fault, faultyStore } from './faulty-store.ts';
import { contents, synced, World, type Device, type DeviceOptions, type Note } from './world.ts';

let world: World;
let folder = '';

beforeEach(async () => {
  world = await World.open();
  folder = mkdtempSync(join(tmpdir(), 'perigee-expiry-'));
});

afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function closed({ engine, backend }: Device): Promise<void> {
  await engine.close();
  await backend.close();
}

const note = (text: string, id = '1', more: object = {}): Note => ({ id, owner: 'ada', text, ...more });

describe('a document made anew on the device', () => {
  test('after the one before it expired on both sides is a new document, not an edit of one that was deleted', async () => {
    const phone = await world.device();
    await phone.notes.create(note('first', '1', { ttl: 60 }));
    await synced(phone);
    await world.pass(120_000);
    await phone.notes.create(note('second'));
    await synced(phone);
    expect(await contents(await world.remote())).toEqual({ 1: note('second') });
    expect(await contents(phone.notes)).toEqual({ 1: note('second') });
    expect(await phone.engine.journal()).toEqual([]);
  });

  test('after its own deletion, while somebody else deleted the old one without a tombstone, is a new document', async () => {
    const phone = await world.device();
    await phone.notes.create(note('first'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await phone.notes.create(note('second'));
    await phone.notes.upsert(note('third'));
    await (await world.remote()).delete('1', 'ada');
    await synced(phone);
    expect(await contents(await world.remote())).toEqual({ 1: note('third') });
    expect(await contents(phone.notes)).toEqual({ 1: note('third') });
  });

  test('and deleted again leaves nothing on either side', async () => {
    const phone = await world.device();
    await phone.notes.create(note('first'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await phone.notes.create(note('second'));
    await phone.notes.delete('1', 'ada');
    await synced(phone);
    expect(await contents(await world.remote())).toEqual({});
    expect(await contents(phone.notes)).toEqual({});
  });

  test('once it has been sent, is an edit like any other: deleted elsewhere it stays deleted', async () => {
    const phone = await world.device();
    await phone.notes.create(note('first'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await phone.notes.create(note('second'));
    await synced(phone);
    await phone.notes.upsert(note('third'));
    await (await world.remote()).delete('1', 'ada');
    await synced(phone);
    expect(await contents(phone.notes)).toEqual({});
    expect(await phone.engine.journal()).toMatchObject([{ reason: 'remote-deleted', document: { text: 'third' } }]);
  });
});

describe('time to live', () => {
  test('an edit that lets a document expire before it is sent reaches the remote, and expires there for everybody', async () => {
    const phone = await world.device();
    const laptop = await world.device();
    await phone.notes.create(note('for ever'));
    await synced(phone);
    await synced(laptop);
    await phone.notes.upsert(note('for a minute', '1', { ttl: 60 }));
    await world.pass(120_000);
    expect(await phone.notes.read('1', 'ada')).toBeUndefined();
    await phone.notes.create(note('makes expired documents go', '2'));
    await synced(phone);
    await synced(laptop);
    expect(await phone.engine.pending()).toEqual([]);
    for (const side of [await world.remote(), phone.notes, laptop.notes]) {
      expect((await contents(side))['1']).toMatchObject({ text: 'for a minute' });
    }
    await world.pass(61_000);
    for (const side of [await world.remote(), phone.notes, laptop.notes]) {
      expect(Object.keys(await contents(side))).toEqual(['2']);
    }
  });

  test('a clock that runs ahead past a time to live costs no pending write, also one that the remote never heard of', async () => {
    const phone = await world.device();
    await phone.notes.create(note('known', '1', { ttl: 3600 }));
    await synced(phone);
    await phone.notes.upsert(note('edited offline', '1', { ttl: 3600 }));
    await phone.notes.create(note('made offline', '2', { ttl: 3600 }));
    phone.runtime.skewMs = 86_400_000;
    await phone.notes.create(note('makes expired documents go', '3'));
    const outcomes = await phone.notes.bulk([{ type: 'delete', id: '1', partitionKey: 'ada' }]);
    expect(outcomes.outcomes).toMatchObject([{ ok: false, error: { code: 'NOT_FOUND' } }]);
    await synced(phone);
    phone.runtime.skewMs = 0;
    await synced(phone);
    const remote = Object.values(await contents(await world.remote())).map((document) => document['text']);
    expect(remote).toEqual(['edited offline', 'made offline', 'makes expired documents go']);
    expect(await contents(phone.notes)).toEqual(await contents(await world.remote()));
  });

  test('what is pending and has expired stays while a program opens the file that has another scope, or newer documents', async () => {
    const path = join(folder, 'device.db');
    const scope = (...owners: string[]): Partial<DeviceOptions> => ({
      path,
      device: 'phone',
      scope: owners.map((partitionKey) => ({ container: 'notes', partitionKey })),
    });
    const first = await world.device(scope('ada', 'bob'));
    await first.notes.create(note('of ada', '1', { ttl: 60 }));
    await first.notes.create({ ...note('of bob', '1', { ttl: 60 }), owner: 'bob' });
    await closed(first);
    await world.pass(120_000);

    const second = await world.device(scope('ada'));
    await second.notes.create(note('makes expired documents go', '2'));
    await closed(second);
    await world.pass(120_000);

    const schema = {
      version: 2,
      initialVersion: 1,
      migrate: { 2: (document: JsonObject) => ({ ...document, title: document['text'] as string }) },
    };
    const third = await world.device({ ...scope('ada', 'bob'), schemas: { notes: schema } });
    await synced(third);
    const remote = await world.remote();
    expect([await contents(remote), await contents(remote, 'bob')]).toMatchObject([
      { 1: { text: 'of ada', title: 'of ada' }, 2: { text: 'makes expired documents go' } },
      { 1: { text: 'of bob', title: 'of bob' } },
    ]);
  });

  test('what a device lost because its clock ran ahead for a while comes back with a reconciliation', async () => {
    const phone = await world.device();
    await (await world.remote()).create(note('for an hour', '1', { ttl: 3600 }));
    await synced(phone);
    phone.runtime.skewMs = 86_400_000;
    await phone.notes.create(note('makes expired documents go', '2'));
    expect(Object.keys(await contents(phone.notes))).toEqual(['2']);
    phone.runtime.skewMs = 0;
    await phone.engine.reconcile();
    expect(Object.keys(await contents(phone.notes))).toEqual(['1', '2']);
  });

  test('a write whose answer was lost expires when the remote does', async () => {
    let lose = true;
    const phone = await world.device({
      wrap: (store) =>
        faultyStore(store, (request) => {
          const lost = request === 'batch' && lose;
          lose &&= !lost;
          return lost ? fault('TIMEOUT', 'after') : undefined;
        }),
    });
    await phone.notes.create(note('for an hour', '1', { ttl: 3600 }));
    await world.pass(3_000_000);
    expect((await phone.engine.sync()).outcome).toBe('failed');
    await synced(phone);
    await world.pass(3_000_000);
    expect(await contents(await world.remote())).toEqual({ 1: note('for an hour', '1', { ttl: 3600 }) });
    expect(await contents(phone.notes)).toEqual({ 1: note('for an hour', '1', { ttl: 3600 }) });
    await world.pass(900_000);
    expect(await contents(await world.remote())).toEqual({});
    expect(await contents(phone.notes)).toEqual({});
  });
});
