import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { lastWriteWins, mergeFields, SyncEngine, type Conflict } from '../../src/sync/index.ts';
import { LocalFields } from '../../src/sync/form/local-fields.ts';
import { at } from './merging-scene.ts';
import { contents, NOTES, plain, synced, World, type Device, type DeviceOptions, type Note } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  await world.close();
});

const note = (more: object = {}, id = '1'): JsonObject & Note => ({ id, owner: 'ada', ...more });

const LOCAL: DeviceOptions = { localFields: { notes: ['/draft', '/ui/scroll'] } };

/** What the remote holds, without the stamps. */
const remotely = async (): Promise<Record<string, JsonObject>> => contents(await world.remote());

describe('local containers', () => {
  test('hold every partition key, send nothing and are no part of status and verification', async () => {
    const device = await world.device({ localContainers: [{ id: 'drafts', partitionKey: '/kind', uniqueKeys: [['/name']] }] });
    const drafts = device.engine.store('drafts');
    await drafts.create({ id: '1', kind: 'letter', name: 'a' });
    await drafts.create({ id: '2', kind: 'invoice', name: 'b' });
    await expect(drafts.create({ id: '3', kind: 'letter', name: 'a' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await device.notes.create(note());
    expect((await device.engine.pending()).map(({ container }) => container)).toEqual(['notes']);
    expect((await synced(device)).pushed).toBe(1);
    expect(await device.engine.verify()).toMatchObject({ equal: true, documentsOnDevice: 1 });
    expect(plain((await drafts.read('1', 'letter'))?.document ?? {})).toEqual({ id: '1', kind: 'letter', name: 'a' });
    expect(await world.cloud.readContainer('app', 'drafts')).toBeUndefined();
  });

  test('are opened again with what is in the file, and refused where they are something else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perigee-local-'));
    try {
      const drafts = { id: 'drafts', partitionKey: '/kind' };
      const path = join(folder, 'device.db');
      const first = await world.device({ path, localContainers: [drafts] });
      await first.engine.store('drafts').create({ id: '1', kind: 'letter' });
      await first.engine.close();
      const again = (options: DeviceOptions): Promise<Device> => world.device({ path, device: first.name, ...options });
      const second = await again({ localContainers: [drafts] });
      expect(await second.engine.store('drafts').read('1', 'letter')).toBeDefined();
      await second.engine.close();
      await expect(again({ localContainers: [drafts, drafts] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(again({ localContainers: [NOTES] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(again({ localContainers: [{ id: 'drafts', partitionKey: '/owner' }] })).rejects.toMatchObject({
        code: 'INVALID_CONTAINER',
      });
      await world.cloud.createContainer('app', { ...NOTES, id: 'tasks' });
      await expect(again({ scope: [{ container: 'tasks', partitionKey: 'ada' }], localContainers: [NOTES] })).rejects.toMatchObject({
        code: 'SYNC_SCOPE',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('local fields', () => {
  test('are read and queried on the device, never sent, and stay through pulls', async () => {
    const [phone, laptop] = [await world.device(LOCAL), await world.device(LOCAL)];
    await phone.notes.create(note({ text: 'a', draft: 'b', ui: { scroll: 3, open: true } }));
    await synced(phone);
    expect(await remotely()).toEqual({ 1: note({ text: 'a', ui: { open: true } }) });
    await synced(laptop);
    await laptop.notes.patch('1', 'ada', [
      { op: 'set', path: '/text', value: 'c' },
      { op: 'set', path: '/draft', value: 'mine' },
      { op: 'remove', path: '/ui' },
    ]);
    await synced(laptop);
    await synced(phone);
    expect(await at(phone)).toEqual(note({ text: 'c', draft: 'b', ui: { scroll: 3 } }));
    const found = await phone.notes.query({ query: 'SELECT VALUE c.id FROM c WHERE c.draft = "b"' }, { partitionKey: 'ada' }).toArray();
    expect(found).toEqual(['1']);
    expect(await at(laptop)).toEqual(note({ text: 'c', draft: 'mine' }));
    for (const device of [phone, laptop]) {
      expect((await device.engine.verify()).equal).toBe(true);
    }
    const repaired = await phone.engine.repair();
    expect([repaired.reloaded, repaired.journaled]).toEqual([0, 0]);
  });

  test('a write of nothing else is not pending, and leaves the time to live as it is', async () => {
    await world.cloud.replaceContainer('app', { ...NOTES, defaultTtl: 60 });
    const phone = await world.device(LOCAL);
    await phone.notes.create(note({ text: 'a' }));
    await synced(phone);
    await world.pass(50_000);
    await phone.notes.patch('1', 'ada', [{ op: 'set', path: '/draft', value: 'x' }]);
    for (let times = 0; times < 2; times += 1) {
      await phone.notes.replace(note({ text: 'a', draft: 'y', ui: { scroll: 1 } }));
    }
    expect(await phone.engine.pending()).toEqual([]);
    await phone.notes.create(note({ draft: 'z' }, '2'));
    expect((await phone.engine.pending()).map(({ id }) => id)).toEqual(['2']);
    await world.pass(11_000);
    expect(await at(phone)).toBeUndefined();
    expect(await at(phone, '2')).toBeDefined();
  });

  test('a remote value is not taken over, and goes with the next version that the device sends', async () => {
    const remote = await world.remote();
    await remote.create(note({ text: 'a', draft: 'theirs' }));
    const phone = await world.device(LOCAL);
    await synced(phone);
    expect(await at(phone)).toEqual(note({ text: 'a' }));
    expect((await phone.engine.verify()).equal).toBe(true);
    await phone.notes.patch('1', 'ada', [{ op: 'set', path: '/draft', value: 'mine' }]);
    await remote.patch('1', 'ada', [{ op: 'set', path: '/draft', value: 'theirs again' }]);
    await synced(phone);
    expect(await at(phone)).toEqual(note({ text: 'a', draft: 'mine' }));
    await phone.notes.patch('1', 'ada', [{ op: 'set', path: '/text', value: 'b' }]);
    await synced(phone);
    expect(await remotely()).toEqual({ 1: note({ text: 'b' }) });
  });

  test.each([
    ['the remote wins', 'remote' as const, { text: 'theirs' }],
    ['the device wins', 'local' as const, { text: 'ours' }],
    ['a merge', { merged: note({ text: 'both' }) }, { text: 'both' }],
  ])('no policy sees them, and the device keeps them: %s', async (_name, decision, expected) => {
    const seen: Conflict[] = [];
    const policy = Object.assign(
      (conflict: Conflict) => {
        seen.push(conflict);
        return decision;
      },
      { needsBase: true },
    );
    const phone = await world.device({ ...LOCAL, policy });
    await phone.notes.create(note({ text: 'old', draft: 'x' }));
    await synced(phone);
    await phone.notes.replace(note({ text: 'ours', draft: 'y' }));
    await (await world.remote()).replace(note({ text: 'theirs', draft: 'z' }));
    await synced(phone);
    expect(seen[0]).toMatchObject({ base: note({ text: 'old' }), local: { document: note({ text: 'ours' }) } });
    expect(JSON.stringify(seen)).not.toContain('draft');
    expect(await at(phone)).toEqual(note({ ...expected, draft: 'y' }));
    expect(await remotely()).toEqual({ 1: note(expected.text === 'theirs' ? { ...expected, draft: 'z' } : expected) });
    expect((await phone.engine.verify()).equal).toBe(true);
  });

  test('go with a deletion; the journal keeps them, and restoring a remote version leaves those of the device', async () => {
    const phone = await world.device({ ...LOCAL, policy: () => 'remote' });
    const remote = await world.remote();
    await phone.notes.create(note({ text: 'a', draft: 'x' }));
    await synced(phone);
    await phone.notes.replace(note({ text: 'b', draft: 'y' }));
    await remote.delete('1', 'ada');
    await synced(phone);
    expect(await at(phone)).toBeUndefined();
    const [lost] = await phone.engine.journal();
    expect(lost?.document).toEqual(note({ text: 'b', draft: 'y' }));
    await phone.engine.restore(lost?.seq as number);
    expect(await at(phone)).toEqual(note({ text: 'b', draft: 'y' }));
    await synced(phone);
    expect(await remotely()).toEqual({ 1: note({ text: 'b' }) });

    await remote.replace(note({ text: 'theirs' }));
    await phone.engine.forcePush('notes', '1', 'ada');
    const forced = (await phone.engine.journal()).at(-1);
    expect(forced).toMatchObject({ reason: 'forced', document: note({ text: 'theirs' }) });
    await phone.engine.restore(forced?.seq as number);
    expect(await at(phone)).toEqual(note({ text: 'theirs', draft: 'y' }));
  });

  test('dead letters show them, an export does not', async () => {
    await world.cloud.createContainer('app', { ...NOTES, id: 'people', uniqueKeys: [['/email']] });
    const scope = [{ container: 'people', partitionKey: 'ada' }];
    const open = (field: string): Promise<SyncEngine> =>
      SyncEngine.open({
        backend: phone.backend,
        user: 'ada',
        scope,
        remote: (id) => world.cloud.container('app', id),
        localFields: { people: [field] },
      });
    const phone = await world.device();
    const wrong = await open('/email');
    expect((await wrong.sync()).error?.code).toBe('INVALID_OPTION');
    await wrong.close();
    const engine = await open('/draft');
    await (await world.remote('people')).create(note({ email: 'a' }));
    await engine.store('people').create(note({ email: 'a', draft: 'x' }, '2'));
    await engine.sync();
    expect((await engine.deadLetters.list())[0]?.local).toEqual(note({ email: 'a', draft: 'x' }, '2'));
    for await (const letter of engine.deadLetters.export()) {
      expect(letter.local).toEqual(note({ email: 'a' }, '2'));
    }
    await engine.close();
  });

  test('a program that does not know of them does not send them; an empty list ends that', async () => {
    const phone = await world.device(LOCAL);
    await phone.engine.close();
    const open = async (localFields?: Record<string, string[]>): Promise<SyncEngine> =>
      SyncEngine.open({
        ...(localFields === undefined ? {} : { localFields }),
        backend: phone.backend,
        user: 'ada',
        scope: [{ container: 'notes', partitionKey: 'ada' }],
        remote: (id) => world.cloud.container('app', id),
      });
    const ignorant = await open();
    await ignorant.store('notes').create(note({ text: 'a', draft: 'x' }));
    await ignorant.sync();
    expect(await remotely()).toEqual({ 1: note({ text: 'a' }) });
    await ignorant.close();
    const released = await open({ notes: [] });
    await released.store('notes').patch('1', 'ada', [{ op: 'set', path: '/text', value: 'b' }]);
    await released.sync();
    expect(await remotely()).toEqual({ 1: note({ text: 'b', draft: 'x' }) });
    await released.close();
  });

  test.each(['draft', '/id', '/owner', '/owner/x', '/ttl', '/_perigee', '/_ts', '/kind/name', '/kind'])(
    '%s cannot be one',
    async (path) => {
      const scope = [{ container: 'notes', partitionKey: 'ada', types: { path: '/kind/name', values: ['a'] } }];
      await expect(world.device({ scope, localFields: { notes: [path] } })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    },
  );

  test.each([{ notes: ['/a', '/a/b'] }, { others: ['/a'] }, { notes: '/a' }, { notes: [1] }])('%j is refused', async (localFields) => {
    await expect(world.device({ localFields: localFields as never })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

const value = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom('x', 'y'),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
);
const members = fc.dictionary(fc.constantFrom('scroll', 'open'), value, { maxKeys: 2 });
const body = fc.record({ text: value, draft: value, ui: members }, { requiredKeys: [] });
const step = fc.oneof(
  fc.record({ do: fc.constant('write' as const), device: fc.nat(1), id: fc.constantFrom('1', '2'), body }),
  fc.record({ do: fc.constant('mark' as const), device: fc.nat(1), id: fc.constantFrom('1', '2'), value }),
  fc.record({ do: fc.constant('delete' as const), device: fc.nat(1), id: fc.constantFrom('1', '2') }),
  fc.record({ do: fc.constant('stranger' as const), id: fc.constantFrom('1', '2'), body }),
  fc.record({ do: fc.constant('sync' as const), device: fc.nat(1) }),
);
const fields = new LocalFields(['/draft', '/ui/scroll']);
const ofDevice = (document: JsonObject | undefined): JsonObject => fields.carried({}, document ?? {});

describe('whatever is written, pulled and merged', () => {
  test('carrying over and leaving out are each other’s opposite', () => {
    fc.assert(
      fc.property(body, body, (theirs, ours) => {
        const shared = fields.shared(theirs as JsonObject);
        const carried = fields.carried(shared, ours as JsonObject);
        expect(fields.shared(carried)).toEqual(shared);
        expect(ofDevice(carried)).toEqual(ofDevice(ours as JsonObject));
        expect(fields.shared(shared)).toBe(shared);
      }),
    );
  });

  test.each([
    ['the last write', lastWriteWins],
    ['a merge', mergeFields()],
  ])('no local field reaches the remote, and none is lost while its document lives: %s', { timeout: 60_000 }, async (_name, policy) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const one = await World.open();
        try {
          const devices = [await one.device({ ...LOCAL, policy }), await one.device({ ...LOCAL, policy })];
          /** What each device last wrote of its own; by device, then id. */
          const own: Map<string, JsonObject>[] = [new Map(), new Map()];
          const strangers = new Set<string>();
          const remote = await one.remote();
          for (const next of steps) {
            await one.pass(1000);
            if (next.do === 'stranger') {
              await remote.upsert(note(next.body, next.id));
              strangers.add(next.id);
              continue;
            }
            const device = devices[next.device] as Device;
            const mine = own[next.device] as Map<string, JsonObject>;
            if (next.do === 'write') {
              await device.notes.upsert(note(next.body, next.id));
              mine.set(next.id, ofDevice(next.body as JsonObject));
            } else if (next.do === 'delete') {
              await device.notes.delete(next.id, 'ada').catch(() => undefined);
              mine.delete(next.id);
            } else if (next.do === 'mark' && (await device.notes.read(next.id, 'ada')) !== undefined) {
              const before = await device.engine.pending();
              await device.notes.patch(next.id, 'ada', [{ op: 'set', path: '/draft', value: next.value as never }]);
              expect(await device.engine.pending()).toEqual(before);
              mine.set(next.id, { ...mine.get(next.id), draft: next.value as never });
            } else if (next.do === 'sync') {
              await synced(device);
            }
            for (const [index, held] of own.entries()) {
              for (const id of ['1', '2']) {
                const found = await at(devices[index] as Device, id);
                if (found === undefined) {
                  held.delete(id);
                }
                expect(ofDevice(found as JsonObject | undefined)).toEqual(held.get(id) ?? {});
              }
            }
            for (const [id, found] of Object.entries(await contents(remote))) {
              // A stranger may write what it likes; what an engine sends has none.
              expect(strangers.has(id) ? {} : ofDevice(found)).toEqual({});
            }
          }
          for (const device of [...devices, ...devices]) {
            await synced(device);
          }
          expect(await devices[0]?.engine.verify()).toMatchObject({ equal: true });
          const [left, right] = await Promise.all(devices.map(({ notes }) => contents(notes)));
          expect(Object.entries(left ?? {}).map(([id, found]) => [id, fields.shared(found)])).toEqual(
            Object.entries(right ?? {}).map(([id, found]) => [id, fields.shared(found)]),
          );
        } finally {
          await one.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});
