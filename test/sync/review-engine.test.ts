import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { contents, NOTES, synced, World, type Note } from './world.ts';

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
            typeof result === 'object' && result !== null && 'session' in result
              ? { ...result, session: `${prefix}${String(result.session)}` }
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
    expect(Object.keys(await contents(otherStore as unknown as DocumentStore<Note>))).toEqual(['2', '3']);
    await other.close();
  });
});
