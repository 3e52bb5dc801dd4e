/** When the engine runs by itself: with and without a connection, after failures, and where a remote never comes back to a request. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { browserConnectivity } from '../../src/sync/index.ts';
import { fault } from './faulty-store.ts';
import { note, notes, useLine } from './lessons/line.ts';
import { contents, synced } from './world.ts';

const line = useLine();
const SCHEDULE = { intervalMs: 60_000, minBackoffMs: 1000, maxBackoffMs: 60_000, jitter: 0 };

/** What a page knows of its connection. */
class Page extends EventTarget {
  readonly navigator = { onLine: true };

  turn(state: 'online' | 'offline'): void {
    this.navigator.onLine = state === 'online';
    this.dispatchEvent(new Event(state));
  }
}

describe('with a connection that is known', () => {
  test('nothing is tried while there is none, also when documents are written, and all is sent at once when it is back', async () => {
    const phone = await line.device();
    const page = new Page();
    page.turn('offline');
    phone.engine.start({ ...SCHEDULE, connectivity: browserConnectivity(page) });
    await phone.notes.create(note('offline'));
    await line.world.pass(3_600_000);
    expect(line.requests).toEqual([]);
    expect(await phone.engine.status()).toMatchObject({ state: 'offline', pending: 1, lastRun: undefined });
    page.turn('online');
    await line.world.pass(0);
    expect(await phone.engine.status()).toMatchObject({ state: 'idle', pending: 0 });
    expect(await contents(await line.world.remote())).toEqual({ 1: note('offline') });
  });

  test('waits that have grown end when the connection is back, and begin anew', async () => {
    const phone = await line.device();
    const page = new Page();
    const atMs: number[] = [];
    line.plan = () => {
      atMs.push(line.world.runtime.monotonicMs());
      return fault('UNREACHABLE');
    };
    phone.engine.start({ ...SCHEDULE, connectivity: browserConnectivity(page) });
    await line.world.pass(100_000);
    page.turn('offline');
    await line.world.pass(1_000_000);
    atMs.length = 0;
    page.turn('online');
    await line.world.pass(3500);
    const first = atMs[0] as number;
    expect(atMs.map((one) => one - first)).toEqual([0, 1000, 3000]);
  });

  test('a connection that is back while a run fails begins another one at its end', async () => {
    const phone = await line.device();
    const page = new Page();
    await phone.notes.create(note('kept'));
    line.plan = () => {
      line.plan = () => undefined;
      page.turn('offline');
      page.turn('online');
      return fault('CONNECTION_LOST');
    };
    phone.engine.start({ ...SCHEDULE, connectivity: browserConnectivity(page) });
    await line.world.pass(0);
    expect((await phone.engine.status()).pending).toBe(0);
  });

  test('after stop and close nobody listens any more', async () => {
    const phone = await line.device();
    const page = new Page();
    phone.engine.start({ ...SCHEDULE, connectivity: browserConnectivity(page) });
    await line.world.pass(0);
    phone.engine.stop();
    line.requests.length = 0;
    page.turn('online');
    await line.world.pass(100_000);
    expect(line.requests).toEqual([]);
    // Whoever asks for a run gets one.
    page.turn('offline');
    await synced(phone);
  });
});

test('the wait that a remote asks for is kept, whatever is written meanwhile and however chance falls', async () => {
  const phone = await line.device();
  const atMs: number[] = [];
  line.plan = () => {
    atMs.push(line.world.runtime.monotonicMs());
    return atMs.length === 1 ? fault('THROTTLED', 'before', 20_000) : undefined;
  };
  phone.engine.start({ ...SCHEDULE, jitter: 1 });
  await line.world.pass(10_000);
  await phone.notes.create(note('meanwhile'));
  await line.world.pass(9999);
  expect(atMs).toHaveLength(1);
  await line.world.pass(1);
  expect(atMs.length).toBeGreaterThan(1);
  expect(await phone.engine.pending()).toEqual([]);
});

test('a remote that throttles after each page or batch is followed in the time that it asks for, without growing waits and without attempts', async () => {
  await (await line.world.remote()).bulk(notes(100).map((document) => ({ type: 'create', document })));
  const phone = await line.device({ pageItems: 10 });
  for (let index = 0; index < 300; index += 1) {
    await phone.notes.create(note('of the phone', `p${index}`));
  }
  let freeAtMs = 0;
  line.plan = (request) => {
    const nowMs = line.world.runtime.monotonicMs();
    if (nowMs < freeAtMs) {
      return fault('THROTTLED', 'before', freeAtMs - nowMs);
    }
    freeAtMs = request === 'query' ? freeAtMs : nowMs + 2000;
    return undefined;
  };
  phone.engine.start(SCHEDULE);
  await line.world.pass(10_000);
  for (const pending of await phone.engine.pending()) {
    expect(pending).toMatchObject({ attempts: 0, rejected: undefined });
  }
  // Three batches, eleven pages and what there is of the phone's own documents in the feed.
  await line.world.pass(110_000);
  expect(Object.keys(await contents(phone.notes))).toHaveLength(400);
  expect(await phone.engine.pending()).toEqual([]);
});

