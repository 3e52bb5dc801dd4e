import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SyncEngine } from '../../src/sync/index.ts';
import { at, basesOf, incr, merging, note, shared } from './merging-scene.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, synced, World, type Device, type DeviceOptions } from './world.ts';

let world: World;
let plan: FaultPlan;

beforeEach(async () => {
  world = await World.open();
  plan = () => undefined;
});

afterEach(async () => {
  await world.close();
});

/** A device that merges; the first one's requests go through `plan`. */
const device = (options: DeviceOptions = {}): Promise<Device> => world.device({ policy: merging, ...options });
const faulty = (options: DeviceOptions = {}): Promise<Device> =>
  device({ ...options, wrap: (store) => faultyStore(store, (request) => plan(request)) });

describe('two devices that edit one document', () => {
  let phone: Device;
  let laptop: Device;

  beforeEach(async () => {
    [phone, laptop] = [await faulty(), await device()];
    await shared(phone, laptop, note({ title: 'old', text: 'old', n: 10, tags: ['a'] }));
  });

  test('different properties: both stay, on all sides, and nobody lost anything', async () => {
    await phone.notes.patch('1', 'ada', [{ op: 'set', path: '/title', value: 'new' }]);
    await laptop.notes.patch('1', 'ada', [
      { op: 'set', path: '/text', value: 'new' },
      { op: 'incr', path: '/n', value: 5 },
      { op: 'add', path: '/tags/-', value: 'b' },
    ]);
    await synced(laptop);
    const report = await synced(phone);
    expect(report).toMatchObject({ pushed: 1, conflicts: [{ id: '1', outcome: 'merged', journalSeq: undefined }] });
    await synced(laptop);
    const expected = note({ title: 'new', text: 'new', n: 15, tags: ['a', 'b'] });
    expect(await at(phone)).toEqual(expected);
    expect(await at(laptop)).toEqual(expected);
    expect(await contents(await world.remote())).toEqual({ 1: expected });
    expect(await phone.engine.journal()).toEqual([]);
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('the same property: the later write stays, and the other document is in the journal, whole', async () => {
    await phone.notes.patch('1', 'ada', [
      { op: 'set', path: '/title', value: 'earlier' },
      { op: 'set', path: '/text', value: 'phone' },
    ]);
    await world.pass(5000);
    await laptop.notes.patch('1', 'ada', [{ op: 'set', path: '/title', value: 'later' }]);
    await synced(laptop);
    expect(await synced(phone)).toMatchObject({ conflicts: [{ outcome: 'merged', journalSeq: 1 }] });
    expect(await at(phone)).toMatchObject({ title: 'later', text: 'phone' });
    const [entry] = await phone.engine.journal();
    expect(entry).toMatchObject({ reason: 'merged', losingSide: 'local', document: { title: 'earlier', text: 'phone' } });
    // The merged write comes after both.
    expect((await (await world.remote()).read('1', 'ada'))?.document['_perigee']).toMatchObject({ clock: entry?.winningStamp });
    expect((entry?.winningStamp ?? '') > (entry?.losingStamp ?? '')).toBe(true);
    await phone.engine.restore(1);
    await synced(phone);
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ title: 'earlier' });
  });

  test('increments of both sides count, also where both come to the same number', async () => {
    await incr(phone, 1);
    await incr(laptop, 1);
    await synced(laptop);
    await synced(phone);
    await synced(laptop);
    expect(await at(phone)).toMatchObject({ n: 12 });
    expect(await at(laptop)).toMatchObject({ n: 12 });
  });

  test('a merge that is overtaken again is merged again', async () => {
    await incr(phone, 1);
    await incr(laptop, 10);
    await synced(laptop);
    let more = 3;
    plan = async (request) => {
      if (request === 'batch' && more > 0) {
        more -= 1;
        await incr(laptop, 10);
        await synced(laptop);
      }
      return undefined;
    };
    await synced(phone);
    expect(await at(phone)).toMatchObject({ n: 51 });
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ n: 51 });
  });

  test('an edit while the merged document is under way follows it', async () => {
    await incr(phone, 1);
    await incr(laptop, 10);
    await synced(laptop);
    let edits = 2;
    plan = async (request) => {
      if (request === 'batch' && edits > 0) {
        edits -= 1;
        await incr(phone, 100);
      }
      return undefined;
    };
    await synced(phone);
    expect(await phone.engine.pending()).toEqual([]);
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ n: 221 });
  });

  test('an edit against a deletion is decided as a whole, and the loser is in the journal', async () => {
    await phone.notes.delete('1', 'ada');
    await world.pass(5000);
    await incr(laptop, 1);
    await synced(laptop);
    expect(await synced(phone)).toMatchObject({ conflicts: [{ outcome: 'remote-wins' }] });
    expect(await at(phone)).toMatchObject({ n: 11 });
    await phone.notes.delete('1', 'ada');
    await synced(phone);
    await incr(laptop, 1);
    await world.pass(5000);
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ n: 12 });
    await synced(phone);
    // What was made anew on top of the deletion has nothing in common with what was before.
    await incr(phone, 1);
    await incr(laptop, 1);
    await synced(laptop);
    await synced(phone);
    expect(await at(phone)).toMatchObject({ n: 14 });
  });

  test('a property outside the document of the other side: deletions of properties are changes like any other', async () => {
    await phone.notes.patch('1', 'ada', [{ op: 'remove', path: '/title' }]);
    await incr(laptop, 1);
    await synced(laptop);
    await synced(phone);
    expect(await at(phone)).toEqual(note({ text: 'old', n: 11, tags: ['a'] }));
  });

  test('the base survives a restart and goes with the pending write', async () => {
    await incr(phone, 1);
    await incr(phone, 1);
    expect(JSON.parse((await basesOf(phone)) ?? '')).toEqual(note({ title: 'old', text: 'old', n: 10, tags: ['a'] }));
    await phone.engine.close();
    const again = await SyncEngine.open({
      backend: phone.backend,
      user: 'ada',
      policy: merging,
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: (container) => world.cloud.container('app', container),
    });
    await incr(laptop, 5);
    await synced(laptop);
    expect(await again.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ n: 17 });
    expect(await basesOf(phone)).toBeUndefined();
    await again.close();
  });

  test('a forced push replaces, and what comes after follows it', async () => {
    await incr(phone, 1);
    await incr(laptop, 5);
    await synced(laptop);
    expect(await phone.engine.forcePushAll()).toBe(1);
    expect(await contents(await world.remote())).toMatchObject({ 1: { n: 11 } });
    await incr(laptop, 2);
    await synced(laptop);
    await incr(phone, 1);
    await synced(phone);
    expect(await at(phone)).toMatchObject({ n: 14 });
  });

  test('a document that both sides made anew has both sides in it', async () => {
    await phone.notes.create(note({ n: 2, mine: true }, '2'));
    await laptop.notes.create(note({ n: 3, theirs: true }, '2'));
    await synced(laptop);
    await synced(phone);
    expect(await at(phone, '2')).toEqual(note({ n: 5, mine: true, theirs: true }, '2'));
  });
});

