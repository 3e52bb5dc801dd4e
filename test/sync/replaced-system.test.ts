/** The cases that the tests of the replaced system exercise, by number, through the interface that takes its place. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { ScopeEntry } from '../../src/sync/index.ts';
import { countStatus } from '../../src/sync/status.ts';
import { contents, synced, World, type Device, type Note } from './world.ts';

const MINUTE = 60_000;
let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  await world.close();
});

const note = (text: string, id = '1', owner = 'ada'): Note => ({ id, owner, text });

/** The replaced system keys documents by `user:type`; each is a scope entry here. */
const entry = (partitionKey: string): ScopeEntry => ({ container: 'notes', partitionKey });

const pendingIds = async (device: Device): Promise<readonly string[]> => (await device.engine.pending()).map(({ id }) => id);

/** Puts a version on the phone and another at the remote, the second a minute after the first, on top of one that both had. */
async function diverge(first: 'phone' | 'remote', id = '1'): Promise<Device> {
  const phone = await world.device();
  const remote = await world.remote();
  await phone.notes.create(note('start', id));
  await synced(phone);
  for (const side of first === 'phone' ? (['phone', 'remote'] as const) : (['remote', 'phone'] as const)) {
    await world.pass(MINUTE);
    await (side === 'phone' ? phone.notes : remote).replace(note(side, id));
  }
  return phone;
}

describe('one document', () => {
  test('S1-C01, S1-C12, S1-C26: what is only local reaches the remote, and nothing stays pending', async () => {
    const phone = await world.device();
    await phone.notes.bulk(['1', '2', '3'].map((id) => ({ type: 'create', document: note('x', id) })));
    expect(await pendingIds(phone)).toEqual(['1', '2', '3']);
    expect(await synced(phone)).toMatchObject({ pushed: 3 });
    expect(await pendingIds(phone)).toEqual([]);
    expect(await contents(await world.remote())).toEqual({ 1: note('x', '1'), 2: note('x', '2'), 3: note('x', '3') });
  });

  test('S1-C02, S1-C06, S1-C14: the later local version is pushed, not overwritten, and arrives exactly', async () => {
    const phone = await diverge('remote');
    const exact = { ...note('phone'), LastModified: '2025-07-01T08:00:00.1234567+02:00' };
    await phone.notes.replace(exact);
    expect(await synced(phone)).toMatchObject({ pushed: 1, pulled: 0, conflicts: [{ outcome: 'local-wins' }] });
    expect(await contents(await world.remote())).toEqual({ 1: exact });
    expect(await contents(phone.notes)).toEqual({ 1: exact });
  });

  test('S1-C03, S1-C04, S1-C23: the later remote version is taken, the pending row goes, and the local version is in the journal', async () => {
    const phone = await diverge('phone');
    expect(await synced(phone)).toMatchObject({ pushed: 0, pulled: 1, conflicts: [{ outcome: 'remote-wins' }] });
    expect(await pendingIds(phone)).toEqual([]);
    expect(await contents(phone.notes)).toEqual({ 1: note('remote') });
    expect(await phone.engine.journal()).toMatchObject([{ document: { text: 'phone' } }]);
  });

  test('S1-C05, S1-C11, S1-C13, S1-C27: what is only remote arrives, and what arrives is never pending', async () => {
    await (await world.remote()).create(note('remote'));
    const phone = await world.device();
    expect(await synced(phone)).toMatchObject({ pushed: 0, pulled: 1 });
    expect(await contents(phone.notes)).toEqual({ 1: note('remote') });
    expect(await pendingIds(phone)).toEqual([]);
    await synced(phone);
    expect(await contents(await world.remote())).toEqual({ 1: note('remote') });
  });
});

