import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { fault, faultyStore, withoutPositions } from './faulty-store.ts';
import { contents, NOTES, SkewedRuntime, synced, World, type Note } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  await world.close();
});

const note = (text: string, id = '1', more: object = {}): Note => ({ id, owner: 'ada', text, ...more });

test('what a device sends does not change the etags that its applications have read', async () => {
  const phone = await world.device();
  await phone.notes.create(note('first'));
  const read = await phone.notes.read('1', 'ada');
  await synced(phone);
  await phone.notes.replace(note('second'), { ifMatch: read?.etag });
  await synced(phone);
  expect(await contents(await world.remote())).toEqual({ 1: note('second') });
});

test('who asks for a run that others have given up gets a run of their own', async () => {
  const phone = await world.device();
  const first = phone.engine.sync();
  const controller = new AbortController();
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  const second = phone.engine.sync({ signal: controller.signal });
  controller.abort();
  const third = phone.engine.sync();
  await expect(second).rejects.toThrow();
  expect((await first).outcome).toBe('complete');
  expect((await third).outcome).toBe('complete');
});

test('a reconciliation is due also when the clock was ahead at the last one', async () => {
  const phone = await world.device({ skewMs: 400 * 86_400_000 });
  await (await world.remote()).create(note('first'));
  await synced(phone);
  phone.runtime.skewMs = 0;
  await synced(phone);
  await (await world.remote()).delete('1', 'ada');
  await world.pass(7 * 3_600_000);
  await synced(phone);
  expect(await contents(phone.notes)).toEqual({});
});

test('a narrower type filter lets go of what is no longer in scope', async () => {
  const phone = await world.device();
  await (await world.remote()).create(note('a task', '1', { type: 'task' }));
  await (await world.remote()).create(note('a memo', '2', { type: 'memo' }));
  await synced(phone);
  await phone.engine.close();
  const engine = await SyncEngine.open({
    backend: phone.backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada', types: { path: '/type', values: ['task'] } }],
    remote: (container) => world.cloud.container('app', container),
  });
  expect((await engine.sync()).outcome).toBe('complete');
  expect(Object.keys(await contents(engine.store<Note>('notes')))).toEqual(['1']);
  await engine.close();
});

describe('another remote under the same name', () => {
  test('a session of the old one rejects no document', async () => {
    const other = openMemoryBackend({ runtime: world.runtime });
    await other.createDatabase('app');
    await other.createContainer('app', NOTES);
    const strict = (store: DocumentStore<JsonObject>, prefix: string): DocumentStore<JsonObject> =>
      new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') {
            return value;
          }
          const call = value as (...rest: unknown[]) => unknown;
          const translate = (rest: unknown[]): unknown[] =>
            rest.map((one) => {
              const options = one as { session?: string } | undefined;
              return typeof options === 'object' && !Array.isArray(options) && typeof options.session === 'string'
                ? { ...options, session: options.session.startsWith(prefix) ? options.session.slice(prefix.length) : 'x' }
                : one;
            });
          const add = (result: unknown): unknown =>
            typeof result === 'object' && result !== null && 'session' in result && typeof result.session === 'string'
              ? { ...result, session: `${prefix}${result.session}` }
              : result;
          if (name === 'changes' || name === 'query') {
            return (...rest: unknown[]) => {
              const pages = call.apply(target, translate(rest)) as { nextPage(): Promise<unknown> };
              return { nextPage: async () => add(await pages.nextPage()) };
            };
          }
          return name === 'batch' || name === 'readMany'
            ? async (...rest: unknown[]) => add(await call.apply(target, translate(rest)))
            : call.bind(target);
        },
      });
    let moved = false;
    const phone = await world.device({
      remote: async () =>
        new Proxy({} as DocumentStore<JsonObject>, {
          get: (_, name) => Reflect.get(moved ? strict(otherStore, 'b') : strict(firstStore, 'a'), name) as unknown,
        }),
      containers: [NOTES],
    });
    const firstStore = await world.cloud.container('app', 'notes');
    const otherStore = await other.container('app', 'notes');
    await phone.notes.create(note('old'));
    await synced(phone);
    moved = true;
    await phone.notes.create(note('one', '2'));
    await phone.notes.create(note('two', '3'));
    await phone.engine.sync();
    const report = await phone.engine.sync();
    expect(report.error).toBeUndefined();
    expect((await phone.engine.status()).rejected).toBe(0);
    expect(Object.keys(await contents(otherStore as unknown as DocumentStore<Note>))).toEqual(['1', '2', '3']);
    await other.close();
  });
});

describe('a server whose clock goes back', () => {
  test('has its later versions taken all the same, where it tells no positions', async () => {
    const clock = new SkewedRuntime(world.runtime, 0);
    const cloud = openMemoryBackend({ runtime: clock });
    await cloud.createDatabase('app');
    await cloud.createContainer('app', NOTES);
    const store = await cloud.container('app', 'notes');
    const phone = await world.device({
      remote: () => withoutPositions(store),
      containers: [NOTES],
    });
    await phone.notes.create(note('of the phone'));
    await synced(phone);
    clock.skewMs = -5000;
    await store.replace(note('of somebody else') as JsonObject & Note);
    await synced(phone);
    expect(await contents(phone.notes)).toEqual({ 1: note('of somebody else') });
    await cloud.close();
  });
});

