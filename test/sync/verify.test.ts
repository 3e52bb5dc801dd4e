import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import type { SyncProgress, VerifyReport } from '../../src/sync/index.ts';
import { damage, type Damage } from './damage.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { contents, plain, synced, World, type Device, type Note } from './world.ts';

let world: World;
let plan: FaultPlan;

beforeEach(async () => {
  world = await World.open();
  plan = () => undefined;
});

afterEach(() => world.close());

const device = (options: Parameters<World['device']>[0] = {}): Promise<Device> =>
  world.device({ ...options, wrap: (store) => faultyStore(store, (request) => plan(request)) });

const note = (text: string, id = '1', owner = 'ada'): Note => ({ id, owner, text });

async function fill(count: number, owner = 'ada'): Promise<void> {
  const remote = await world.remote();
  await remote.bulk(Array.from({ length: count }, (_, index) => ({ type: 'create', document: note(`text ${index}`, `n${index}`, owner) })));
}

/** A device that made some documents itself and pulled others. */
async function inStep(count = 20, options: Parameters<World['device']>[0] = {}): Promise<Device> {
  await fill(count);
  const phone = await device(options);
  await phone.notes.bulk(Array.from({ length: count }, (_, index) => ({ type: 'create', document: note(`own ${index}`, `own${index}`) })));
  await synced(phone);
  return phone;
}

function named({ differences }: VerifyReport): Record<string, string> {
  return Object.fromEntries(differences.map(({ id, kind }) => [id, kind]));
}

describe('equal sides', () => {
  test('are called equal in one listing, whoever wrote them, tombstones included', async () => {
    const phone = await inStep();
    await phone.notes.delete('n3', 'ada');
    await phone.notes.delete('own3', 'ada');
    await synced(phone);
    const seen: SyncProgress[] = [];
    phone.engine.on('progress', (progress) => seen.push(progress));
    const report = await phone.engine.verify();
    expect(report).toMatchObject({
      equal: true,
      complete: true,
      defects: 0,
      differences: [],
      documentsOnDevice: 38,
      documentsAtRemote: 38,
    });
    expect(report.requests).toBe(1);
    expect(report.requestUnits).toBeGreaterThan(0);
    expect(seen).toEqual([{ container: 'notes', partitionKey: ['ada'], phase: 'verify', done: 41, total: undefined }]);
    expect((await phone.engine.status()).progress).toBeUndefined();
  });

  test('without any document are equal', async () => {
    expect(await (await device()).engine.verify()).toMatchObject({ equal: true, documentsAtRemote: 0 });
  });

  test('a stranger who keeps the stamp, as a patch does, or who edits a tombstone is no defect once pulled', async () => {
    const phone = await inStep(3);
    await phone.notes.delete('own1', 'ada');
    await synced(phone);
    const remote = await world.remote();
    await remote.patch('own0', 'ada', [{ op: 'set', path: '/text', value: 'of a stranger' }]);
    await remote.patch('own1', 'ada', [{ op: 'set', path: '/text', value: 'risen' }]);
    expect(named(await phone.engine.verify())).toEqual({ own0: 'different', own1: 'missing-on-device' });
    await synced(phone);
    expect(await phone.engine.verify()).toMatchObject({ equal: true, documentsOnDevice: 6 });
  });

  test('documents of other partition keys and types do not count', async () => {
    await fill(3, 'grace');
    const remote = await world.remote();
    await remote.create({ ...note('in', 'in'), type: 'a' });
    await remote.create({ ...note('out', 'out'), type: 'b' });
    const phone = await device({ scope: [{ container: 'notes', partitionKey: 'ada', types: { path: '/type', values: ['a'] } }] });
    await synced(phone);
    await damage(phone.backend, { kind: 'extra', id: 'other' }, { ...note('of no type in scope', 'other'), type: 'b' });
    expect(await phone.engine.verify()).toMatchObject({ equal: true, documentsOnDevice: 1, documentsAtRemote: 1 });
    await damage(phone.backend, { kind: 'changed', id: 'in' }, { ...note('type damaged', 'in'), type: 'b' });
    expect(named(await phone.engine.verify())).toEqual({ in: 'different' });
    expect((await phone.engine.repair()).after.equal).toBe(true);
  });
});

