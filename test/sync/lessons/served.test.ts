/** The lessons in which HTTP has a part: the engine over the official client, against a server with faults by rule. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CosmosBackendOptions } from '../../../src/stores/cosmos/index.ts';
import type { SyncEngine } from '../../../src/sync/index.ts';
import { ServedScene } from '../served-scene.ts';
import { contents, NOTES, type Note } from '../world.ts';
import { note, notes } from './line.ts';

let scene: ServedScene;

beforeEach(async () => {
  scene = await ServedScene.open(NOTES);
});

afterEach(() => scene.close());

const device = (name: string, connection: Partial<CosmosBackendOptions> = {}): Promise<SyncEngine> =>
  scene.device(name, { connection: { maxThrottleWaitMs: 0, ...connection }, pageItems: 10 });

/** Lets every request of an operation meet with an answer. */
const answer = (
  operation: string,
  status: number,
  more: { subStatus?: number; retryAfterMs?: number; count?: number; skip?: number } = {},
): void => {
  const { count, skip, ...effect } = more;
  scene.server.chaos.replace({ rules: [{ operation, count, skip, effect: { kind: 'status', status, ...effect } }] });
};

const remoteNotes = async (): Promise<object> => contents(await scene.cloud.container<Note>('app', 'notes'));

test.each([
  [401, 'auth'],
  [403, 'auth'],
  [408, 'timeout'],
  [429, 'throttle'],
  [449, 'connection'],
  [500, 'connection'],
  [503, 'connection'],
])('row 1: a push that the server answers with %i keeps the write as it is (%s)', async (status, category) => {
  const phone = await device('phone');
  await phone.store<Note>('notes').create(note('kept'));
  answer('execute-batch', status);
  expect(await phone.sync()).toMatchObject({ outcome: 'failed', pushed: 0, rejectedCount: 0, error: { category } });
  expect(await phone.pending()).toMatchObject([{ id: '1', attempts: 0, rejected: undefined }]);
  scene.server.chaos.clear();
  expect(await phone.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect(await remoteNotes()).toEqual({ 1: note('kept') });
});

test('row 20: with a key that is no longer right all is kept, and the right one sends it', async () => {
  const wrong = await device('phone', { key: Buffer.from('a key of yesterday').toString('base64') });
  await wrong.store<Note>('notes').bulk(notes(5).map((document) => ({ type: 'create', document })));
  expect(await wrong.sync()).toMatchObject({ outcome: 'failed', error: { category: 'auth' } });
  expect(await wrong.status()).toMatchObject({ state: 'auth', pending: 5, rejected: 0 });
  await wrong.close();
  const right = await device('phone');
  expect(await right.sync()).toMatchObject({ outcome: 'complete', pushed: 5 });
});

test(
  'row 19: 100 documents over a server that drops answers and cuts connections by chance arrive, each once',
  { timeout: 60_000 },
  async () => {
    scene.server.chaos.replace({
      seed: 19,
      rules: [
        { operation: 'execute-batch', rate: 0.3, effect: { kind: 'drop' } },
        { operation: 'execute-batch', rate: 0.3, effect: { kind: 'cut', at: 'request' } },
        { operation: 'execute-batch', rate: 0.3, effect: { kind: 'truncate', keep: 0.5 } },
      ],
    });
    const phone = await device('phone');
    const store = phone.store<Note>('notes');
    for (const document of notes(100)) {
      await store.create(document);
      if (document.id.endsWith('9')) {
        await phone.sync();
      }
    }
    const { rules } = scene.server.chaos.report();
    expect(rules.reduce((sum, { fired }) => sum + fired, 0)).toBeGreaterThan(3);
    expect(await phone.status()).toMatchObject({ rejected: 0 });
    scene.server.chaos.clear();
    expect(await phone.sync()).toMatchObject({ outcome: 'complete', conflictCount: 0 });
    expect(await remoteNotes()).toEqual(Object.fromEntries(notes(100).map((one) => [one.id, one])));
    expect((await phone.status()).pending).toBe(0);
  },
);

test('row 27: a change feed that runs out of request units at any page skips nothing', { timeout: 60_000 }, async () => {
  await (await scene.cloud.container<Note>('app', 'notes')).bulk(notes(45).map((document) => ({ type: 'create', document })));
  const phone = await device('phone');
  let failures = 0;
  for (let skip = 0; skip < 6; skip += 1) {
    answer('read-change-feed', 429, { subStatus: 3200, retryAfterMs: 1, skip: skip % 2, count: 1 });
    const { error } = await phone.sync();
    failures += error?.code === 'THROTTLED' ? 1 : 0;
    expect(error?.code ?? 'THROTTLED').toBe('THROTTLED');
  }
  expect(failures).toBeGreaterThan(2);
  scene.server.chaos.clear();
  expect(await phone.sync()).toMatchObject({ outcome: 'complete' });
  expect(await contents(phone.store<Note>('notes'))).toEqual(await remoteNotes());
});

test('row 15: a server that takes requests and does not answer ends the run in a time-out, and the next one goes on', async () => {
  const phone = await device('phone', { requestTimeoutMs: 300 });
  await phone.store<Note>('notes').create(note('kept'));
  scene.server.chaos.replace({ rules: [{ effect: { kind: 'delay', delayMs: 60_000 } }] });
  expect(await phone.sync()).toMatchObject({ outcome: 'failed', error: { category: 'timeout' } });
  expect(await phone.status()).toMatchObject({ state: 'offline', pending: 1, progress: undefined });
  scene.server.chaos.clear();
  expect(await phone.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
  expect(await remoteNotes()).toEqual({ 1: note('kept') });
});

test('row 22: a server that has lost its data and its cursors behind the same address is loaded from again, and takes the queue', async () => {
  const phone = await device('phone');
  const store = phone.store<Note>('notes');
  await store.bulk(notes(15).map((document) => ({ type: 'create', document })));
  await phone.sync();
  await scene.cloud.deleteContainer('app', 'notes');
  await scene.cloud.createContainer('app', NOTES);
  await (await scene.cloud.container<Note>('app', 'notes')).create(note('of the new server', 'theirs'));
  await store.create(note('offline', 'new'));
  await store.create(note('offline', 'new too'));
  await phone.sync();
  await phone.sync();
  expect(await phone.status()).toMatchObject({ pending: 0, rejected: 0 });
  expect(await remoteNotes()).toMatchObject({ theirs: note('of the new server', 'theirs'), new: note('offline', 'new') });
  expect(await contents(store)).toMatchObject({ theirs: note('of the new server', 'theirs'), 'new too': note('offline', 'new too') });
});