describe('a remote that takes a request and never comes back to it', () => {
  test.each(['batch', 'changes', 'readMany', 'query'] as const)(
    '%s: the run is ended, said to be stalled, and the next one goes on',
    async (name) => {
      await (await line.world.remote()).create(note('of a stranger', '2'));
      const phone = await line.device();
      await phone.notes.create(note('of the phone'));
      await phone.notes.create(note('another', '2'));
      const warnings: string[] = [];
      phone.engine.on('warning', (warning) => warnings.push(warning));
      let hung = 0;
      line.plan = (request) => {
        if (request === name && hung === 0) {
          hung += 1;
          return new Promise<undefined>(() => undefined);
        }
        return undefined;
      };
      phone.engine.start(SCHEDULE);
      await line.world.pass(119_000);
      expect(await phone.engine.status()).toMatchObject({ state: 'running', runner: 'this' });
      await line.world.pass(1000);
      expect(hung).toBe(1);
      expect(await phone.engine.status()).toMatchObject({
        state: 'offline',
        runner: 'none',
        lastRun: { outcome: 'failed', error: { code: 'SYNC_STALLED', category: 'timeout' } },
      });
      expect(warnings).toEqual([expect.stringContaining('no progress')]);
      await line.world.pass(10_000);
      expect(await phone.engine.status()).toMatchObject({ state: 'idle', pending: 0 });
      expect(await contents(await line.world.remote())).toEqual(await contents(phone.notes));
    },
  );

  test('what it answers after all changes nothing any more', async () => {
    const phone = await line.device();
    await phone.notes.create(note('first'));
    let answer = (): void => undefined;
    const late = new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
    const hangs = (store: DocumentStore<JsonObject>): DocumentStore<JsonObject> =>
      new Proxy(store, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          if (property === 'batch' && !isOver) {
            isOver = true;
            return async (...parameters: Parameters<typeof target.batch>) => {
              const result = await target.batch(...parameters);
              await late;
              return result;
            };
          }
          return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
        },
      });
    let isOver = false;
    const again = await line.restarted(phone, { wrap: hangs, stallTimeoutMs: 1000 });
    const stalled = again.engine.sync();
    await line.world.pass(1000);
    expect(await stalled).toMatchObject({ error: { code: 'SYNC_STALLED' } });
    // The batch had arrived: the next run finds that out, and sends what was written since.
    await again.notes.replace(note('second'));
    expect(await synced(again)).toMatchObject({ conflictCount: 0 });
    answer();
    await line.world.pass(1000);
    expect(await again.engine.pending()).toEqual([]);
    await again.notes.replace(note('third'));
    expect(await synced(again)).toMatchObject({ pushed: 1, conflictCount: 0 });
  });

  test('opening the store may be what never ends, and other work is ended too', async () => {
    let opened = 0;
    const phone = await line.world.device({
      path: `${line.folder}/other.db`,
      containers: [{ id: 'notes', partitionKey: '/owner', defaultTtl: -1 }],
      stallTimeoutMs: 5000,
      remote: (container) => {
        opened += 1;
        return opened < 3 ? new Promise(() => undefined) : line.world.cloud.container('app', container);
      },
    });
    await expect(line.world.runtime.runUntilSettled(phone.engine.verify())).rejects.toMatchObject({ code: 'SYNC_STALLED' });
    await phone.notes.create(note('kept'));
    const rejected = expect(phone.engine.forcePushAll()).rejects.toMatchObject({ code: 'CLOSED' });
    await line.world.pass(1000);
    await phone.engine.close();
    await rejected;
    expect(opened).toBe(2);
  });

  test('with 0 nobody watches, and slow requests that end are progress', async () => {
    const phone = await line.device({ stallTimeoutMs: 0 });
    const laptop = await line.device({ stallTimeoutMs: 5000 });
    line.plan = () =>
      new Promise((resolve) => {
        line.world.runtime.setTimer(4000, () => resolve(undefined));
      });
    await phone.notes.create(note('slow'));
    await laptop.notes.create(note('slow too', '2'));
    const reports = await line.world.runtime.runUntilSettled(Promise.all([phone.engine.sync(), laptop.engine.sync()]));
    expect(reports).toMatchObject([{ outcome: 'complete' }, { outcome: 'complete' }]);
    expect(reports[1].durationMs).toBeGreaterThan(5000);
  });
});
