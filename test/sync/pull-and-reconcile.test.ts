import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SyncProgress } from '../../src/sync/index.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, NOTES, synced, World, type Device, type Note } from './world.ts';

const HOUR = 3_600_000;
let world: World;
let plan: FaultPlan;

beforeEach(async () => {
  world = await World.open();
  plan = () => undefined;
});

afterEach(async () => {
  await world.close();
});

const device = (options: Parameters<World['device']>[0] = {}): Promise<Device> =>
  world.device({ ...options, wrap: (store) => faultyStore(store, (request) => plan(request)) });

const note = (text: string, id = '1', owner = 'ada'): Note => ({ id, owner, text });

async function fill(count: number): Promise<void> {
  const remote = await world.remote();
  await remote.bulk(Array.from({ length: count }, (_, index) => ({ type: 'create', document: note(`text ${index}`, `n${index}`) })));
}

describe('the first load', () => {
  test('tells how far it is, and goes on where it was interrupted', async () => {
    await fill(50);
    const phone = await device({ pageItems: 10 });
    const seen: SyncProgress[] = [];
    phone.engine.on('progress', (progress) => seen.push(progress));
    let pages = 0;
    plan = (request) => {
      pages += request === 'changes' ? 1 : 0;
      return pages === 4 ? fault('CONNECTION_LOST') : undefined;
    };
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', pulled: 30 });
    expect(await phone.engine.status()).toMatchObject({ state: 'offline' });
    plan = () => undefined;
    expect(await synced(phone)).toMatchObject({ pulled: 20 });
    expect(seen.map(({ phase, done, total }) => `${phase} ${done}/${total}`)).toEqual([
      'first-load 10/50',
      'first-load 20/50',
      'first-load 30/50',
      'first-load 40/50',
      'first-load 50/50',
    ]);
    await fill(0);
    await (await world.remote()).create(note('later', 'later'));
    seen.length = 0;
    await synced(phone);
    expect(seen).toMatchObject([{ phase: 'pull', done: 1, total: undefined }]);
  });

  test('that a replica which is behind puts off is read once, by the next run', async () => {
    await fill(50);
    const phone = await device({ pageItems: 10 });
    plan = (request) => (request === 'query' || request === 'changes' ? fault('SESSION_NOT_AVAILABLE') : undefined);
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', pulled: 0, error: { code: 'SESSION_NOT_AVAILABLE' } });
    plan = () => undefined;
    const { pulled, bytesReceived } = await synced(phone);
    expect(pulled).toBe(50);
    const other = await device();
    expect((await synced(other)).bytesReceived).toBe(bytesReceived);
  });

  test('of an empty partition key is one page', async () => {
    const phone = await device();
    expect(await synced(phone)).toMatchObject({ pulled: 0, requests: 2 });
  });
});

describe('a remote that forgot', () => {
  test('a cursor that the remote no longer knows leads to a reload that keeps pending work and drops what is gone', async () => {
    await fill(5);
    const phone = await device();
    await synced(phone);
    await phone.notes.replace(note('edited offline', 'n1'));
    await phone.notes.create(note('made offline', 'mine'));
    await (await world.remote()).delete('n4', 'ada');
    let lost = true;
    plan = (request) => {
      if (request === 'changes' && lost) {
        lost = false;
        return fault('INVALID_CONTINUATION');
      }
      return undefined;
    };
    expect(await synced(phone)).toMatchObject({ pushed: 2, conflictCount: 0, deletedLocally: 1 });
    expect(await contents(phone.notes)).toEqual(await contents(await world.remote()));
    expect(Object.keys(await contents(phone.notes))).toEqual(['mine', 'n0', 'n1', 'n2', 'n3']);
  });

  test('a session that the remote has not reached, as after a restore, is given up, and sync goes on', async () => {
    await fill(2);
    const phone = await device();
    await synced(phone);
    await phone.notes.create(note('new', 'new'));
    let failures = 2;
    plan = () => {
      failures -= 1;
      return failures >= 0 ? fault('SESSION_NOT_AVAILABLE') : undefined;
    };
    const report = await phone.engine.sync();
    expect(report.pushed).toBe(1);
    expect(await contents(await world.remote())).toEqual(await contents(phone.notes));
  });
});

