import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contents, synced, World } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  await world.close();
});

describe('two devices and a remote', () => {
  test('what one device writes arrives on the other', async () => {
    const [phone, laptop] = [await world.device(), await world.device()];
    await phone.notes.create({ id: '1', owner: 'ada', text: 'milk' });
    expect(await synced(phone)).toMatchObject({ pushed: 1, pulled: 0, conflictCount: 0 });
    expect(await synced(laptop)).toMatchObject({ pushed: 0, pulled: 1, conflictCount: 0 });
    expect(await contents(laptop.notes)).toEqual({ 1: { id: '1', owner: 'ada', text: 'milk' } });
    expect((await phone.engine.status()).pending).toBe(0);
  });

  test('a second sync with nothing to do asks for one page and changes nothing', async () => {
    const phone = await world.device();
    await phone.notes.create({ id: '1', owner: 'ada' });
    await synced(phone);
    await synced(phone);
    expect(await synced(phone)).toMatchObject({ pushed: 0, pulled: 0, requests: 1 });
  });

  test('edits, deletions and new documents go both ways', async () => {
    const [phone, laptop] = [await world.device(), await world.device()];
    await phone.notes.create({ id: '1', owner: 'ada', text: 'a' });
    await phone.notes.create({ id: '2', owner: 'ada', text: 'b' });
    await synced(phone);
    await synced(laptop);
    await laptop.notes.replace({ id: '1', owner: 'ada', text: 'A' });
    await laptop.notes.delete('2', 'ada');
    await phone.notes.create({ id: '3', owner: 'ada', text: 'c' });
    await synced(laptop);
    expect(await synced(phone)).toMatchObject({ pushed: 1, pulled: 1, deletedLocally: 1, conflictCount: 0 });
    await synced(laptop);
    const expected = { 1: { id: '1', owner: 'ada', text: 'A' }, 3: { id: '3', owner: 'ada', text: 'c' } };
    expect(await contents(phone.notes)).toEqual(expected);
    expect(await contents(laptop.notes)).toEqual(expected);
    expect(await contents(await world.remote())).toEqual(expected);
  });

  test('local documents never show what sync adds to remote ones', async () => {
    const [phone, laptop] = [await world.device(), await world.device()];
    await phone.notes.create({ id: '1', owner: 'ada' });
    await synced(phone);
    await synced(laptop);
    expect(await laptop.notes.read('1', 'ada')).not.toHaveProperty('document._perigee');
    expect((await (await world.remote()).read('1', 'ada'))?.document).toHaveProperty('_perigee.clock');
  });

  test('a deleted document that is made again under its id is the new one everywhere', async () => {
    const [phone, laptop] = [await world.device(), await world.device()];
    await phone.notes.create({ id: '1', owner: 'ada', text: 'old' });
    await synced(phone);
    await synced(laptop);
    await laptop.notes.delete('1', 'ada');
    await synced(laptop);
    await synced(phone);
    await phone.notes.create({ id: '1', owner: 'ada', text: 'new' });
    expect(await synced(phone)).toMatchObject({ pushed: 1, conflictCount: 0 });
    expect(await synced(laptop)).toMatchObject({ pulled: 1, conflictCount: 0 });
    expect(await contents(laptop.notes)).toEqual({ 1: { id: '1', owner: 'ada', text: 'new' } });
  });

  test('a document that was made and deleted before any sync is never sent', async () => {
    const phone = await world.device();
    await phone.notes.create({ id: '1', owner: 'ada' });
    await phone.notes.delete('1', 'ada');
    expect((await phone.engine.status()).pending).toBe(0);
    expect(await synced(phone)).toMatchObject({ pushed: 0 });
    expect(await (await world.remote()).read('1', 'ada')).toBeUndefined();
  });
});
