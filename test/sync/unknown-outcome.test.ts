import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, synced, World, type Device, type Note } from './world.ts';

let world: World;
let plan: FaultPlan;
let phone: Device;

beforeEach(async () => {
  world = await World.open();
  plan = () => undefined;
  phone = await world.device({ wrap: (store) => faultyStore(store, (request) => plan(request)) });
});

afterEach(async () => {
  await world.close();
});

const note = (text: string): Note => ({ id: '1', owner: 'ada', text });

/** Syncs while the answer to every batch is lost: before the remote saw it, or after it was carried out. */
async function lose(when: 'before' | 'after'): Promise<void> {
  plan = (request) => (request === 'batch' ? fault('TIMEOUT', when) : undefined);
  expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'TIMEOUT' } });
  plan = () => undefined;
}

describe.each(['before', 'after'] as const)('the answer to a write is lost %s it was carried out', (when) => {
  test('a new document arrives once, and there is no conflict with oneself', async () => {
    await phone.notes.create(note('new'));
    await lose(when);
    expect(await synced(phone)).toMatchObject({ pushed: 1, conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({ 1: note('new') });
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('a replacement arrives', async () => {
    await phone.notes.create(note('old'));
    await synced(phone);
    await phone.notes.replace(note('new'));
    await lose(when);
    await lose(when);
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({ 1: note('new') });
  });

  test('an edit made after that follows the lost write', async () => {
    await phone.notes.create(note('first'));
    await lose(when);
    await phone.notes.replace(note('second'));
    await lose(when);
    await phone.notes.replace(note('third'));
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({ 1: note('third') });
    expect(await phone.engine.journal()).toEqual([]);
  });

  test('a deletion made after that deletes what may have arrived', async () => {
    await phone.notes.create(note('short-lived'));
    await lose(when);
    await phone.notes.delete('1', 'ada');
    expect((await phone.engine.status()).pending).toBe(1);
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({});
    expect(await contents(phone.notes)).toEqual({});
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('a document made anew over a tombstone and deleted after that stays deleted', async () => {
    await phone.notes.create(note('old'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await synced(phone);
    await phone.notes.create(note('new'));
    await lose(when);
    await phone.notes.delete('1', 'ada');
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({});
    expect(await contents(phone.notes)).toEqual({});
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('a lost deletion is carried out once', async () => {
    await phone.notes.create(note('short-lived'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await lose(when);
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({});
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('what somebody else wrote in the meantime is a conflict like any other', async () => {
    await phone.notes.create(note('mine'));
    await lose(when);
    await world.pass(10_000);
    await (await world.remote()).upsert(note('theirs, later'));
    expect(await synced(phone)).toMatchObject({ conflicts: [{ outcome: 'remote-wins' }] });
    expect(await contents(phone.notes)).toEqual({ 1: note('theirs, later') });
    expect(await phone.engine.journal()).toMatchObject([{ document: { text: 'mine' } }]);
  });
});
