import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatStamp } from '../../src/core/hybrid-logical-clock.ts';
import { STORE_LIMITS } from '../../src/store/limits.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, synced, World, type Device, type Note } from './world.ts';

let world: World;
let plan: FaultPlan;

beforeEach(async () => {
  world = await World.open();
  plan = () => undefined;
});

afterEach(async () => {
  await world.close();
});

/** A device whose requests go through `plan`. */
const device = (options: Parameters<World['device']>[0] = {}): Promise<Device> =>
  world.device({ ...options, wrap: (store) => faultyStore(store, (request) => plan(request)) });

const note = (text: string, id = '1'): Note => ({ id, owner: 'ada', text });

async function pendingOf(one: Device): Promise<number> {
  return (await one.engine.status()).pending;
}

describe('silent loss', () => {
  test.each(['FORBIDDEN', 'TOKEN_EXPIRED', 'THROTTLED', 'UNAVAILABLE', 'TIMEOUT', 'BAD_RESPONSE', 'INTERNAL'] as const)(
    'S1-D01: a write that the remote refuses with %s stays pending and is sent when it can be',
    async (code) => {
      const phone = await device();
      await phone.notes.create(note('kept'));
      plan = (request) => (request === 'batch' ? fault(code) : undefined);
      const report = await phone.engine.sync();
      expect(report).toMatchObject({ outcome: 'failed', pushed: 0, error: { code } });
      expect(await phone.engine.pending()).toMatchObject([{ id: '1', attempts: 0, rejected: undefined }]);
      plan = () => undefined;
      expect(await synced(phone)).toMatchObject({ pushed: 1 });
      expect(await contents(await world.remote())).toEqual({ 1: note('kept') });
    },
  );

  test('S1-D01: a document that is too large for the remote is set aside with its reason, and holds nobody back', async () => {
    const phone = await device();
    const tooLarge = note('x'.repeat(STORE_LIMITS.documentBytes - 60), 'large');
    await phone.notes.create(tooLarge);
    await phone.notes.create(note('small', 'small'));
    const report = await synced(phone);
    expect(report).toMatchObject({ pushed: 1, rejectedCount: 1, rejected: [{ id: 'large', code: 'TOO_LARGE' }] });
    expect(await phone.engine.pending({ rejected: true })).toMatchObject([{ id: 'large', attempts: 1, rejected: { code: 'TOO_LARGE' } }]);
    expect(await synced(phone)).toMatchObject({ pushed: 0, rejectedCount: 0 });
    await phone.engine.deadLetters.edit({ container: 'notes', partitionKey: 'ada', id: 'large' }, note('smaller now', 'large'));
    expect(await synced(phone)).toMatchObject({ pushed: 1 });
    expect(await pendingOf(phone)).toBe(0);
  });
});