describe('scope in place of user and type', () => {
  test('S1-C07, S1-C17, S1-C18, S1-C20: only what is in scope is loaded: not other users, not other types', async () => {
    const remote = await world.remote();
    await remote.create(note('item of user 1', '1', 'user1:Item'));
    await remote.create(note('order of user 1', '1', 'user1:Order'));
    await remote.create(note('item of user 2', '1', 'user2:Item'));
    const phone = await world.device({ scope: [entry('user1:Item')] });
    expect(await synced(phone)).toMatchObject({ pulled: 1 });
    expect(await phone.notes.query('SELECT VALUE c.text FROM c').toArray()).toEqual(['item of user 1']);
  });

  test('S1-C08, S1-C09, S1-C21: a type is what the document says; a container of several types is filtered by value, a missing one is none', async () => {
    const remote = await world.remote();
    await remote.create({ ...note('custom', '1'), type: 'CustomType' });
    await remote.create({ ...note('null', '2'), type: null });
    await remote.create(note('missing', '3'));
    const phone = await world.device({
      scope: [{ container: 'notes', partitionKey: 'ada', types: { path: '/type', values: ['CustomType', null] } }],
    });
    await synced(phone);
    expect(Object.keys(await contents(phone.notes))).toEqual(['1', '2']);
    await phone.notes.create({ ...note('local', '4'), type: 'CustomType' });
    await synced(phone);
    expect((await remote.read('4', 'ada'))?.document['type']).toBe('CustomType');
    // A type that changes elsewhere to one outside the filter leaves the device, at the next pull as at a reconciliation.
    await remote.replace({ ...note('another now', '1'), type: 'Other' });
    await synced(phone);
    expect(Object.keys(await contents(phone.notes))).toEqual(['2', '4']);
    expect(await phone.engine.reconcile()).toMatchObject({ outcome: 'complete', pulled: 0, deletedLocally: 0 });
  });

  test('S1-C10, S1-C22, S1-C25: a user is not blank, and each has a file: the other users stay as they were', async () => {
    for (const user of ['', ' ', '\t']) {
      await expect(world.device({ user })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    const remote = await world.remote();
    await remote.create(note('of ada'));
    await remote.create(note('of bob', '1', 'bob'));
    const ada = await world.device();
    const bob = await world.device({ user: 'bob', scope: [entry('bob')] });
    await synced(ada);
    await synced(bob);
    expect(await contents(bob.notes, 'bob')).toEqual({ 1: note('of bob', '1', 'bob') });
    expect(await contents(ada.notes)).toEqual({ 1: note('of ada') });
  });

  test('S1-C16, S1-C19: several types in one file and one container do not mix', async () => {
    const phone = await world.device({ scope: [entry('u:Item'), entry('u:Order')] });
    await phone.notes.bulk(
      Array.from({ length: 5 }, (_, index) => ({
        type: 'create',
        document: note(`item ${index}`, `${index}`, 'u:Item'),
      })),
    );
    await phone.notes.create(note('order', '1', 'u:Order'));
    expect(await synced(phone)).toMatchObject({ pushed: 6 });
    const remote = await world.remote();
    expect(Object.keys(await contents(remote, 'u:Item'))).toHaveLength(5);
    expect(await contents(remote, 'u:Order')).toEqual({ 1: note('order', '1', 'u:Order') });
  });
});

describe('whole syncs', () => {
  test('S1-C15, S1-C30: two local, two remote and a conflict each way end as they should in one sync, nothing sent comes back', async () => {
    const phone = await world.device();
    const remote = await world.remote();
    for (const id of ['c1', 'c2']) {
      await phone.notes.create(note('start', id));
    }
    await synced(phone);
    await phone.notes.replace(note('local, earlier', 'c2'));
    await world.pass(MINUTE);
    await remote.replace(note('remote, earlier', 'c1'));
    await remote.replace(note('remote, later', 'c2'));
    await remote.create(note('remote only', 'r1'));
    await remote.create(note('remote only', 'r2'));
    await world.pass(MINUTE);
    await phone.notes.replace(note('local, later', 'c1'));
    await phone.notes.create(note('local only', 'l1'));
    await phone.notes.create(note('local only', 'l2'));
    const report = await synced(phone);
    expect(report).toMatchObject({ pushed: 3, pulled: 3, conflictCount: 2 });
    expect(await contents(phone.notes)).toEqual(await contents(remote));
    expect(Object.values(await contents(phone.notes)).map(({ text }) => text)).toEqual([
      'local, later',
      'remote, later',
      'local only',
      'local only',
      'remote only',
      'remote only',
    ]);
    expect(await pendingIds(phone)).toEqual([]);
  });

  test('S1-C24: a document without a usable id is refused where it is written, and the others go on', async () => {
    const phone = await world.device();
    for (const id of ['', undefined, null]) {
      await expect(phone.notes.create({ owner: 'ada', id } as unknown as Note)).rejects.toMatchObject({ code: 'INVALID_ID' });
    }
    await phone.notes.create(note('valid'));
    expect(await synced(phone)).toMatchObject({ pushed: 1 });
  });

  test('S1-C31: empty sides, one empty side, fifty against fifty, other users, odd texts: each document once and as it was', async () => {
    const phone = await world.device();
    expect(await synced(phone)).toMatchObject({ pushed: 0, pulled: 0 });
    const remote = await world.remote();
    const odd = ['Žluťoučký kůň, 日本語, 🦜', 'x'.repeat(1000), '{"looks":"like JSON"}', 'null', '', '2025-01-01T00:00:00.0000001Z'];
    await phone.notes.bulk(
      Array.from({ length: 50 }, (_, index) => ({
        type: 'create',
        document: note(odd[index % odd.length] as string, `l${index}`),
      })),
    );
    await remote.bulk(
      Array.from({ length: 50 }, (_, index) => ({
        type: 'create',
        document: note(odd[index % odd.length] as string, `r${index}`),
      })),
    );
    await remote.create(note('of another', 'x', 'bob'));
    expect(await synced(phone)).toMatchObject({ pushed: 50, pulled: 50 });
    expect(await contents(phone.notes)).toEqual(await contents(remote));
    const ids = await phone.notes.query<string>('SELECT VALUE c.id FROM c').toArray();
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(100);
  });
});

describe('forced pushes', () => {
  test('S1-C28: a forced push overwrites a later remote version, which is kept in the journal, and clears the pending row', async () => {
    const phone = await diverge('phone');
    expect(await phone.engine.forcePush('notes', '1', 'ada')).toBe(true);
    expect(await contents(await world.remote())).toEqual({ 1: note('phone') });
    expect(await pendingIds(phone)).toEqual([]);
    expect(await phone.engine.journal()).toMatchObject([{ reason: 'forced', losingSide: 'remote', document: { text: 'remote' } }]);
    expect(await synced(phone)).toMatchObject({ pushed: 0, conflictCount: 0 });
    expect(await contents(phone.notes)).toEqual({ 1: note('phone') });
  });

  test('S1-C28: it says when there is nothing to send, refuses what is no id, and works again and again', async () => {
    const phone = await world.device();
    expect(await phone.engine.forcePush('notes', 'absent', 'ada')).toBe(false);
    expect(await phone.engine.forcePush('notes', '   ', 'ada')).toBe(false);
    for (const id of ['', null, undefined]) {
      await expect(phone.engine.forcePush('notes', id as string, 'ada')).rejects.toMatchObject({ code: 'INVALID_ID' });
    }
    await expect(phone.engine.forcePush('notes', '1', 'bob')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    const id = '6f9619ff-8b86-d011-b42d-00c04fc964ff';
    await phone.notes.create(note('first', id));
    for (const text of ['first', 'second', 'third']) {
      await phone.notes.upsert(note(text, id));
      expect(await phone.engine.forcePush('notes', id, 'ada')).toBe(true);
      expect((await (await world.remote()).read(id, 'ada'))?.document.text).toBe(text);
    }
    // Also of a document that is not pending.
    await (await world.remote()).delete(id, 'ada');
    expect(await phone.engine.forcePush('notes', id, 'ada')).toBe(true);
    expect((await (await world.remote()).read(id, 'ada'))?.document.text).toBe('third');
  });

  test('S1-C29: everything pending is forced, the count is told, nothing is left', async () => {
    const phone = await diverge('phone');
    expect(await (await world.device()).engine.forcePushAll()).toBe(0);
    await phone.notes.bulk(Array.from({ length: 50 }, (_, index) => ({ type: 'create', document: note('x', `n${index}`) })));
    expect(await phone.engine.forcePushAll()).toBe(51);
    expect((await contents(await world.remote()))['1']).toEqual(note('phone'));
    expect(await pendingIds(phone)).toEqual([]);
    expect(await phone.engine.forcePushAll()).toBe(0);
  });
});

describe('forced pushes to a remote that does not answer', () => {
  /** A remote that takes what is asked of it, and answers nothing before it is told to stop. */
  function silent(store: DocumentStore<JsonObject>): DocumentStore<JsonObject> {
    const wait = (...given: readonly unknown[]): Promise<never> =>
      new Promise((_, reject) => {
        const { signal } = given.at(-1) as { readonly signal: AbortSignal };
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    return new Proxy(store, {
      get: (target, name) => (name === 'readMany' || name === 'batch' ? wait : (Reflect.get(target, name, target) as unknown)),
    });
  }

  test('end with the engine, which leaves what was to be sent pending', async () => {
    const phone = await world.device({ wrap: silent });
    await phone.notes.create(note('phone'));
    const pushes = [phone.engine.forcePush('notes', '1', 'ada'), phone.engine.forcePushAll()].map((push) =>
      expect(push).rejects.toMatchObject({ code: 'CLOSED' }),
    );
    await world.runtime.settle();
    await phone.engine.close();
    await Promise.all(pushes);
    expect(await phone.backend.database.read(() => countStatus())).toMatchObject({ pending: 1, rejected: 0 });
  });
});

describe('stores', () => {
  test('S1-C32, S1-C34: reads by key, by partition key and with exclusions answer from the device; nothing is an empty list', async () => {
    const phone = await world.device({ scope: [entry('u:Item'), entry('v:Item')] });
    expect(await phone.notes.query('SELECT * FROM c', { partitionKey: 'u:Item' }).toArray()).toEqual([]);
    await phone.notes.upsert(note('one', '1', 'u:Item'));
    await phone.notes.bulk(['2', '3'].map((id) => ({ type: 'upsert', document: note('more', id, 'u:Item') })));
    await phone.notes.upsert(note('other', '1', 'v:Item'));
    expect((await phone.notes.read('1', 'u:Item'))?.document.text).toBe('one');
    const ids = (excluded: readonly string[]): Promise<unknown[]> =>
      phone.notes
        .query(
          {
            query: 'SELECT VALUE c.id FROM c WHERE NOT ARRAY_CONTAINS(@excluded, c.id)',
            parameters: [{ name: '@excluded', value: excluded }],
          },
          { partitionKey: 'u:Item' },
        )
        .toArray();
    expect(await ids([])).toEqual(['1', '2', '3']);
    expect(await ids(['2', 'absent'])).toEqual(['1', '3']);
    expect(await ids(Array.from({ length: 2000 }, (_, index) => `${index}`))).toEqual([]);
  });

  test('S1-C33: pending documents are listed after a write, by container, and gone after the push', async () => {
    const phone = await world.device();
    await phone.notes.upsert(note('x'));
    expect(await phone.engine.pending({ container: 'notes' })).toMatchObject([
      { container: 'notes', partitionKey: ['ada'], id: '1', kind: 'put' },
    ]);
    expect(await phone.engine.pending({ container: 'others' })).toEqual([]);
    await synced(phone);
    expect(await phone.engine.pending()).toEqual([]);
  });

  test('S1-C35: nested arrays and objects arrive as they were, property order included', async () => {
    const plan = {
      ...note('plan'),
      domains: [
        {
          name: 'reading',
          goals: [
            { level: 3, done: [true, false, null] },
            { level: 1, done: [] },
          ],
        },
        { name: 'speech', goals: [] },
      ],
    };
    const [phone, laptop] = [await world.device(), await world.device()];
    await phone.notes.create(plan);
    await synced(phone);
    await synced(laptop);
    expect(JSON.stringify((await contents(laptop.notes))['1'])).toBe(JSON.stringify(plan));
  });
});