describe('an answer that is lost', () => {
  let phone: Device;
  let laptop: Device;

  beforeEach(async () => {
    [phone, laptop] = [await faulty(), await device()];
    await shared(phone, laptop, note({ n: 10, text: 'old' }));
  });

  async function lose(): Promise<void> {
    plan = (request) => (request === 'batch' ? fault('TIMEOUT', 'after') : undefined);
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed' });
    plan = () => undefined;
  }

  test('and another device that has built on the write: it counts once', async () => {
    await incr(phone, 1);
    await lose();
    await synced(laptop);
    await incr(laptop, 5);
    await synced(laptop);
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    expect(await at(phone)).toMatchObject({ n: 16 });
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('and a further edit, and another device that has built on the first: each counts once', async () => {
    await incr(phone, 1);
    await lose();
    await synced(laptop);
    await incr(laptop, 5);
    await synced(laptop);
    await incr(phone, 100);
    await synced(phone);
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ n: 116 });
  });

  test('and a chain of others in between: each counts once', async () => {
    const tablet = await device();
    await incr(phone, 1);
    await lose();
    await synced(tablet);
    for (const one of [laptop, tablet, laptop]) {
      await synced(one);
      await incr(one, 10);
      await synced(one);
    }
    await incr(phone, 100);
    await synced(phone);
    expect(await at(phone)).toMatchObject({ n: 141 });
  });

  test('and a merged write among them', async () => {
    await incr(phone, 1);
    await incr(laptop, 10);
    await synced(laptop);
    let batches = 0;
    plan = (request) => {
      batches += request === 'batch' ? 1 : 0;
      return request === 'batch' && batches === 2 ? fault('TIMEOUT', 'after') : undefined;
    };
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', conflicts: [{ outcome: 'merged' }] });
    await synced(laptop);
    expect(await at(laptop)).toMatchObject({ n: 21 });
    await incr(laptop, 10);
    await synced(laptop);
    await synced(phone);
    expect(await at(phone)).toMatchObject({ n: 31 });
  });

  test('and a stranger who edits and leaves the reserved property alone: it counts once', async () => {
    await incr(phone, 1);
    await lose();
    await (await world.remote()).patch('1', 'ada', [{ op: 'incr', path: '/n', value: 5 }]);
    await incr(phone, 100);
    await synced(phone);
    expect(await at(phone)).toMatchObject({ n: 116 });
  });

  test('and a device whose clock is learned only then, which renames its writes', async () => {
    const fast = await faulty({ skewMs: 3_600_000 });
    await synced(fast);
    await incr(fast, 1);
    plan = (request) => (request === 'batch' ? fault('TIMEOUT', 'after') : undefined);
    await fast.engine.sync();
    await synced(laptop);
    await incr(laptop, 5);
    await synced(laptop);
    let first = true;
    plan = async (request) => {
      if (request === 'batch' && first) {
        first = false;
        return fault('UNREACHABLE');
      }
      return undefined;
    };
    await fast.engine.sync();
    await fast.notes.create(note({}, 'teaches'));
    await synced(fast);
    expect(await at(fast)).toMatchObject({ n: 16 });
  });
});