describe('differences', () => {
  test('behind the back of the engine are named one by one, and mended without losing a version', async () => {
    const phone = await inStep();
    const before = await contents(phone.notes);
    const done: readonly (readonly [Damage, VerifyReport['differences'][number]['kind']])[] = [
      [{ kind: 'deleted', id: 'n1' }, 'missing-on-device'],
      [{ kind: 'changed', id: 'n2' }, 'different'],
      [{ kind: 'extra', id: 'stray' }, 'missing-at-remote'],
      [{ kind: 'base-lost', id: 'own3' }, 'different'],
      [{ kind: 'base-and-body', id: 'own4' }, 'different'],
      [{ kind: 'all-lost', id: 'own5' }, 'missing-on-device'],
    ];
    for (const [one] of done) {
      await damage(phone.backend, one, note('damaged', one.id));
    }
    const report = await phone.engine.verify();
    expect(named(report)).toEqual(Object.fromEntries(done.map(([{ id }, kind]) => [id, kind])));
    expect(report).toMatchObject({ equal: false, defects: 6, counts: { different: 3, 'missing-on-device': 2, 'missing-at-remote': 1 } });
    const damagedContents = await contents(phone.notes);
    expect(named(await phone.engine.verify())).toEqual(named(report));
    expect(await contents(phone.notes)).toEqual(damagedContents);

    const repaired = await phone.engine.repair();
    expect(repaired).toMatchObject({
      before: { defects: 6 },
      after: { equal: true },
      reloaded: 6,
      journaled: 3,
      run: { outcome: 'complete' },
    });
    expect(await contents(phone.notes)).toEqual(before);
    expect(await contents(await world.remote())).toEqual(before);
    const journal = await phone.engine.journal();
    expect(journal.map(({ id, reason, losingSide, document }) => [id, reason, losingSide, document?.['text']])).toEqual([
      ['n2', 'repaired', 'local', 'damaged'],
      ['own4', 'repaired', 'local', 'damaged'],
      ['stray', 'repaired', 'local', 'damaged'],
    ]);
    // A version of the journal is an edit like any other when it is brought back.
    await phone.engine.restore(journal.find(({ id }) => id === 'stray')?.seq as number);
    await synced(phone);
    expect((await (await world.remote()).read('stray', 'ada'))?.document.text).toBe('damaged');
    expect((await phone.engine.verify()).equal).toBe(true);
  });

  test('at the remote that were not pulled are named, and what was deleted there without a tombstone', async () => {
    const phone = await inStep(3);
    const remote = await world.remote();
    await remote.delete('n0', 'ada');
    await remote.replace(note('newer', 'n1'));
    await remote.create(note('new', 'new'));
    expect(named(await phone.engine.verify())).toEqual({ n0: 'missing-at-remote', n1: 'different', new: 'missing-on-device' });
    expect(await phone.engine.repair()).toMatchObject({ after: { equal: true } });
    expect(await contents(phone.notes)).toEqual(await contents(remote));
  });

  test('that wait to be sent are no defects, dead letters are called so, and a repair leaves both to the run', async () => {
    await world.close();
    world = await World.open({ container: { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/text']] } });
    await fill(3);
    const phone = await device();
    await phone.notes.create(note('text 0', 'refused'));
    await synced(phone);
    await phone.notes.create(note('made offline', 'mine'));
    await phone.notes.delete('n1', 'ada');
    await phone.notes.replace(note('edited offline', 'n2'));
    const report = await phone.engine.verify();
    expect(named(report)).toEqual({ mine: 'pending', n1: 'pending', n2: 'pending', refused: 'dead-letter' });
    expect(report).toMatchObject({ equal: false, defects: 0, counts: { pending: 3, 'dead-letter': 1 }, requests: 1 });
    const repaired = await phone.engine.repair();
    expect(repaired).toMatchObject({ run: { pushed: 3 }, reloaded: 0, journaled: 0, after: { defects: 0, counts: { 'dead-letter': 1 } } });
    expect(named(repaired.after)).toEqual({ refused: 'dead-letter' });
    expect(await contents(await world.remote())).toMatchObject({ mine: note('made offline', 'mine') });
  });

  test('of several partition keys are told apart', async () => {
    await fill(3);
    const remote = await world.remote();
    await remote.create(note('of Grace', 'g1', 'grace'));
    const scope = ['ada', 'grace'].map((partitionKey) => ({ container: 'notes', partitionKey }));
    const phone = await device({ scope });
    await synced(phone);
    expect(await phone.engine.verify()).toMatchObject({ equal: true, documentsOnDevice: 4, documentsAtRemote: 4, requests: 2 });
    await damage(phone.backend, { kind: 'deleted', id: 'g1' }, {});
    await phone.notes.create(note('waits', 'waits'));
    expect((await phone.engine.verify()).differences).toEqual([
      { container: 'notes', partitionKey: ['grace'], id: 'g1', kind: 'missing-on-device' },
      { container: 'notes', partitionKey: ['ada'], id: 'waits', kind: 'pending' },
    ]);
    expect((await phone.engine.repair()).after.equal).toBe(true);
  });

  test('beyond the number named are counted; a repair mends them all', async () => {
    const phone = await inStep(150);
    for (let index = 0; index < 150; index += 1) {
      await damage(phone.backend, { kind: 'deleted', id: `n${index}` }, {});
    }
    await phone.notes.create(note('waits', 'waits'));
    const report = await phone.engine.verify({ maxNamed: 10 });
    expect(report.differences).toHaveLength(10);
    expect(report).toMatchObject({ defects: 150, counts: { 'missing-on-device': 150, pending: 1 } });
    expect(await phone.engine.repair({ maxNamed: 10 })).toMatchObject({ reloaded: 150, after: { equal: true } });
  });
});

describe('a verification', () => {
  test('stops at the request units given, and says that it is not complete', async () => {
    const phone = await inStep();
    await damage(phone.backend, { kind: 'deleted', id: 'n1' }, {});
    expect(await phone.engine.verify({ maxRequestUnits: 0.1 })).toMatchObject({ equal: false, complete: false, defects: 0, requests: 1 });
    await expect(phone.engine.verify({ maxRequestUnits: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(phone.engine.verify({ maxNamed: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('is not misled by what is written and sent while it looks', async () => {
    const phone = await inStep(5);
    const remote = await world.remote();
    let listings = 0;
    plan = async (request) => {
      if (request === 'query') {
        listings += 1;
        if (listings === 1) {
          await phone.notes.replace(note('edited meanwhile', 'n1'));
          await phone.notes.create(note('made meanwhile', 'mine'));
          await damage(phone.backend, { kind: 'changed', id: 'n2' }, note('damaged', 'n2'));
        }
      }
      return undefined;
    };
    // n2 was damaged after it was looked at: that is for the next time.
    expect(named(await phone.engine.verify())).toEqual({ mine: 'pending', n1: 'pending' });
    plan = () => undefined;
    expect(named(await phone.engine.verify())).toEqual({ mine: 'pending', n1: 'pending', n2: 'different' });
    expect((await remote.read('n1', 'ada'))?.document.text).toBe('text 1');
  });

  test('rejects with what the remote throws, on abort with its reason, and when the engine closes', async () => {
    const phone = await inStep(2);
    plan = () => fault('UNREACHABLE');
    await expect(phone.engine.verify()).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(phone.engine.repair()).rejects.toMatchObject({ code: 'UNREACHABLE' });
    plan = () => undefined;
    const reason = new Error('enough');
    await expect(phone.engine.verify({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      plan = () => {
        resolve();
        return new Promise((go) => {
          release = () => go(undefined);
        });
      };
    });
    const verifying = phone.engine.verify();
    verifying.catch(() => undefined);
    await asked;
    const closing = phone.engine.close();
    release();
    await expect(verifying).rejects.toMatchObject({ code: 'CLOSED' });
    await closing;
  });

  test('gives up a session that the remote has not reached', async () => {
    const phone = await inStep(2);
    let failures = 1;
    plan = () => (failures-- > 0 ? fault('SESSION_NOT_AVAILABLE') : undefined);
    expect((await phone.engine.verify()).equal).toBe(true);
  });

  test('works against a server through the official client, on a file', { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perigee-verify-'));
    const server = await startServer({ backend: world.cloud, port: 0 });
    const cosmos = await openCosmosBackend({ endpoint: server.url, key: WELL_KNOWN_KEY });
    try {
      await fill(30);
      const phone = await device({ path: join(folder, 'phone.sqlite'), remote: (container) => cosmos.container('app', container) });
      await phone.notes.create(note('own', 'own'));
      await synced(phone);
      expect(await phone.engine.verify()).toMatchObject({ equal: true, documentsAtRemote: 31 });
      await damage(phone.backend, { kind: 'changed', id: 'n7' }, note('damaged', 'n7'));
      await damage(phone.backend, { kind: 'deleted', id: 'own' }, {});
      expect(named(await phone.engine.verify())).toEqual({ n7: 'different', own: 'missing-on-device' });
      expect(await phone.engine.repair()).toMatchObject({ after: { equal: true }, reloaded: 2, journaled: 1 });
    } finally {
      await server.close();
      await cosmos.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test(
  'property: whatever the damage, exactly what differs is named, a repair mends it, and no version is lost',
  { timeout: 60_000 },
  async () => {
    const kinds = ['deleted', 'changed', 'extra', 'base-lost', 'base-and-body', 'all-lost'] as const;
    const step = fc.record({
      kind: fc.constantFrom<(typeof kinds)[number] | 'edit' | 'remote-edit' | 'remote-delete' | 'remote-create'>(
        ...kinds,
        'edit',
        'remote-edit',
        'remote-delete',
        'remote-create',
      ),
      at: fc.nat(23),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await world.close();
        world = await World.open();
        const phone = await inStep(12);
        const remote = await world.remote();
        const ids = [...Array.from({ length: 12 }, (_, index) => `n${index}`), ...Array.from({ length: 12 }, (_, index) => `own${index}`)];
        for (const [number, { kind, at }] of steps.entries()) {
          const id = kind === 'extra' || kind === 'remote-create' ? `${kind}${number}` : (ids[at] as string);
          const body = note(`${kind} ${number}`, id);
          const isOnDevice = (await phone.notes.read(id, 'ada')) !== undefined;
          if (kind === 'edit') {
            await phone.notes.upsert(body);
          } else if (kind === 'remote-edit' || kind === 'remote-create') {
            await remote.upsert(body);
          } else if (kind === 'remote-delete') {
            await (isOnDevice && (await remote.read(id, 'ada')) !== undefined ? remote.delete(id, 'ada') : Promise.resolve());
          } else if (!(await phone.engine.pending()).some((pending) => pending.id === id)) {
            await damage(phone.backend, { kind, id }, body);
          }
        }
        const pending = new Set((await phone.engine.pending()).map(({ id }) => id));
        const held = (await allOf(phone)).map(({ document }) => document.text);
        const [here, there] = [await contents(phone.notes), await contents(remote)];
        const lostBases = new Set(steps.filter(({ kind }) => kind === 'base-lost' || kind === 'base-and-body').map(({ at }) => ids[at]));
        const report = await phone.engine.verify();
        const found = named(report);
        for (const id of new Set([...Object.keys(here), ...Object.keys(there), ...pending])) {
          const differs = JSON.stringify(here[id]) !== JSON.stringify(there[id]);
          if (pending.has(id)) {
            expect(found[id]).toBe('pending');
          } else if (differs) {
            expect(found[id]).toBe(
              here[id] === undefined ? 'missing-on-device' : there[id] === undefined ? 'missing-at-remote' : 'different',
            );
          } else if (!lostBases.has(id)) {
            expect([id, found[id]]).toEqual([id, undefined]);
          }
        }
        expect(report.equal).toBe(Object.keys(found).length === 0);
        const repaired = await phone.engine.repair();
        expect([repaired.after.equal, named(repaired.after)]).toEqual([true, {}]);
        expect(await contents(phone.notes)).toEqual(await contents(remote));
        const kept = new Set([
          ...Object.values(await contents(remote)).map(({ text }) => text),
          ...(await phone.engine.journal({ limit: 1000 })).map(({ document }) => document?.['text']),
        ]);
        // What the remote held or holds is no version of the device; all that was only on the device is somewhere.
        const known = new Set(Object.values(there).map(({ text }) => text));
        expect(held.filter((text) => !kept.has(text) && !known.has(text))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  },
);

/** Everything on a device as it is stored. */
async function allOf(phone: Device): Promise<readonly { readonly document: Note }[]> {
  const found: { document: Note }[] = [];
  for await (const { document } of phone.notes.changes({ partitionKey: 'ada' })) {
    found.push({ document: plain(document) as unknown as Note });
  }
  return found;
}
