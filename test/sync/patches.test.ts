/** Local patches travel as patches. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { PatchOperation } from '../../src/store/operations.ts';
import { mergeFields } from '../../src/sync/index.ts';
import { fault, faultyStore, type FaultPlan } from './faulty-store.ts';
import { note, patchedIn, STORY, watched, type Operation } from './patches-scene.ts';
import { contents, plain, synced, World, type Device, type DeviceOptions } from './world.ts';

let world: World;
/** What devices have sent, markers left out. */
const sent: Operation[][] = [];

beforeEach(async () => {
  world = await World.open();
  sent.length = 0;
});

afterEach(() => world.close());

const device = (options: DeviceOptions = {}): Promise<Device> => world.device({ wrap: (store) => watched(sent, store), ...options });

/** A device with one note that the remote has too; what was sent for it is forgotten. */
async function withNote(options: DeviceOptions = {}): Promise<Device> {
  const phone = await device(options);
  await phone.notes.create(note());
  await synced(phone);
  sent.length = 0;
  return phone;
}

const patched = (): readonly string[] => patchedIn(sent);

async function expectEqual(...devices: readonly Device[]): Promise<void> {
  const expected = await contents(await world.remote());
  for (const one of devices) {
    expect(await contents(one.notes)).toEqual(expected);
    expect(await one.engine.pending()).toEqual([]);
  }
}

const set = (path: string, value: unknown): PatchOperation => ({ op: 'set', path, value }) as PatchOperation;

describe('what travels', () => {
  test('patches of one document travel as one, with what they touched as it is now, on the condition that the remote has the version that they follow', async () => {
    const phone = await withNote();
    const etag = (await (await world.remote()).read('1', 'ada'))?.etag;
    await phone.notes.patch('1', 'ada', [set('/text', 'b'), { op: 'incr', path: '/count', value: 2 }]);
    await phone.notes.patch('1', 'ada', [{ op: 'add', path: '/tags/0', value: 'w' }, set('/at/zip', 3000)]);
    await phone.notes.patch('1', 'ada', [
      { op: 'incr', path: '/count', value: 3 },
      { op: 'move', from: '/text', path: '/at/text' },
    ]);
    const report = await synced(phone);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject([{ type: 'patch', id: '1', ifMatch: etag }]);
    expect(patched()).toEqual(['set /text', 'remove /text', 'set /count', 'set /tags', 'set /at/zip', 'set /at/text', 'set /_perigee']);
    expect(report.bytesSent).toBeLessThan(STORY.length);
    const expected = { id: '1', owner: 'ada', story: STORY, tags: ['w', 'x'], at: { city: 'Bern', zip: 3000, text: 'b' }, count: 5 };
    expect(await contents(await world.remote())).toEqual({ 1: expected });
    // The stamp is that of the whole document: another device takes it for what it is.
    const laptop = await device();
    await synced(laptop);
    expect(await laptop.engine.verify()).toMatchObject({ equal: true });
    await expectEqual(phone, laptop);
  });

  test('more than ten operations go as several patches of one batch, more than thirty as a whole document', async () => {
    const phone = await withNote();
    const many = (count: number): PatchOperation[] => Array.from({ length: count }, (_, index) => set(`/p${index}`, index));
    for (let at = 0; at < 24; at += 10) {
      await phone.notes.patch('1', 'ada', many(24).slice(at, at + 10));
    }
    await synced(phone);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.map((one) => (one.type === 'patch' ? [one.operations.length, one.ifMatch === undefined] : one.type))).toEqual([
      [10, false],
      [10, true],
      [5, true],
    ]);
    sent.length = 0;
    for (let at = 0; at < 31; at += 10) {
      await phone.notes.patch('1', 'ada', many(31).slice(at, at + 10));
    }
    await synced(phone);
    expect(patched()).toEqual(['replace whole']);
    await expectEqual(phone);
  });

  test('many patched documents never make a batch of more than 100 operations', async () => {
    const phone = await device();
    const ids = Array.from({ length: 90 }, (_, index) => `n${index}`);
    await phone.notes.bulk(ids.map((id) => ({ type: 'create', document: note({}, id) })));
    await synced(phone);
    sent.length = 0;
    for (const id of ids) {
      await phone.notes.patch(
        id,
        'ada',
        Array.from({ length: 10 }, (_, index) => set(`/p${index}`, id)),
      );
    }
    expect(await synced(phone)).toMatchObject({ pushed: 90 });
    expect(sent.map((operations) => operations.length)).toEqual([100, 80]);
    await expectEqual(phone);
  });

  test('a local field never travels; what was patched beside it does', async () => {
    const phone = await withNote({ localFields: { notes: ['/draft', '/ui/scroll'] } });
    await phone.notes.patch('1', 'ada', [set('/draft', 'secret'), set('/ui', { scroll: 7 })]);
    await synced(phone);
    expect(sent).toEqual([]);
    // What another program left under the name goes, as it does with a whole document.
    const remote = await world.remote();
    await remote.patch('1', 'ada', [set('/draft', 'foreign')]);
    await synced(phone);
    await phone.notes.patch('1', 'ada', [set('/draft', 'secret too'), set('/text', 'b'), set('/ui/theme', 'dark')]);
    await synced(phone);
    expect(patched()).toEqual(['set /text', 'set /draft', 'remove /draft', 'set /ui', 'set /_perigee']);
    expect(JSON.stringify(sent)).not.toContain('secret');
    await phone.notes.patch('1', 'ada', [{ op: 'remove', path: '/ui/theme' }]);
    await synced(phone);
    expect(patched().slice(5)).toEqual(['set /draft', 'remove /draft', 'set /ui', 'remove /ui', 'set /_perigee']);
    expect(await contents(remote)).toEqual({ 1: note({ text: 'b' }) });
    expect(plain((await phone.notes.read('1', 'ada'))?.document as object)).toMatchObject({ draft: 'secret too', ui: { scroll: 7 } });
  });
});

