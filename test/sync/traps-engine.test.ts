import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LogLevel } from '../../src/core/logger.ts';
import { all } from '../../src/stores/sqlite/driver.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { fault, faultyStore, type FaultPlan, type RequestName } from './faulty-store.ts';
import { contents, synced, World, type Device, type Note } from './world.ts';

let world: World;
let plan: FaultPlan;
let requests: RequestName[];

beforeEach(async () => {
  world = await World.open();
  plan = () => undefined;
  requests = [];
});

afterEach(async () => {
  await world.close();
});

const device = (options: Parameters<World['device']>[0] = {}): Promise<Device> =>
  world.device({
    ...options,
    wrap: (store) =>
      faultyStore(store, (request) => {
        requests.push(request);
        return plan(request);
      }),
  });

const note = (text: string, id = '1', owner = 'ada'): Note => ({ id, owner, text });

describe('one file, one user', () => {
  test('S1-D08: what one user left unsent is never sent for another: the file refuses to open', async () => {
    const phone = await device();
    await phone.notes.create(note('of ada'));
    await phone.engine.close();
    const open = (user: string): Promise<SyncEngine> =>
      SyncEngine.open({
        backend: phone.backend,
        user,
        scope: [{ container: 'notes', partitionKey: 'ada' }],
        remote: (container) => world.cloud.container('app', container),
      });
    await expect(open('bob')).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    expect(await (await world.remote()).read('1', 'ada')).toBeUndefined();
    const again = await open('ada');
    expect(await again.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
    await again.close();
  });

  test('S1-D09: the user of an engine cannot change, so engine and credential cannot name different users', async () => {
    const phone = await device();
    expect(Object.keys(SyncEngine.prototype).concat(Object.getOwnPropertyNames(SyncEngine.prototype))).not.toContain('updateUser');
    await phone.notes.create(note('of ada'));
    await synced(phone);
    expect((await (await world.remote()).read('1', 'ada'))?.document.owner).toBe('ada');
  });

  test('S1-D22: the remote store is opened once for the engine, also by runs that begin together, and never shared with another user', async () => {
    const opened: string[] = [];
    const engines: SyncEngine[] = [];
    for (const user of ['ada', 'bob']) {
      const backend = await openSqliteBackend({ path: ':memory:', runtime: world.runtime });
      engines.push(
        await SyncEngine.open({
          backend,
          user,
          scope: [{ container: 'notes', partitionKey: user }],
          remote: (container) => {
            opened.push(`${user}:${container}`);
            return world.cloud.container('app', container);
          },
        }),
      );
      await engines.at(-1)?.store('notes').create({ id: '1', owner: user });
    }
    await Promise.all(engines.flatMap((engine) => [engine.sync(), engine.sync()]));
    expect(opened.toSorted()).toEqual(['ada:notes', 'bob:notes']);
    for (const engine of engines) {
      await engine.close();
    }
  });
});

describe('cost grows with what changed', () => {
  test('S1-D13: a sync after one change asks for one page and receives one document, however many are held', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.notes.bulk(Array.from({ length: 1200 }, (_, index) => ({ type: 'create', document: note('x', `n${index}`) })));
    await synced(phone);
    expect((await synced(laptop)).pulled).toBe(1200);
    await synced(phone);
    await laptop.notes.replace(note('y', 'n7'));
    await synced(laptop);
    const report = await synced(phone);
    expect(report).toMatchObject({ pulled: 1, requests: 1 });
    expect(report.bytesReceived).toBeLessThan(100);
  });

  test('S1-D14: pushes and reads go in bounded batches', async () => {
    const sizes: number[] = [];
    const phone = await world.device({
      wrap: (store) =>
        new Proxy(store, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name, target);
            return typeof value !== 'function'
              ? value
              : (...parameters: unknown[]) => {
                  const list = name === 'batch' ? parameters[1] : name === 'readMany' ? parameters[0] : [];
                  sizes.push((list as unknown[]).length);
                  return (value as (...rest: unknown[]) => unknown).apply(target, parameters);
                };
          },
        }),
    });
    await phone.notes.bulk(Array.from({ length: 350 }, (_, index) => ({ type: 'create', document: note('x', `n${index}`) })));
    await (await world.remote()).create(note('taken', 'n120'));
    expect((await synced(phone)).pushed).toBe(350);
    expect(Math.max(...sizes)).toBe(100);
    const report = await phone.engine.reconcile();
    expect(report).toMatchObject({ outcome: 'complete', pulled: 0, deletedLocally: 0 });
    expect(Math.max(...sizes)).toBe(100);
  });

  test('S1-D18: what sync looks up it finds by key, and its times sort as text', async () => {
    const phone = await device();
    await phone.notes.create(note('x'));
    for (const sql of [
      "SELECT * FROM sync_outbox WHERE scope = 1 AND id = 'x'",
      "SELECT * FROM sync_base WHERE scope = 1 AND id = 'x'",
      'SELECT 1 FROM sync_outbox WHERE scope = 1 LIMIT 1',
    ]) {
      const rows = await phone.backend.database.read(() => all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`));
      expect(rows.map(({ detail }) => detail).join()).toMatch(/^SEARCH/u);
    }
  });
});

describe('keys', () => {
  test('S1-D15: a document whose partition key or type is not held is refused at once, so none is pushed that never comes back', async () => {
    const phone = await device({
      scope: [{ container: 'notes', partitionKey: 'ada', types: { path: '/type', values: ['note', ''] } }],
    });
    await expect(phone.notes.create({ ...note('x'), owner: 'bob', type: 'note' })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    await expect(phone.notes.create({ ...note('x'), type: 'order' })).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    await expect(phone.notes.create(note('without a type'))).rejects.toMatchObject({ code: 'SYNC_SCOPE' });
    await phone.notes.create({ ...note('x'), type: '' });
    await expect(phone.notes.patch('1', 'ada', [{ op: 'set', path: '/type', value: 'order' }])).rejects.toMatchObject({
      code: 'SYNC_SCOPE',
    });
    await synced(phone);
    const other = await device({
      scope: [{ container: 'notes', partitionKey: 'ada', types: { path: '/type', values: [''] } }],
    });
    expect(await synced(other)).toMatchObject({ pulled: 1 });
  });

  test('S1-D16: the same id in two partition keys is two documents on the device', async () => {
    const phone = await device({
      scope: [
        { container: 'notes', partitionKey: 'ada' },
        { container: 'notes', partitionKey: 'bob' },
      ],
    });
    await phone.notes.create(note('of ada', '1', 'ada'));
    await phone.notes.create(note('of bob', '1', 'bob'));
    expect(await synced(phone)).toMatchObject({ pushed: 2, conflictCount: 0 });
    await phone.notes.delete('1', 'bob');
    await synced(phone);
    expect(await contents(phone.notes, 'ada')).toEqual({ 1: note('of ada', '1', 'ada') });
    expect(await contents(phone.notes, 'bob')).toEqual({});
  });

  test('S1-D17: documents without the partition key property are a partition key like any other', async () => {
    const phone = await device({ scope: [{ container: 'notes', partitionKey: [undefined] }] });
    const ownerless = { id: '1', text: 'nobody' } as unknown as Note;
    await phone.notes.create(ownerless);
    await synced(phone);
    const laptop = await device({ scope: [{ container: 'notes', partitionKey: [undefined] }] });
    await synced(laptop);
    expect((await laptop.notes.read('1', [undefined]))?.document.text).toBe('nobody');
    await laptop.notes.delete('1', [undefined]);
    await synced(laptop);
    expect(await synced(phone)).toMatchObject({ deletedLocally: 1 });
  });

  test('S1-D19: taking a remote version clears the pending row, and a pending row whose document has expired is cleared as well', async () => {
    const phone = await device();
    const remote = await world.remote();
    await phone.notes.create({ ...note('short'), ttl: 10 });
    await phone.notes.create(note('edited', '2'));
    await synced(phone);
    await phone.notes.replace({ ...note('short, edited'), ttl: 10 });
    await phone.notes.replace(note('edited offline', '2'));
    await world.pass(60_000);
    await remote.replace(note('edited elsewhere', '2'));
    expect((await phone.engine.status()).pending).toBe(2);
    await synced(phone);
    expect(await phone.engine.pending()).toEqual([]);
    expect(await contents(phone.notes)).toEqual({ 2: note('edited elsewhere', '2') });
  });
});

describe('credentials', () => {
  test('S1-D20 (what exists now: refusals pause): a refused credential stops nothing for good and costs no attempt', async () => {
    const phone = await device();
    await phone.notes.create(note('kept'));
    plan = () => fault('TOKEN_EXPIRED');
    phone.engine.start({ intervalMs: 1000, minBackoffMs: 1000, maxBackoffMs: 4000, jitter: 0 });
    await world.pass(20_000);
    expect(await phone.engine.status()).toMatchObject({ state: 'auth', pending: 1, rejected: 0 });
    expect(await phone.engine.pending()).toMatchObject([{ attempts: 0 }]);
    plan = () => undefined;
    await world.pass(5000);
    expect(await phone.engine.status()).toMatchObject({ state: 'idle', pending: 0 });
    phone.engine.stop();
  });

  test('S1-D21 (what exists now: no request without need): a run asks the remote once per page and batch, never per document', async () => {
    const phone = await device();
    await phone.notes.bulk(Array.from({ length: 60 }, (_, index) => ({ type: 'create', document: note('x', `n${index}`) })));
    await synced(phone);
    expect(requests).toEqual(['batch', 'query', 'changes']);
  });

  test('S1-D23 (what exists now: nothing secret is said): neither log, error nor status holds content of documents', async () => {
    const lines: string[] = [];
    const logger = {
      log: (level: LogLevel, message: string, fields?: object) => lines.push(level, message, JSON.stringify(fields ?? {})),
    };
    const phone = await device({ logger });
    const secret = 'the quick brown secret';
    await phone.notes.create(note(secret));
    for (const code of ['UNAUTHORIZED', 'TIMEOUT', 'INVALID_CONTINUATION', 'CONFLICT', 'INTERNAL'] as const) {
      plan = () => fault(code);
      const { error } = await phone.engine.sync();
      lines.push(error?.message ?? '', JSON.stringify(error?.details));
    }
    lines.push(JSON.stringify(await phone.engine.status()), JSON.stringify(await phone.engine.pending()));
    await expect(phone.notes.create({ ...note(secret), owner: 'zoe' })).rejects.toSatisfy((error: Error) => {
      lines.push(error.message);
      return true;
    });
    expect(lines.filter((line) => line.includes('secret'))).toEqual([]);
  });
});

describe('runs', () => {
  test('S1-D24: failures are tried again with growing waits, whether or not anything is written meanwhile', async () => {
    const phone = await device();
    await phone.notes.create(note('kept'));
    const times: number[] = [];
    plan = (request) => {
      if (request === 'batch') {
        times.push(world.runtime.monotonicMs());
        return fault('UNREACHABLE');
      }
      return undefined;
    };
    phone.engine.start({ intervalMs: 60_000, minBackoffMs: 1000, maxBackoffMs: 8000, jitter: 0 });
    await world.pass(30_000);
    const waits = times.slice(1).map((time, index) => time - (times[index] as number));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000]);
    expect(await phone.engine.status()).toMatchObject({ state: 'offline', pending: 1 });
    plan = () => undefined;
    await world.pass(8000);
    expect((await phone.engine.status()).pending).toBe(0);
    phone.engine.stop();
  });

  test('S1-D24: a throttled remote is given the time it asks for', async () => {
    const phone = await device();
    await phone.notes.create(note('kept'));
    const times: number[] = [];
    plan = () => {
      times.push(world.runtime.monotonicMs());
      return times.length === 1 ? fault('THROTTLED', 'before', 20_000) : undefined;
    };
    phone.engine.start({ intervalMs: 60_000, minBackoffMs: 100, jitter: 0 });
    await world.pass(25_000);
    expect((times[1] as number) - (times[0] as number)).toBe(20_000);
    phone.engine.stop();
  });

  test('S1-D24: one bad document does not hold back the others, and waits as a dead letter', async () => {
    await world.cloud.deleteContainer('app', 'notes');
    await world.cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] });
    const phone = await device();
    const remote = await world.remote();
    await remote.create({ ...note('first'), id: 'holder', email: 'x@example.org' });
    const others = Array.from({ length: 130 }, (_, index) => ({ ...note('fine', `n${index}`), email: `${index}@example.org` }));
    await phone.notes.create({ ...note('bad', 'bad'), email: 'x@example.org' });
    await phone.notes.bulk(others.map((document) => ({ type: 'create', document })));
    const report = await phone.engine.sync();
    expect(report).toMatchObject({ outcome: 'complete', pushed: 130, rejected: [{ id: 'bad', code: 'CONFLICT' }] });
    await remote.delete('holder', 'ada');
    expect(await synced(phone)).toMatchObject({ pushed: 0 });
    expect(await phone.engine.deadLetters.retry()).toBe(1);
    expect(await synced(phone)).toMatchObject({ pushed: 1, rejectedCount: 0 });
  });

  test('S1-D24: a unique value that another pending document gives up is taken over whatever their order', async () => {
    await world.cloud.deleteContainer('app', 'notes');
    await world.cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] });
    const phone = await device();
    await phone.notes.create({ ...note('a', 'a'), email: 'x' });
    await synced(phone);
    await phone.notes.replace({ ...note('a', 'a'), email: 'y' });
    await phone.notes.create({ ...note('b', 'b'), email: 'x' });
    await phone.notes.replace({ ...note('a again', 'a'), email: 'y' });
    await phone.notes.create({ ...note('c', 'c'), email: 'z' });
    expect(await synced(phone)).toMatchObject({ pushed: 3, rejectedCount: 0 });
    // Two tombstones in one partition key: their unique values follow from their ids.
    await phone.notes.delete('a', 'ada');
    await phone.notes.delete('b', 'ada');
    expect(await synced(phone)).toMatchObject({ pushed: 2, rejectedCount: 0 });
  });

  test('S1-D24: syncs asked for during a run are one further run', async () => {
    const phone = await device();
    await phone.notes.create(note('x'));
    let during: Promise<unknown>[] = [];
    plan = (request) => {
      if (request === 'batch' && during.length === 0) {
        during = [phone.engine.sync(), phone.engine.sync(), phone.engine.sync()];
      }
      return undefined;
    };
    const first = await phone.engine.sync();
    const reports = await Promise.all(during);
    expect(reports.every((report) => report === reports[0] && report !== first)).toBe(true);
  });

  test.each(['batch', 'changes', 'query', 'readMany'] as const)('S1-D24: a run aborted during its %s loses nothing', async (at) => {
    const phone = await device();
    const remote = await world.remote();
    await phone.notes.create(note('mine', 'mine'));
    await phone.notes.create(note('both', 'both'));
    await remote.create(note('theirs', 'theirs'));
    await remote.create(note('both, remote', 'both'));
    const controller = new AbortController();
    const reason = new Error('The user has left.');
    plan = (request) => {
      if (request === at) {
        controller.abort(reason);
      }
      return undefined;
    };
    await expect(phone.engine.sync({ signal: controller.signal })).rejects.toBe(reason);
    plan = () => undefined;
    await synced(phone);
    expect(Object.keys(await contents(phone.notes))).toEqual(['both', 'mine', 'theirs']);
    expect(await contents(phone.notes)).toEqual(await contents(remote));
    expect(requests).toContain(at);
  });

  test('S1-D25: a page and its cursor are applied together or not at all', async () => {
    let fail = true;
    const remote = await world.remote();
    await remote.bulk(Array.from({ length: 30 }, (_, index) => ({ type: 'create', document: note('x', `n${index}`) })));
    const phone = await device({
      pageItems: 10,
      probe: (point) => {
        if (point === 'between-page-and-cursor' && fail) {
          throw new Error('The process ends here.');
        }
      },
    });
    await expect(phone.engine.sync()).rejects.toThrow('The process ends here.');
    expect(await contents(phone.notes)).toEqual({});
    fail = false;
    expect(await synced(phone)).toMatchObject({ pulled: 30 });
  });
});