describe('reconciliation', () => {
  test('takes nothing for missing that is pushed or pulled while it runs', async () => {
    await fill(5);
    const phone = await device();
    await synced(phone);
    let once = true;
    plan = async (request) => {
      if (request === 'readMany' && once) {
        once = false;
        await (await world.remote()).create(note('made meanwhile', 'meanwhile'));
        await phone.notes.create(note('made meanwhile here', 'here'));
      }
      return undefined;
    };
    await (await world.remote()).delete('n0', 'ada');
    expect(await phone.engine.reconcile()).toMatchObject({ outcome: 'complete', deletedLocally: 1, pushed: 1 });
    await synced(phone);
    expect(Object.keys(await contents(phone.notes))).toEqual(['here', 'meanwhile', 'n1', 'n2', 'n3', 'n4']);
    expect(await contents(phone.notes)).toEqual(await contents(await world.remote()));
  });

  test('bounded in request units it stops after a page and goes on with the next one', async () => {
    await fill(2500);
    const phone = await device();
    await synced(phone);
    const remote = await world.remote();
    await remote.delete('n7', 'ada');
    await remote.delete('n2400', 'ada');
    const first = await phone.engine.reconcile({ maxRequestUnits: 1 });
    expect(first).toMatchObject({ outcome: 'complete', deletedLocally: 0 });
    const rest: number[] = [];
    for (let round = 0; round < 3 && rest.at(-1) !== 2; round += 1) {
      rest.push((await phone.engine.reconcile({ maxRequestUnits: 1 })).deletedLocally);
    }
    expect(rest.at(-1)).toBe(2);
    expect(Object.keys(await contents(phone.notes))).toHaveLength(2498);
  });

  test('finds documents that differ although the feed never told of them', async () => {
    await fill(3);
    const phone = await device();
    await synced(phone);
    // A replica that was changed behind the engine's back: the base row says otherwise.
    await phone.backend.database.write(function* () {
      yield { mode: 'run', sql: "UPDATE sync_base SET etag = 'stale', position = 999999, ts = 9999999999 WHERE id = 'n1'", parameters: [] };
      yield { mode: 'run', sql: "DELETE FROM sync_base WHERE id = 'n2'", parameters: [] };
    });
    expect(await phone.engine.reconcile()).toMatchObject({ outcome: 'complete', pulled: 2, deletedLocally: 0 });
    expect(await contents(phone.notes)).toEqual(await contents(await world.remote()));
  });
});