describe('a whole document travels', () => {
  test.each<[string, (phone: Device) => Promise<unknown>]>([
    ['a replacement before it', (phone) => phone.notes.replace(note({ text: 'c' }))],
    ['a deletion and a new document before it', async (phone) => phone.notes.delete('1', 'ada').then(() => phone.notes.create(note()))],
    ['another document', (phone) => phone.notes.create(note({}, '2')).then(() => phone.notes.patch('2', 'ada', [set('/text', 'c')]))],
  ])('%s', async (_, before) => {
    const phone = await withNote();
    await before(phone);
    await phone.notes.patch('1', 'ada', [{ op: 'remove', path: '/story' }]);
    await phone.notes.upsert(note({ text: 'd' }));
    await phone.notes.patch('1', 'ada', [set('/at/city', 'Basel')]);
    await synced(phone);
    expect(patched()).not.toContain('set /_perigee');
    await expectEqual(phone);
  });

  test('where it is no longer than the patch, where a path is no plain name, and where documents have versions', async () => {
    const phone = await withNote();
    await phone.notes.patch('1', 'ada', [set('/story', `${STORY}The end.`), set('/text', STORY), set('/tags', [STORY])]);
    await synced(phone);
    await phone.notes.patch('1', 'ada', [set('/a~1b', 1)]);
    await synced(phone);
    const versions = await device({ schemas: { notes: { version: 1, migrate: { 1: (document) => document } } } });
    await synced(versions);
    await versions.notes.patch('1', 'ada', [set('/text', 'b')]);
    await synced(versions);
    expect(patched().filter((one) => one !== 'replace whole')).toEqual([]);
    await synced(phone);
    await expectEqual(phone, versions);
  });

  test.each(['INVALID_PATCH', 'NOT_SUPPORTED', 'BAD_REQUEST'] as const)(
    'where the remote refuses patches with %s, be it the request or the operation',
    async (code) => {
      for (const whole of [true, false]) {
        const phone = await device({
          scope: [{ container: 'notes', partitionKey: 'ada' }],
          wrap: (store) =>
            watched(sent, store, async (operations, send) => {
              const error = new PerigeeError(code, 'No patches here.');
              if (!operations.some(({ type }) => type === 'patch')) {
                return send();
              }
              if (whole) {
                throw error;
              }
              const outcomes = operations.map(({ type }) => ({
                ok: false as const,
                error: type === 'patch' ? error : new PerigeeError('FAILED_DEPENDENCY', 'Another one failed.'),
                requestUnits: 0,
              }));
              return { committed: false, outcomes, requestUnits: 0, session: undefined };
            }),
          markerIntervalMs: 3_600_000,
        });
        await phone.notes.upsert(note({ text: `of ${String(whole)}` }));
        await synced(phone);
        await phone.notes.patch('1', 'ada', [set('/text', 'b')]);
        await phone.notes.create(note({}, `new ${String(whole)}`));
        expect(await synced(phone)).toMatchObject({ rejected: [] });
        await expectEqual(phone);
      }
    },
  );
});

