import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import type { DeadLetterExport, RejectedReport } from '../../src/sync/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, synced, World, type Device, type Note } from './world.ts';

let world: World;
let plan: FaultPlan;
let phone: Device;

const UNIQUE = { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] };

beforeEach(async () => {
  world = await World.open({ container: UNIQUE });
  plan = () => undefined;
  phone = await world.device({ wrap: (store) => faultyStore(store, (request) => plan(request)) });
});

afterEach(async () => {
  await world.close();
});

const note = (text: string, id: string, email = `${id}@example.org`): Note => ({ id, owner: 'ada', text, email });
const keyOf = (id: string): { container: string; partitionKey: string; id: string } => ({ container: 'notes', partitionKey: 'ada', id });

/** Leaves one dead letter, an edit of `bad` to an address that another document holds. */
async function refusedEdit(): Promise<void> {
  const remote = await world.remote();
  await remote.create(note('holder', 'holder', 'taken@example.org'));
  await phone.notes.create(note('first', 'bad'));
  await synced(phone);
  await phone.notes.replace(note('refused', 'bad', 'taken@example.org'));
  await phone.notes.create(note('fine', 'other'));
  expect(await synced(phone)).toMatchObject({ pushed: 1, rejected: [{ id: 'bad', code: 'CONFLICT' }] });
}

/** The engine anew on the same file, as after a restart. */
async function restarted(): Promise<SyncEngine> {
  await phone.engine.close();
  return SyncEngine.open({
    backend: phone.backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: (container) => world.cloud.container('app', container),
  });
}