describe('time to live', () => {
  test('a replica expires when the remote does, whatever the time of its arrival', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.notes.create({ ...note('short-lived'), ttl: 100 });
    await synced(phone);
    await world.pass(60_000);
    await synced(laptop);
    await world.pass(39_000);
    expect(await laptop.notes.read('1', 'ada')).toBeDefined();
    await world.pass(1000);
    expect(await laptop.notes.read('1', 'ada')).toBeUndefined();
    expect(await phone.notes.read('1', 'ada')).toBeUndefined();
    expect(await laptop.engine.reconcile()).toMatchObject({ outcome: 'complete', conflictCount: 0 });
  });

  test('tombstones expire at the remote, and a document made after that is a new one', async () => {
    const phone = await device({ tombstoneTtlSeconds: 3600 });
    await phone.notes.create(note('old'));
    await synced(phone);
    await phone.notes.delete('1', 'ada');
    await synced(phone);
    const remote = await world.remote();
    expect((await remote.read('1', 'ada'))?.document).toMatchObject({ id: '1', owner: 'ada', ttl: 3600, _perigee: { deleted: true } });
    expect((await remote.read('1', 'ada'))?.document).not.toHaveProperty('text');
    await world.pass(HOUR);
    expect(await remote.read('1', 'ada')).toBeUndefined();
    await phone.notes.create(note('new'));
    expect(await synced(phone)).toMatchObject({ pushed: 1, conflictCount: 0 });
    expect(await contents(remote)).toEqual({ 1: note('new') });
  });

  test('a container where tombstones never expire is told of', async () => {
    await world.cloud.createContainer('app', { id: 'forever', partitionKey: '/owner' });
    const phone = await device({ scope: [{ container: 'forever', partitionKey: 'ada' }] }).catch((error: unknown) => error);
    // The fixture opens the store of notes, which is not in scope here.
    expect(phone).toMatchObject({ code: 'SYNC_SCOPE' });
    const both = await device({
      scope: [
        { container: 'forever', partitionKey: 'ada' },
        { container: 'notes', partitionKey: 'ada' },
      ],
    });
    const warnings: string[] = [];
    both.engine.on('warning', (warning) => warnings.push(warning));
    await synced(both);
    await synced(both);
    expect(warnings).toHaveLength(1);
    expect((await both.engine.status()).warnings).toEqual(warnings);
    expect(warnings[0]).toContain('forever');
  });
});

describe('opening', () => {
  test('without a network a new file opens when its containers are given, and otherwise says what is missing', async () => {
    const offline = (): never => {
      throw fault('UNREACHABLE').error;
    };
    await expect(world.device({ remote: offline })).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const phone = await world.device({ remote: offline, containers: [NOTES] });
    await phone.notes.create(note('offline'));
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', error: { code: 'UNREACHABLE' } });
    expect(await phone.engine.status()).toMatchObject({ state: 'offline', pending: 1 });
  });

  test('a partition key that the remote defines otherwise is refused before anything is sent', async () => {
    const phone = await device({ containers: [{ id: 'notes', partitionKey: '/user' }] });
    expect(await phone.engine.sync()).toMatchObject({ outcome: 'failed', requests: 0, error: { code: 'INVALID_CONTAINER' } });
  });

  test('the clock, the pending work and the journal are there after the engine was closed and opened again', async () => {
    const phone = await device();
    await phone.notes.create(note('one'));
    await phone.engine.close();
    await expect(phone.engine.sync()).rejects.toMatchObject({ code: 'CLOSED' });
    world.runtime.setNowMs(world.runtime.nowMs() - HOUR);
    const again = await device({ backend: phone.backend, device: undefined });
    await again.notes.replace(note('two'));
    const [pending] = await again.engine.pending();
    expect(pending).toMatchObject({ id: '1', kind: 'put' });
    await synced(again);
    const wire = (await (await world.remote()).read('1', 'ada'))?.document['_perigee'] as { clock: string };
    // The stamp follows the first one, although the clock was set back by an hour.
    expect(Number.parseInt(wire.clock.slice(0, 12), 16)).toBeGreaterThan(world.runtime.nowMs());
  });

  test.each([
    ['a blank user', { user: ' ' }],
    ['an empty scope', { scope: [] }],
    ['the same partition key twice', { scope: [0, 1].map(() => ({ container: 'notes', partitionKey: 'ada' })) }],
    ['a page of nothing', { pageItems: 0 }],
    ['a device id with a space', { device: 'a b' }],
  ])('refuses %s', async (_name, options) => {
    await expect(world.device(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('a document with the reserved property is refused, also by a patch', async () => {
    const phone = await device();
    await expect(phone.notes.create({ ...note('x'), _perigee: {} })).rejects.toMatchObject({ code: 'INVALID_DOCUMENT' });
    await phone.notes.create(note('x'));
    await expect(phone.notes.patch('1', 'ada', [{ op: 'add', path: '/_perigee', value: 1 }])).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    });
  });
});