describe('whose edit stays', () => {
  const HOUR = 3_600_000;

  /** `first` edits, ten minutes later `second` edits and syncs, then `first` syncs. */
  async function race(first: Device, second: Device): Promise<string> {
    await first.notes.create(note('start', 'warm-up'));
    await synced(first);
    await second.notes.create(note('start'));
    await synced(second);
    await synced(first);
    await world.pass(60_000);
    await first.notes.replace(note('earlier'));
    await world.pass(600_000);
    await second.notes.replace(note('later'));
    await synced(second);
    await world.pass(600_000);
    await synced(first);
    await synced(second);
    expect(await contents(first.notes)).toEqual(await contents(second.notes));
    return (await contents(first.notes))['1']?.['text'] as string;
  }

  test('S1-D02: the clock of a device that runs an hour fast does not make its edits later', async () => {
    expect(await race(await device({ skewMs: HOUR }), await device())).toBe('later');
  });

  test('S1-D02: the clock of a device that runs an hour slow does not make its edits earlier', async () => {
    expect(await race(await device(), await device({ skewMs: -HOUR }))).toBe('later');
  });

  test('S1-D02: a device that learns only now that its clock is a day fast corrects what it wrote before, also where that conflicts', async () => {
    const fast = await device({ skewMs: 24 * HOUR });
    const right = await device();
    await fast.notes.create(note('earlier', 'a'));
    await fast.notes.create(note('something else', 'b'));
    await world.pass(600_000);
    await right.notes.create(note('later', 'a'));
    await synced(right);
    expect(await synced(fast)).toMatchObject({ pushed: 1, conflicts: [{ id: 'a', outcome: 'remote-wins' }] });
    // From here on it writes by server time.
    await fast.notes.replace(note('fast, first', 'b'));
    await synced(right);
    await world.pass(60_000);
    await right.notes.replace(note('right, second', 'b'));
    await synced(right);
    await synced(fast);
    expect(await contents(fast.notes)).toEqual({ a: note('later', 'a'), b: note('right, second', 'b') });
  });

  test('S1-D03: edits of the same millisecond have one winner, and both devices end equal', async () => {
    const [a, b] = [await device({ device: 'a' }), await device({ device: 'b' })];
    await a.notes.create(note('start'));
    await synced(a);
    await synced(b);
    await a.notes.replace(note('from a'));
    await b.notes.replace(note('from b'));
    await synced(b);
    expect(await synced(a)).toMatchObject({ conflicts: [{ outcome: 'remote-wins' }] });
    await synced(b);
    expect(await contents(a.notes)).toEqual({ 1: note('from b') });
    expect(await contents(b.notes)).toEqual({ 1: note('from b') });
    expect(await a.engine.journal()).toMatchObject([{ reason: 'remote-wins', losingSide: 'local', document: { text: 'from a' } }]);
  });

  test('S1-D04: deleting a synced document is a write of its own and reaches everybody', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.notes.create(note('short-lived'));
    await synced(phone);
    await synced(laptop);
    await phone.notes.delete('1', 'ada');
    expect(await synced(phone)).toMatchObject({ pushed: 1 });
    expect(await synced(laptop)).toMatchObject({ deletedLocally: 1 });
    expect(await laptop.notes.read('1', 'ada')).toBeUndefined();
  });

  test('S1-D05: an edit made while the document is being sent stays pending and is sent next', async () => {
    const phone = await device();
    await phone.notes.create(note('first'));
    let edited = false;
    plan = async (request) => {
      if (request === 'batch' && !edited) {
        edited = true;
        await phone.notes.replace(note('second'));
      }
      return undefined;
    };
    const report = await synced(phone);
    expect(report).toMatchObject({ pushed: 2, conflictCount: 0 });
    expect(await contents(await world.remote())).toEqual({ 1: note('second') });
    expect(await pendingOf(phone)).toBe(0);
  });

  test('S1-D06: a local edit between the reading and the applying of a page is not overwritten', async () => {
    const phone = await device();
    await (await world.remote()).create(note('remote'));
    await synced(phone);
    await (await world.remote()).replace(note('remote again'));
    await world.pass(5000);
    plan = async (request) => {
      if (request === 'changes') {
        plan = () => undefined;
        await phone.notes.replace(note('local, later'));
      }
      return undefined;
    };
    const report = await synced(phone);
    expect(report).toMatchObject({ conflicts: [{ outcome: 'local-wins' }], pushed: 1 });
    expect(await contents(phone.notes)).toEqual({ 1: note('local, later') });
    expect(await contents(await world.remote())).toEqual({ 1: note('local, later') });
    expect(await phone.engine.journal()).toMatchObject([{ losingSide: 'remote', document: { text: 'remote again' } }]);
  });

  test('S1-D07: of two devices that both edit, the second to send notices, and the loser can be brought back', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.notes.create(note('start'));
    await synced(phone);
    await synced(laptop);
    await world.pass(1000);
    await phone.notes.replace(note('phone'));
    await world.pass(1000);
    await laptop.notes.replace(note('laptop'));
    await synced(phone);
    expect(await synced(laptop)).toMatchObject({ pushed: 1, conflicts: [{ outcome: 'local-wins' }] });
    await synced(phone);
    expect(await contents(phone.notes)).toEqual({ 1: note('laptop') });
    const [entry] = await laptop.engine.journal();
    expect(entry?.document).toEqual(note('phone'));
    await laptop.engine.restore(entry?.seq ?? 0);
    await synced(laptop);
    await synced(phone);
    expect(await contents(phone.notes)).toEqual({ 1: note('phone') });
  });

  test('S1-D07: a write that comes between the reading of a conflict and the next attempt is noticed too', async () => {
    const phone = await device();
    const remote = await world.remote();
    await phone.notes.create(note('start'));
    await synced(phone);
    await phone.notes.replace(note('phone'));
    await remote.replace(note('stranger 1'));
    await world.pass(5000);
    await phone.notes.replace(note('phone, later'));
    let between = 2;
    plan = async (request) => {
      if (request === 'batch' && between > 0) {
        between -= 1;
        await remote.replace(note(`between ${between}`));
      }
      return undefined;
    };
    await synced(phone);
    const lost = (await phone.engine.journal()).map(({ document }) => document?.['text']);
    const final = (await contents(remote))['1']?.['text'] as string;
    expect(new Set([...lost, final])).toEqual(new Set(['between 1', 'between 0', 'phone, later']));
    expect(await contents(phone.notes)).toEqual(await contents(remote));
  });

  test('S1-D10: the first load does not overwrite what is pending', async () => {
    const remote = await world.remote();
    await remote.create(note('remote, older'));
    await remote.create(note('remote only', '2'));
    await world.pass(5000);
    const phone = await device();
    await phone.notes.create(note('local, newer'));
    const report = await synced(phone);
    expect(report.conflicts).toMatchObject([{ id: '1', outcome: 'local-wins' }]);
    expect(await contents(phone.notes)).toEqual({ 1: note('local, newer'), 2: note('remote only', '2') });
    expect(await contents(remote)).toEqual(await contents(phone.notes));
  });

  test('S1-D11: a document deleted at the remote without a tombstone is not brought back by a pending edit, and the edit is kept', async () => {
    const phone = await device();
    const remote = await world.remote();
    await phone.notes.create(note('start'));
    await synced(phone);
    await phone.notes.replace(note('edited offline'));
    await remote.delete('1', 'ada');
    expect(await synced(phone)).toMatchObject({ deletedLocally: 1, conflicts: [{ outcome: 'remote-deleted' }] });
    expect(await remote.read('1', 'ada')).toBeUndefined();
    expect(await phone.notes.read('1', 'ada')).toBeUndefined();
    const [entry] = await phone.engine.journal();
    expect(entry).toMatchObject({ reason: 'remote-deleted', document: { text: 'edited offline' } });
    await phone.engine.restore(entry?.seq ?? 0);
    await synced(phone);
    expect(await contents(remote)).toEqual({ 1: note('edited offline') });
  });

  test('S1-D11: a document deleted at the remote without a tombstone leaves the other devices at the next reconciliation', async () => {
    const phone = await device();
    const remote = await world.remote();
    await phone.notes.create(note('gone', '1'));
    await phone.notes.create(note('stays', '2'));
    await synced(phone);
    await remote.delete('1', 'ada');
    expect(await phone.engine.reconcile()).toMatchObject({ outcome: 'complete', deletedLocally: 1 });
    expect(await contents(phone.notes)).toEqual({ 2: note('stays', '2') });
    // And by itself, once the interval has passed.
    await remote.delete('2', 'ada');
    expect(await synced(phone)).toMatchObject({ deletedLocally: 0 });
    await world.pass(6 * 3_600_000);
    expect(await synced(phone)).toMatchObject({ deletedLocally: 1 });
  });

  test('S1-D12: deleted documents are in no read, query or feed of the device', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.notes.create(note('gone'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await synced(phone);
    await synced(laptop);
    for (const one of [phone, laptop]) {
      expect(await one.notes.read('1', 'ada')).toBeUndefined();
      expect(await one.notes.query('SELECT * FROM c').toArray()).toEqual([]);
      expect(await contents(one.notes)).toEqual({});
    }
  });

  test('S1-D26: a document whose own time stamp is null or missing takes part like any other, by the time of its write', async () => {
    const phone = await device();
    const remote = await world.remote();
    await remote.create({ ...note('theirs'), LastModified: null });
    await synced(phone);
    expect((await contents(phone.notes))['1']).toEqual({ ...note('theirs'), LastModified: null });
    await phone.notes.replace({ ...note('ours'), LastModified: null });
    await world.pass(5000);
    await remote.replace({ ...note('theirs, later'), LastModified: null });
    expect(await synced(phone)).toMatchObject({ conflicts: [{ outcome: 'remote-wins' }] });
    expect((await contents(phone.notes))['1']?.['text']).toBe('theirs, later');
  });

  test('S1-D27: two edits within one millisecond are ordered, and times kept as text keep all their digits', async () => {
    const [phone, laptop] = [await device({ device: 'z-phone' }), await device({ device: 'a-laptop' })];
    const precise = { ...note('exact'), LastModified: '2025-03-01T10:20:30.1234567Z' };
    await laptop.notes.create(precise);
    await synced(laptop);
    await synced(phone);
    expect((await contents(phone.notes))['1']).toEqual(precise);
    // Same millisecond on both; the laptop's second edit has the higher counter, though its device id is the lower one.
    await phone.notes.replace(note('phone, first of this millisecond'));
    await laptop.notes.replace(note('laptop, first'));
    await laptop.notes.replace(note('laptop, second'));
    await laptop.notes.replace(note('laptop, third'));
    await synced(phone);
    await synced(laptop);
    expect((await contents(laptop.notes))['1']?.['text']).toBe('laptop, third');
    expect(formatStamp({ timeMs: 1, counter: 2, device: 'x' }) < formatStamp({ timeMs: 1, counter: 10, device: 'a' })).toBe(true);
  });
});

test('a policy of ones own decides, and is asked with both versions', async () => {
  const longest = await device({
    policy: ({ local, remote }) => (JSON.stringify(local.document).length >= JSON.stringify(remote.document).length ? 'local' : 'remote'),
  });
  const remote = await world.remote();
  await longest.notes.create(note('start'));
  await synced(longest);
  await longest.notes.replace(note('short'));
  await world.pass(5000);
  await remote.replace(note('very much longer'));
  await synced(longest);
  expect((await contents(longest.notes))['1']?.['text']).toBe('very much longer');
});