describe('documents at the limits', () => {
  test('one that is too large with its stamp is set aside, and the others arrive', async () => {
    const phone = await world.device();
    const size = 2 * 1024 * 1024 - JSON.stringify(note('')).length;
    await phone.notes.create(note('x'.repeat(size)));
    await phone.notes.create(note('small', '2'));
    await phone.notes.create(note('x'.repeat(size - 1000), '3'));
    await synced(phone);
    expect(Object.keys(await contents(await world.remote()))).toEqual(['2', '3']);
    expect(await phone.engine.pending({ rejected: true })).toMatchObject([{ id: '1', rejected: { code: 'TOO_LARGE' } }]);
  });

  test('ids and keys of every kind go both ways, and an edit of them is no conflict', async () => {
    const phone = await world.device();
    const laptop = await world.device();
    const ids = ['\u0000', 'a\u0000b', '__proto__', 'constructor', '10', '😀', '"', "'", 'x'.repeat(1023)];
    for (const id of ids) {
      await phone.notes.create(JSON.parse(`{"id":${JSON.stringify(id)},"owner":"ada","__proto__":{"a":"\\u0000"},"text":"1"}`) as Note);
    }
    await synced(phone);
    await synced(laptop);
    for (const id of ids) {
      await laptop.notes.patch(id, 'ada', [{ op: 'set', path: '/text', value: '2' }]);
    }
    await synced(laptop);
    const report = await synced(phone);
    expect(report).toMatchObject({ conflictCount: 0, pulled: ids.length });
    for (const id of ids) {
      const { document } = (await phone.notes.read(id, 'ada')) as { document: Note };
      expect(document.text).toBe('2');
      expect(Object.getOwnPropertyDescriptor(document, '__proto__')?.value).toEqual({ a: '\u0000' });
      await phone.notes.delete(id, 'ada');
    }
    await synced(phone);
    await synced(laptop);
    expect(await contents(laptop.notes)).toEqual({});
  });

  test.each([
    ['missing', '/owner', [undefined], {}],
    ['null', '/owner', [null], { owner: null }],
    ['nested and hierarchical', ['/a/b', '/c', '/d'], ['x', 1, true], { a: { b: 'x' }, c: 1, d: true }],
    ['the id itself', '/id', ['1'], {}],
  ])('a partition key that is %s: written, deleted, made anew', async (_, paths, partitionKey, keys) => {
    await world.cloud.createContainer('app', { id: 'keys', partitionKey: paths, defaultTtl: -1, uniqueKeys: [['/unique/value']] });
    const open = async (): Promise<{ store: DocumentStore<JsonObject>; engine: SyncEngine }> => {
      const { engine } = await world.device({
        scope: [
          { container: 'notes', partitionKey: 'ada' },
          { container: 'keys', partitionKey },
        ],
      });
      return { engine, store: engine.store('keys') };
    };
    const [phone, laptop] = [await open(), await open()];
    await phone.store.create({ id: '1', ...keys, text: 'first' });
    await phone.engine.sync();
    await laptop.engine.sync();
    expect((await laptop.store.read('1', partitionKey))?.document['text']).toBe('first');
    await laptop.store.delete('1', partitionKey);
    expect(await laptop.engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1, rejectedCount: 0 });
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'complete', deletedLocally: 1 });
    await phone.store.create({ id: '1', ...keys, text: 'second' });
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
    await laptop.engine.sync();
    expect((await laptop.store.read('1', partitionKey))?.document['text']).toBe('second');
  });
});

test('many conflicts in one partition key cost a bounded number of requests', async () => {
  const phone = await world.device();
  const laptop = await world.device();
  for (let index = 0; index < 250; index += 1) {
    await phone.notes.create(note('first', `n${index}`));
  }
  await synced(phone);
  await synced(laptop);
  for (let index = 0; index < 250; index += 1) {
    await laptop.notes.upsert(note('of the laptop', `n${index}`));
  }
  await synced(laptop);
  await world.pass(1000);
  for (let index = 0; index < 250; index += 1) {
    await phone.notes.upsert(note('of the phone', `n${index}`));
  }
  const report = await synced(phone);
  expect(report).toMatchObject({ pushed: 250, conflictCount: 250 });
  expect(report.requests).toBeLessThan(15);
});

test('a remote that refuses every request costs few requests per document, and nothing is dropped', async () => {
  let refuses = true;
  const phone = await world.device({
    wrap: (store) => faultyStore(store, (request) => (request === 'batch' && refuses ? fault('BAD_REQUEST') : undefined)),
  });
  for (let index = 0; index < 200; index += 1) {
    await phone.notes.create(note('kept', `n${index}`));
  }
  const report = await phone.engine.sync();
  expect(report).toMatchObject({ pushed: 0, rejectedCount: 200 });
  expect(report.requests).toBeLessThan(600);
  refuses = false;
  expect(await phone.engine.deadLetters.retry()).toBe(200);
  expect(await synced(phone)).toMatchObject({ pushed: 200 });
});

test('a tombstone that no store would take is refused as an option, not as a deletion', async () => {
  await expect(world.device({ tombstoneTtlSeconds: 3_000_000_000 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