describe('what a dead letter says', () => {
  test('code, reason, attempts, first and last time, and both versions', async () => {
    const startedAtMs = world.runtime.nowMs();
    await refusedEdit();
    const etag = (await (await world.remote()).read('bad', 'ada'))?.etag;
    const [letter, ...others] = await phone.engine.deadLetters.list();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      container: 'notes',
      partitionKey: ['ada'],
      id: 'bad',
      code: 'CONFLICT',
      attempts: 1,
      firstAtMs: startedAtMs,
      lastAtMs: startedAtMs,
      local: note('refused', 'bad', 'taken@example.org'),
      remote: { state: 'present', document: note('first', 'bad'), etag },
    });
    expect(letter?.message).not.toBe('');
    expect(letter?.message).not.toContain('taken@example.org');
    await world.pass(5000);
    expect(await phone.engine.deadLetters.retry(keyOf('bad'))).toBe(1);
    expect(await phone.engine.deadLetters.list()).toEqual([]);
    await synced(phone);
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ attempts: 2, firstAtMs: startedAtMs, lastAtMs: startedAtMs + 5000 }]);
    expect(await phone.engine.status()).toMatchObject({ rejected: 1, pending: 1 });
  });

  test('an event tells of each, once, and finds both versions in the list', async () => {
    const events: RejectedReport[] = [];
    const lists: Promise<unknown>[] = [];
    phone.engine.on('deadLetter', (event) => {
      events.push(event);
      lists.push(phone.engine.deadLetters.list());
    });
    await refusedEdit();
    await synced(phone);
    expect(events).toEqual([{ container: 'notes', partitionKey: ['ada'], id: 'bad', code: 'CONFLICT' }]);
    expect(await lists[0]).toMatchObject([{ id: 'bad', remote: { state: 'present' } }]);
  });

  test.each([
    ['a document that the remote does not have', async (): Promise<void> => Promise.resolve(), { state: 'missing' }],
    [
      'one that was deleted there',
      async (): Promise<void> => {
        const laptop = await world.device();
        await laptop.notes.create(note('short', 'new'));
        await synced(laptop);
        await laptop.notes.delete('new', 'ada');
        await synced(laptop);
      },
      { state: 'deleted' },
    ],
  ] as const)('%s', async (_name, prepare, remote) => {
    await prepare();
    await world.pass(5000);
    await phone.notes.create(note('x', 'new'));
    plan = (request) => (request === 'batch' ? fault('TOO_LARGE') : undefined);
    await synced(phone);
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ code: 'TOO_LARGE', remote }]);
  });

  test('a refused deletion has no local document', async () => {
    await phone.notes.create(note('x', 'kept'));
    await synced(phone);
    await phone.notes.delete('kept', 'ada');
    plan = (request) => (request === 'batch' ? fault('BAD_REQUEST') : undefined);
    await phone.engine.sync();
    await phone.engine.sync();
    const [letter] = await phone.engine.deadLetters.list();
    expect(letter).toMatchObject({ remote: { state: 'present', document: note('x', 'kept') } });
    expect(letter?.local).toBeUndefined();
    plan = () => undefined;
    await phone.engine.deadLetters.discard(keyOf('kept'));
    expect(await contents(phone.notes)).toEqual({ kept: note('x', 'kept') });
  });

  test.each(['UNREACHABLE', 'FORBIDDEN'] as const)(
    'where the remote version cannot be read (%s), it is read by a later run',
    async (code: ErrorCode) => {
      await phone.notes.create(note('x', 'new'));
      plan = (request) => (request === 'batch' ? fault('TOO_LARGE') : request === 'readMany' ? fault(code) : undefined);
      const report = await phone.engine.sync();
      // A document that nobody may read does not keep the others from being pulled.
      expect(report.outcome).toBe(code === 'FORBIDDEN' ? 'complete' : 'failed');
      expect(await phone.engine.deadLetters.list()).toMatchObject([{ code: 'TOO_LARGE', remote: { state: 'unknown' } }]);
      plan = () => undefined;
      await synced(phone);
      expect(await phone.engine.deadLetters.list()).toMatchObject([{ code: 'TOO_LARGE', remote: { state: 'missing' } }]);
    },
  );

  test('a long list comes in pages, and all of it as JSON', async () => {
    for (let index = 0; index < 120; index += 1) {
      await phone.notes.create(note('x', `n${index}`));
    }
    await phone.notes.create(note('gone', 'deleted'));
    plan = (request) => (request === 'batch' ? fault('BAD_REQUEST') : undefined);
    await phone.engine.sync();
    await phone.notes.delete('deleted', 'ada');
    expect(await phone.engine.deadLetters.list()).toHaveLength(100);
    expect(await phone.engine.deadLetters.list({ limit: 3, container: 'notes' })).toHaveLength(3);
    expect(await phone.engine.deadLetters.list({ container: 'others' })).toEqual([]);
    const entries: DeadLetterExport[] = [];
    for await (const entry of phone.engine.deadLetters.export()) {
      expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
      entries.push(entry);
    }
    expect(new Set(entries.map(({ id }) => id)).size).toBe(121);
    expect(entries.find(({ id }) => id === 'n7')).toMatchObject({
      partitionKey: ['ada'],
      local: note('x', 'n7'),
      remote: { state: 'missing' },
    });
    expect(entries.find(({ id }) => id === 'deleted')).toMatchObject({ local: null });
  });
});