describe('nothing is lost', () => {
  test.each([undefined, mergeFields()])('a patch of what somebody else has changed is a conflict like any other', async (policy) => {
    const options = policy === undefined ? {} : { policy };
    const [phone, laptop] = [await withNote(options), await device(options)];
    await synced(laptop);
    await laptop.notes.patch('1', 'ada', [set('/at/city', 'Basel')]);
    await synced(laptop);
    await world.pass(5000);
    await phone.notes.patch('1', 'ada', [set('/text', 'b')]);
    sent.length = 0;
    expect(await synced(phone)).toMatchObject({ conflictCount: 1 });
    // First as a patch, then whole: what it follows is another version.
    expect(patched()).toEqual(['set /text', 'set /_perigee', 'replace whole']);
    await synced(laptop);
    const city = policy === undefined ? 'Bern' : 'Basel';
    expect(await contents(await world.remote())).toEqual({ 1: note({ text: 'b', at: { city } }) });
    await expectEqual(phone, laptop);
  });

  test.each(['before', 'after', 'late'] as const)('an answer that is lost (%s), and patches after it', async (when) => {
    let plan: FaultPlan = () => undefined;
    const late: (() => Promise<unknown>)[] = [];
    const phone = await withNote({
      wrap: (store) =>
        watched(
          sent,
          faultyStore(
            store,
            (request) => plan(request),
            (send) => late.push(send),
          ),
        ),
    });
    await phone.notes.patch('1', 'ada', [set('/text', 'b'), set('/seen', true)]);
    plan = (request) => (request === 'batch' ? fault('TIMEOUT', when) : undefined);
    expect((await phone.engine.sync()).outcome).not.toBe('complete');
    plan = () => undefined;
    await phone.notes.patch('1', 'ada', [set('/at/city', 'Basel'), { op: 'remove', path: '/seen' }]);
    expect(await synced(phone)).toMatchObject({ conflictCount: 0 });
    await Promise.all(late.map((send) => send()));
    await synced(phone);
    expect(await contents(await world.remote())).toEqual({ 1: note({ text: 'b', at: { city: 'Basel' } }) });
    await expectEqual(phone);
  });

  test('a patch made while another one is on its way follows it', async () => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    const phone = await withNote({
      wrap: (store) =>
        watched(sent, store, async (_, send) => {
          const result = await send();
          await meanwhile?.();
          meanwhile = undefined;
          return result;
        }),
    });
    await phone.notes.patch('1', 'ada', [set('/seen', true), set('/at/zip', 3000)]);
    meanwhile = () => phone.notes.patch('1', 'ada', [{ op: 'remove', path: '/seen' }, set('/text', 'b')]);
    await synced(phone);
    await synced(phone);
    expect(patched().slice(3)).toEqual(['set /seen', 'remove /seen', 'set /at/zip', 'set /text', 'set /_perigee']);
    await expectEqual(phone);
  });

  test('a document that the remote makes something else of is treated as the version that it is', async () => {
    for (const policy of [undefined, mergeFields()]) {
      let isOdd = false;
      const remote = await world.remote<JsonObject>();
      const phone = await withNoteOf({
        ...(policy === undefined ? {} : { policy }),
        wrap: (store) =>
          watched(sent, store, async (operations, send) => {
            if (!isOdd) {
              return send();
            }
            isOdd = false;
            const { id } = operations.at(-1) as { id: string };
            const result = await send();
            const { document } = await remote.patch(id, 'ada', [set('/sum', 3)]);
            const odd = {
              ok: true as const,
              document,
              etag: document['_etag'] as string,
              created: false,
              position: undefined,
              requestUnits: 0,
            };
            return { ...result, outcomes: result.outcomes.map((outcome, at) => (at === result.outcomes.length - 1 ? odd : outcome)) };
          }),
      });
      isOdd = true;
      await phone.notes.patch('1', 'ada', [set('/text', 'b')]);
      await synced(phone);
      await synced(phone);
      await expectEqual(phone);
      const journal = await phone.engine.journal();
      const { text, sum } = (await contents(phone.notes))['1'] as { text: unknown; sum: unknown };
      expect(text).toBe('b');
      expect([sum, journal.at(-1)?.document?.['sum']]).toContain(3);
    }
  });

  test('a process that ends after the patch knows of it in the next one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perigee-patches-'));
    try {
      const path = join(folder, 'phone.db');
      const first = await withNote({ path, device: 'phone' });
      await first.notes.patch('1', 'ada', [set('/text', 'b')]);
      // Nothing is closed: what counts is in the file.
      const again = await device({ path, device: 'phone' });
      await again.notes.patch('1', 'ada', [set('/at/city', 'Basel')]);
      await synced(again);
      expect(patched()).toEqual(['set /text', 'set /at/city', 'set /_perigee']);
      await expectEqual(again);
    } finally {
      await world.close();
      rmSync(folder, { recursive: true });
      world = await World.open();
    }
  });
});

async function withNoteOf(options: DeviceOptions): Promise<Device> {
  const phone = await device(options);
  await phone.notes.upsert(note());
  await synced(phone);
  return phone;
}
