/** The engine against the server through the official client: what a memory remote cannot show. */
import { CosmosClient } from '@azure/cosmos';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import type { CosmosBackendOptions } from '../../src/stores/cosmos/index.ts';
import type { SqliteBackendOptions } from '../../src/stores/sqlite/index.ts';
import type { SyncEngine } from '../../src/sync/index.ts';
import { sourceWorkerDriver } from '../stores/sqlite/test-files.ts';
import { ServedScene } from './served-scene.ts';
import { contents, type Note } from './world.ts';

const note = (text: string, id = '1'): Note => ({ id, owner: 'ada', text });

let scene: ServedScene;

beforeEach(async () => {
  scene = await ServedScene.open({ id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] });
});

afterEach(() => scene.close());

const device = (
  name: string,
  connection: Partial<CosmosBackendOptions> = {},
  driver: SqliteBackendOptions['driver'] = 'better-sqlite3',
): Promise<SyncEngine> => scene.device(name, { connection: { connectTimeoutMs: 2000, ...connection }, driver });

describe('through the official client', () => {
  test.each(['better-sqlite3', 'worker'] as const)('two devices (%s) and a stranger end equal', { timeout: 60_000 }, async (name) => {
    const driver = name === 'worker' ? sourceWorkerDriver() : name;
    const [phone, laptop] = [await device('phone', {}, driver), await device('laptop', {}, driver)];
    const sdk = new CosmosClient({ endpoint: scene.server.url, key: WELL_KNOWN_KEY });
    const items = sdk.database('app').container('notes');
    await phone
      .store<Note>('notes')
      .bulk(Array.from({ length: 230 }, (_, index) => ({ type: 'create', document: { ...note('x', `n${index}`), email: `${index}` } })));
    await phone.store<Note>('notes').create({ ...note('taken', 'rejected'), email: 'taken' });
    await items.items.create({ ...note('holder', 'holder'), email: 'taken' });
    expect(await phone.sync()).toMatchObject({
      outcome: 'complete',
      pushed: 230,
      pulled: 1,
      rejected: [{ id: 'rejected', code: 'CONFLICT' }],
    });
    expect(await laptop.sync()).toMatchObject({ outcome: 'complete', pulled: 231 });
    await laptop.store<Note>('notes').delete('n1', 'ada');
    await laptop.store<Note>('notes').delete('n2', 'ada');
    await laptop.store<Note>('notes').replace({ ...note('laptop', 'n3'), email: '3' });
    await phone.store<Note>('notes').replace({ ...note('phone', 'n3'), email: '3' });
    await items.item('n4', 'ada').delete();
    await items.item('n5', 'ada').replace({ ...note('stranger', 'n5'), email: '5' });
    await laptop.sync();
    expect(await phone.reconcile()).toMatchObject({ outcome: 'complete', deletedLocally: 3, conflictCount: 1 });
    await laptop.reconcile();
    const remote = await scene.cloud.container<Note>('app', 'notes');
    const expected = await contents(remote);
    expect(Object.keys(expected)).toHaveLength(228);
    expect(await contents(laptop.store<Note>('notes'))).toEqual(expected);
    await phone.deadLetters.retry();
    await items.item('holder', 'ada').delete();
    expect(await phone.reconcile()).toMatchObject({ outcome: 'complete', pushed: 1, deletedLocally: 1 });
    expect(await contents(phone.store<Note>('notes'))).toEqual(await contents(remote));
    sdk.dispose();
  });

  test('S1-D01: a wrong key arrives typed, keeps everything, and is not counted against any document', async () => {
    const phone = await device('phone', { key: Buffer.from('not the right key').toString('base64') });
    await phone.store<Note>('notes').create(note('kept'));
    expect(await phone.sync()).toMatchObject({ outcome: 'failed', error: { code: 'UNAUTHORIZED', category: 'auth' } });
    expect(await phone.status()).toMatchObject({ state: 'auth', pending: 1, rejected: 0 });
  });

  test('S1-D20, S1-D21 (what exists now: the forced refresh): a refused token is fetched anew once a request, not once a document', async () => {
    const asked: boolean[] = [];
    const phone = await device('phone', {
      key: undefined,
      tokenProvider: {
        getToken: ({ refresh }) => {
          asked.push(refresh);
          return Promise.resolve({ token: 'type=resource&ver=1&sig=refused;' });
        },
      },
      containers: [{ databaseId: 'app', definition: { id: 'notes', partitionKey: '/owner', defaultTtl: -1 } }],
    });
    await phone.store<Note>('notes').bulk(Array.from({ length: 30 }, (_, index) => ({ type: 'create', document: note('x', `${index}`) })));
    const report = await phone.sync();
    expect(report.error?.category).toBe('auth');
    expect(asked.filter(Boolean).length).toBeGreaterThanOrEqual(1);
    expect(asked.length).toBeLessThanOrEqual(2 * (report.requests + 1));
    expect(JSON.stringify(report)).not.toContain('refused;');
    expect(await phone.status()).toMatchObject({ state: 'auth', pending: 30 });
  });

  test('a server that is gone is known within the connect time-out, and work goes on when it is back', { timeout: 60_000 }, async () => {
    const phone = await device('phone');
    const notes = phone.store<Note>('notes');
    await notes.create(note('first'));
    await phone.sync();
    const { port } = scene.server;
    await scene.server.close();
    await notes.replace(note('offline'));
    expect(await phone.sync()).toMatchObject({ outcome: 'failed', error: { category: 'connection' } });
    expect(await phone.status()).toMatchObject({ state: 'offline', pending: 1 });
    scene.server = await startServer({ backend: scene.cloud, port });
    expect(await phone.sync()).toMatchObject({ outcome: 'complete', pushed: 1 });
    expect(await contents(await scene.cloud.container<Note>('app', 'notes'))).toEqual({ 1: note('offline') });
  });
});