describe('later writes', () => {
  test('wait behind the dead letter, take its place, and are sent with it', async () => {
    await refusedEdit();
    await phone.notes.replace(note('repaired by the application', 'bad'));
    await phone.notes.patch('bad', 'ada', [{ op: 'set', path: '/more', value: 1 }]);
    const batches: number[] = [];
    plan = (request) => {
      batches.push(request === 'batch' ? 1 : 0);
      return undefined;
    };
    expect(await synced(phone)).toMatchObject({ pushed: 0, rejectedCount: 0 });
    expect(batches).not.toContain(1);
    const waiting = { ...note('repaired by the application', 'bad'), more: 1 };
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ id: 'bad', attempts: 1, local: waiting }]);
    // Also after a restart.
    const engine = await restarted();
    await engine.sync();
    expect((await contents(await world.remote()))['bad']).toEqual(note('first', 'bad'));
    expect(await engine.deadLetters.retry()).toBe(1);
    expect(await engine.sync()).toMatchObject({ pushed: 1 });
    expect((await contents(await world.remote()))['bad']).toEqual(waiting);
    expect(await engine.pending()).toEqual([]);
    await engine.close();
  });

  test('a deletion waits as well, and others go on', async () => {
    await refusedEdit();
    await phone.notes.delete('bad', 'ada');
    await phone.notes.create(note('more', 'more'));
    expect(await synced(phone)).toMatchObject({ pushed: 1 });
    expect(Object.keys(await contents(await world.remote()))).toEqual(['bad', 'holder', 'more', 'other']);
    await phone.engine.deadLetters.retry();
    await synced(phone);
    expect(Object.keys(await contents(await world.remote()))).toEqual(['holder', 'more', 'other']);
  });

  test('an edit made while the refused one was under way is another write, and is sent', async () => {
    await (await world.remote()).create(note('holder', 'holder', 'taken@example.org'));
    await phone.notes.create(note('refused', 'bad', 'taken@example.org'));
    let sent = 0;
    plan = async (request) => {
      sent += request === 'batch' ? 1 : 0;
      if (request === 'batch' && sent === 2) {
        await phone.notes.replace(note('good', 'bad'));
      }
      return undefined;
    };
    expect(await synced(phone)).toMatchObject({ rejectedCount: 0 });
    await synced(phone);
    expect((await contents(await world.remote()))['bad']).toEqual(note('good', 'bad'));
  });

  test('what the remote gets meanwhile is decided as ever, and the list shows it', async () => {
    await refusedEdit();
    await world.pass(5000);
    await phone.notes.replace(note('later here', 'bad', 'taken@example.org'));
    await (await world.remote()).replace(note('in between', 'bad'));
    await world.pass(5000);
    await phone.notes.replace(note('latest here', 'bad', 'taken@example.org'));
    expect(await synced(phone)).toMatchObject({ conflicts: [{ outcome: 'local-wins' }] });
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ remote: { state: 'present', document: note('in between', 'bad') } }]);
    await phone.engine.deadLetters.discard(keyOf('bad'));
    expect((await contents(phone.notes))['bad']).toEqual(note('in between', 'bad'));
    await world.pass(5000);
    await (await world.remote()).replace(note('after that', 'bad'));
    expect(await synced(phone)).toMatchObject({ pulled: 1, conflictCount: 0 });
    expect(await contents(phone.notes)).toEqual(await contents(await world.remote()));
  });
});

