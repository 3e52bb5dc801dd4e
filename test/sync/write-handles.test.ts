import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverWins, type SyncedStore } from '../../src/sync/index.ts';
import { World, type Device, type Note } from './world.ts';

let world: World;
let ada: Device;
let notes: SyncedStore<Note>;

beforeEach(async () => {
  world = await World.open({ seed: 9 });
  ada = await world.device({ policy: serverWins });
  notes = ada.engine.store<Note>('notes');
});

afterEach(() => world.close());

const note = (id: string, text = ''): Note => ({ id, owner: 'ada', text });

/** What became of a promise by now. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve('waits'), 20));
  return Promise.race([
    promise.then(
      () => 'reached',
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    ),
    late,
  ]);
}

test('every kind of write is reached when the remote has it or what took its place, and not before', async () => {
  const first = await notes.create(note('a', 'first'));
  const writes = [
    first,
    await notes.upsert(note('a', 'second')),
    await notes.replace(note('a', 'third')),
    await notes.patch('a', 'ada', [{ op: 'set', path: '/text', value: 'fourth' }]),
    await notes.batch('ada', [
      { type: 'create', document: note('b') },
      { type: 'read', id: 'a' },
    ]),
    await notes.bulk([
      { type: 'upsert', document: note('c') },
      { type: 'create', document: note('a') },
    ]),
  ];
  expect(Object.keys(first)).not.toContain('reached');
  await first.reached('local');
  const waiting = writes.map((write) => write.reached('remote'));
  expect(await Promise.all(waiting.map(stateOf))).toEqual(writes.map(() => 'waits'));
  await ada.engine.sync();
  expect(await Promise.all(waiting.map(stateOf))).toEqual(writes.map(() => 'reached'));

  const deleted = await notes.delete('a', 'ada');
  const gone = deleted.reached('remote');
  expect(await stateOf(gone)).toBe('waits');
  await ada.engine.sync();
  await gone;
  await first.reached('remote');
});

test('a lost conflict is SYNC_LOST with its entry, asked for before or after; the next write of the document is another matter', async () => {
  await notes.create(note('a', 'base'));
  await ada.engine.sync();
  await (await world.remote()).upsert(note('a', 'theirs'));
  const write = await notes.upsert(note('a', 'mine'));
  const before = write.reached('remote');
  const caught = expect(before).rejects.toMatchObject({ code: 'SYNC_LOST' });
  await ada.engine.sync();
  await caught;
  const [entry] = await ada.engine.journal();
  await expect(write.reached('remote')).rejects.toMatchObject({ code: 'SYNC_LOST', details: { journalSeq: entry?.seq } });

  const next = await notes.upsert(note('a', 'mine again'));
  await ada.engine.sync();
  await next.reached('remote');
});

test('a dead letter rejects with its code, and a discarded one is lost', async () => {
  const device = await world.device({
    device: 'refused',
    wrap: (store) =>
      new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (name === 'batch') {
            return async (...args: Parameters<typeof target.batch>) => {
              // What no remote takes: it is refused for a reason of its own.
              const refused = args[1].map((one) => ('document' in one ? { ...one, document: { ...one.document, ttl: 0 } } : one));
              return target.batch(args[0], refused as never, args[2]);
            };
          }
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        },
      }),
  });
  const write = await device.engine.store<Note>('notes').create(note('z'));
  await device.engine.sync();
  const [letter] = await device.engine.deadLetters.list();
  await expect(write.reached('remote')).rejects.toMatchObject({ code: letter?.code, details: { id: 'z' } });
  await device.engine.deadLetters.discard({ container: 'notes', partitionKey: 'ada', id: 'z' });
  await expect(write.reached('remote')).rejects.toMatchObject({ code: 'SYNC_LOST', details: { reason: 'discarded' } });
});

test('waiting ends with the time, the signal and the engine, and a container without a remote has nothing to wait for', async () => {
  const write = await notes.create(note('a'));
  const timed = expect(write.reached('remote', { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  await stateOf(Promise.resolve());
  await world.pass(5000);
  await timed;
  const reason = new Error('left');
  const controller = new AbortController();
  const left = expect(write.reached('remote', { signal: controller.signal })).rejects.toBe(reason);
  controller.abort(reason);
  await left;
  const closed = expect(write.reached('remote')).rejects.toMatchObject({ code: 'CLOSED' });
  await ada.engine.close();
  await closed;

  const local = await world.device({ localContainers: [{ id: 'drafts', partitionKey: '/owner' }] });
  const draft = await local.engine.store<Note>('drafts').create(note('d'));
  await draft.reached('local');
  await expect(draft.reached('remote')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
});

test('what another engine on the file sends is noticed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-handles-'));
  try {
    const path = join(folder, 'ada.db');
    const [writer, sender] = [await world.device({ path, device: 'one' }), await world.device({ path, device: 'one' })];
    const write = await writer.engine.store<Note>('notes').create(note('a'));
    const waiting = write.reached('remote');
    expect(await stateOf(waiting)).toBe('waits');
    expect((await sender.engine.sync()).pushed).toBe(1);
    await world.runtime.runUntilSettled(waiting);
    await world.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
    world = await World.open();
  }
});
