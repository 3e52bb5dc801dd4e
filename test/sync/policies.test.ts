import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientWins, lastWriteWins, serverWins, SyncEngine, type Conflict, type ConflictPolicy } from '../../src/sync/index.ts';
import { get } from '../../src/stores/sqlite/driver.ts';
import { at, basesOf, incr, merging, note, shared } from './merging-scene.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, NOTES, plain, synced, World, type Device, type DeviceOptions } from './world.ts';

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

describe('which policy decides', () => {
  test('each container has its own, others the default; a name that is not in scope is refused', async () => {
    await world.cloud.createContainer('app', { ...NOTES, id: 'tasks' });
    const options: DeviceOptions = {
      policy: serverWins,
      policies: { tasks: merging },
      scope: ['notes', 'tasks'].map((container) => ({ container, partitionKey: 'ada' })),
    };
    const [phone, laptop] = [await world.device(options), await world.device(options)];
    for (const container of ['notes', 'tasks']) {
      await phone.engine.store(container).create({ id: '1', owner: 'ada', a: 1, b: 1 });
    }
    await synced(phone);
    await synced(laptop);
    for (const container of ['notes', 'tasks']) {
      await laptop.engine.store(container).patch('1', 'ada', [{ op: 'set', path: '/a', value: 2 }]);
      await phone.engine.store(container).patch('1', 'ada', [{ op: 'set', path: '/b', value: 2 }]);
    }
    await synced(laptop);
    await synced(phone);
    expect(plain((await phone.engine.store('notes').read('1', 'ada'))?.document ?? {})).toEqual(note({ a: 2, b: 1 }));
    expect(plain((await phone.engine.store('tasks').read('1', 'ada'))?.document ?? {})).toEqual(note({ a: 2, b: 2 }));
    await expect(world.device({ policies: { orders: merging } })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(world.device({ policies: { notes: 'merge' as unknown as ConflictPolicy } })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  test.each([
    ['serverWins', serverWins, 'theirs'],
    ['clientWins', clientWins, 'ours'],
    ['lastWriteWins', lastWriteWins, 'theirs'],
  ] as const)('%s', async (_name, policy, expected) => {
    const phone = await world.device({ policy });
    await phone.notes.create(note({ text: 'old' }));
    await synced(phone);
    await phone.notes.replace(note({ text: 'ours' }));
    await world.pass(5000);
    await (await world.remote()).replace(note({ text: 'theirs' }));
    await synced(phone);
    expect(await at(phone)).toEqual(note({ text: expected }));
    expect(await contents(await world.remote())).toEqual({ 1: note({ text: expected }) });
  });

  test('a function may merge; without a word on who lost, both versions are in the journal', async () => {
    const seen: Conflict[] = [];
    const phone = await world.device({
      policy: (conflict) => {
        seen.push(conflict);
        return { merged: { ...conflict.remote.document, text: [conflict.local.document?.['text'] ?? null, '+'] } };
      },
    });
    await phone.notes.create(note({ text: 'old' }));
    await synced(phone);
    await phone.notes.replace(note({ text: 'ours' }));
    await (await world.remote()).replace(note({ text: 'theirs', more: 1 }));
    expect(await synced(phone)).toMatchObject({ pushed: 1, conflicts: [{ outcome: 'merged', journalSeq: 1 }] });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.base).toBeUndefined();
    expect(await contents(await world.remote())).toEqual({ 1: note({ text: ['ours', '+'], more: 1 }) });
    expect(await phone.engine.journal()).toMatchObject([
      { losingSide: 'local', reason: 'merged', document: { text: 'ours' } },
      { losingSide: 'remote', reason: 'merged', document: { text: 'theirs' } },
    ]);
  });

  test('a function that asks for the base gets it, and is not asked about a write that others have built on', async () => {
    const bases: Conflict['base'][] = [];
    const policy: ConflictPolicy = Object.assign<ConflictPolicy, object>(
      ({ base }) => {
        bases.push(base);
        return 'remote';
      },
      { needsBase: true },
    );
    const [phone, laptop] = [await faulty({ policy }), await device({ policy })];
    await shared(phone, laptop, note({ text: 'base' }));
    await phone.notes.replace(note({ text: 'ours' }));
    plan = (request) => (request === 'batch' ? fault('TIMEOUT', 'after') : undefined);
    await phone.engine.sync();
    plan = () => undefined;
    await synced(laptop);
    await laptop.notes.replace(note({ text: 'built on ours' }));
    await synced(laptop);
    expect(await synced(phone)).toMatchObject({ conflictCount: 0, pushed: 1 });
    expect(bases).toEqual([]);
    await phone.notes.replace(note({ text: 'ours again' }));
    await laptop.notes.replace(note({ text: 'theirs' }));
    await synced(laptop);
    await synced(phone);
    expect(bases).toEqual([note({ text: 'built on ours' })]);
    expect(await at(phone)).toEqual(note({ text: 'theirs' }));
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('The policy is broken.');
      },
    ],
    ['changes the id', () => ({ merged: { id: '2', owner: 'ada' } })],
    ['changes the partition key', () => ({ merged: { id: '1', owner: 'bob' } })],
    ['uses the reserved property', () => ({ merged: { id: '1', owner: 'ada', _perigee: {} } })],
    ['gives no JSON', () => ({ merged: { id: '1', owner: 'ada', n: Number.NaN } })],
    ['gives nothing', () => undefined],
  ])('a policy that %s holds up nothing: the last write wins, with a warning that says nothing of the document', async (_name, policy) => {
    const phone = await world.device({ policy: policy as unknown as ConflictPolicy });
    await phone.notes.create(note({ text: 'old' }));
    await synced(phone);
    await phone.notes.replace(note({ text: 'secret' }));
    await world.pass(5000);
    await (await world.remote()).replace(note({ text: 'later secret' }));
    expect(await synced(phone)).toMatchObject({ conflicts: [{ outcome: 'remote-wins' }] });
    expect(await phone.engine.journal()).toMatchObject([{ document: { text: 'secret' } }]);
    const { warnings } = await phone.engine.status();
    expect(warnings).toHaveLength(1);
    expect(warnings.join()).not.toContain('secret');
  });

  test('writes that became pending under another policy have no base, and are decided as a whole', async () => {
    const [phone, laptop] = [await world.device({ policy: serverWins }), await device()];
    await shared(phone, laptop, note({ n: 10 }));
    await incr(phone, 1);
    expect(await basesOf(phone)).toBeNull();
    await phone.engine.close();
    await world.pass(5000);
    await incr(laptop, 5);
    await synced(laptop);
    const again = await SyncEngine.open({
      backend: phone.backend,
      user: 'ada',
      policy: merging,
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: (container) => world.cloud.container('app', container),
    });
    expect(await again.sync()).toMatchObject({ conflicts: [{ outcome: 'remote-wins' }] });
    expect(await at(laptop)).toMatchObject({ n: 15 });
    await again.close();
  });

  test('a document of another type than the device holds is not merged into one', async () => {
    const scope = [{ container: 'notes', partitionKey: 'ada', types: { path: '/type', values: ['task'] } }];
    const phone = await device({ scope });
    await phone.notes.create(note({ type: 'task', text: 'old' }));
    await synced(phone);
    await phone.notes.replace(note({ type: 'task', text: 'ours' }));
    await world.pass(5000);
    await (await world.remote()).replace(note({ type: 'memo', text: 'old' }));
    await synced(phone);
    expect(await at(phone)).toBeUndefined();
    expect(await phone.engine.journal()).toMatchObject([{ losingSide: 'local', document: { text: 'ours' } }]);
  });

  test('where no policy asks for the base, none is kept, and remote documents do not name the writes in them', async () => {
    const [phone, laptop] = [await world.device(), await world.device()];
    await shared(phone, laptop, note({ n: 1 }));
    await laptop.notes.replace(note({ n: 2 }));
    expect(await basesOf(laptop)).toBeNull();
    await synced(laptop);
    const wire = (await (await world.remote()).read('1', 'ada'))?.document['_perigee'];
    expect(Object.keys(wire as object).toSorted()).toEqual(['clock', 'digest', 'write']);
    const rows = await laptop.backend.database.read(() => get('SELECT lineage FROM sync_base'));
    expect(rows).toEqual({ lineage: null });
  });
});