describe('repair', () => {
  test('an edited dead letter is sent', async () => {
    await refusedEdit();
    await phone.engine.deadLetters.edit(keyOf('bad'), note('repaired', 'bad', 'free@example.org'));
    expect(await phone.engine.deadLetters.list()).toEqual([]);
    expect(await synced(phone)).toMatchObject({ pushed: 1, conflictCount: 0 });
    expect((await contents(await world.remote()))['bad']).toEqual(note('repaired', 'bad', 'free@example.org'));
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('a retry of one leaves the others', async () => {
    for (const id of ['a', 'b']) {
      await phone.notes.create(note('x', id));
    }
    plan = (request) => (request === 'batch' ? fault('BAD_REQUEST') : undefined);
    await phone.engine.sync();
    plan = () => undefined;
    expect(await phone.engine.deadLetters.retry(keyOf('a'))).toBe(1);
    expect(await phone.engine.deadLetters.retry(keyOf('a'))).toBe(0);
    expect(await synced(phone)).toMatchObject({ pushed: 1 });
    expect(await phone.engine.deadLetters.list()).toMatchObject([{ id: 'b' }]);
  });

  test('an edit that is none is refused, and so is one of what is no dead letter', async () => {
    await refusedEdit();
    const { deadLetters } = phone.engine;
    await expect(deadLetters.edit(keyOf('bad'), note('x', 'elsewhere'))).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
    await expect(deadLetters.edit(keyOf('bad'), { ...note('x', 'bad'), owner: 'bob' })).rejects.toMatchObject({
      code: 'PARTITION_KEY_MISMATCH',
    });
    await expect(deadLetters.edit(keyOf('bad'), { ...note('x', 'bad'), _perigee: 1 })).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
    await expect(deadLetters.edit(keyOf('other'), note('x', 'other'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(deadLetters.discard(keyOf('other'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(deadLetters.discard({ ...keyOf('bad'), partitionKey: 'bob' })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    expect(await deadLetters.list()).toMatchObject([{ id: 'bad', local: note('refused', 'bad', 'taken@example.org') }]);
  });
});

describe('discarding', () => {
  test('puts the remote version in its place, offline and for good, and keeps the local one in the journal', async () => {
    await refusedEdit();
    plan = () => fault('UNREACHABLE');
    await phone.engine.deadLetters.discard(keyOf('bad'));
    expect((await contents(phone.notes))['bad']).toEqual(note('first', 'bad'));
    expect(await phone.engine.journal()).toMatchObject([
      { seq: 1, reason: 'discarded', losingSide: 'local', document: note('refused', 'bad', 'taken@example.org') },
    ]);
    expect(await phone.engine.status()).toMatchObject({ pending: 0, rejected: 0 });
    plan = () => undefined;
    const engine = await restarted();
    expect(await engine.sync()).toMatchObject({ outcome: 'complete', pushed: 0, conflictCount: 0 });
    expect(await contents(engine.store<Note>('notes'))).toEqual(await contents(await world.remote()));
    // It can be brought back.
    await engine.restore(1);
    expect(await engine.sync()).toMatchObject({ rejected: [{ id: 'bad' }] });
    await engine.close();
  });

  test('a document that the remote does not have leaves the device', async () => {
    await (await world.remote()).create(note('holder', 'holder', 'taken@example.org'));
    await phone.notes.create(note('refused', 'bad', 'taken@example.org'));
    await synced(phone);
    await phone.engine.deadLetters.discard(keyOf('bad'));
    expect(Object.keys(await contents(phone.notes))).toEqual(['holder']);
    await phone.engine.reconcile();
    expect(await contents(phone.notes)).toEqual(await contents(await world.remote()));
    expect(await phone.engine.journal()).toMatchObject([{ reason: 'discarded', document: { text: 'refused' } }]);
  });

  test('where the remote could not be asked, the document is there again after the next run', async () => {
    await phone.notes.create(note('first', 'bad'));
    await synced(phone);
    await phone.notes.replace(note('refused', 'bad'));
    plan = (request) => (request === 'batch' ? fault('TOO_LARGE') : fault('UNREACHABLE'));
    await phone.engine.sync();
    await phone.engine.deadLetters.discard(keyOf('bad'));
    expect(await contents(phone.notes)).toEqual({});
    expect(await phone.engine.journal()).toMatchObject([{ document: { text: 'refused' } }]);
    plan = () => undefined;
    const engine = await restarted();
    expect(await engine.sync()).toMatchObject({ outcome: 'complete', pulled: 1 });
    expect(await contents(engine.store<Note>('notes'))).toEqual({ bad: note('first', 'bad') });
    await engine.close();
  });

  test('what was repaired or discarded is scheduled by itself', async () => {
    await refusedEdit();
    phone.engine.start({ intervalMs: 3_600_000, debounceMs: 100, jitter: 0 });
    await world.pass(1000);
    await phone.engine.deadLetters.edit(keyOf('bad'), note('repaired', 'bad'));
    await world.pass(1000);
    expect((await contents(await world.remote()))['bad']).toEqual(note('repaired', 'bad'));
    phone.engine.stop();
  });
});
