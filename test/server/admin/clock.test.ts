import {
  ChangeFeedMode,
  ChangeFeedPolicy,
  ChangeFeedRetentionTimeSpan,
  ChangeFeedStartFrom,
  CosmosClient,
  PermissionMode,
} from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ShiftableRuntime } from '../../../src/core/shiftable-runtime.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { serve } from '../served.ts';
import { admin } from './admin-client.ts';

const BACKENDS = {
  memory: async (runtime: ShiftableRuntime) => openMemoryBackend({ runtime }),
  sqlite: (runtime: ShiftableRuntime) => openSqliteBackend({ path: ':memory:', runtime }),
};
const HOUR_MS = 3_600_000;

describe.each(Object.entries(BACKENDS))('the clock of a server on %s', (_name, open) => {
  test('moves to the end of the life of documents, and the client that signs by its own clock goes on', async () => {
    const served = await serve({ backend: await open(new ShiftableRuntime()) });
    const { database } = await served.client().databases.create({ id: 'app' });
    const changeFeedPolicy = new ChangeFeedPolicy(ChangeFeedRetentionTimeSpan.fromMinutes(600));
    const { container } = await database.containers.create({ id: 'sessions', partitionKey: '/user', defaultTtl: 3600, changeFeedPolicy });
    await container.items.create({ id: 'short', user: 'ada' });
    await container.items.create({ id: 'long', user: 'ada', ttl: 100_000 });
    const feed = container.items.getChangeFeedIterator({
      changeFeedMode: ChangeFeedMode.AllVersionsAndDeletes,
      changeFeedStartFrom: ChangeFeedStartFrom.Now(),
    });
    await feed.readNext();

    expect(await admin(served, 'POST', 'clock', { advanceMs: HOUR_MS })).toMatchObject({
      status: 200,
      body: { shiftedMs: HOUR_MS, isMovable: true },
    });
    expect((await container.item('short', 'ada').read()).statusCode).toBe(404);
    expect((await container.item('long', 'ada').read()).statusCode).toBe(200);
    expect((await container.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources).toEqual(['long']);
    const { result } = await feed.readNext();
    expect(result).toMatchObject([{ metadata: { operationType: 'delete', timeToLiveExpired: true } }]);

    const { resource } = await container.items.create({ id: 'late', user: 'ada' });
    const aheadSeconds = (resource as unknown as { _ts: number })._ts - Math.floor(Date.now() / 1000);
    expect(Math.abs(aheadSeconds - 3600)).toBeLessThan(60);
  });
});

describe('the clock of a server', () => {
  test('ends resource tokens', async () => {
    const served = await serve({ backend: openMemoryBackend({ runtime: new ShiftableRuntime() }) });
    const { database } = await served.client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/key' });
    const { user } = await database.users.create({ id: 'ada' });
    const { resource } = await user.permissions.create(
      { id: 'read', permissionMode: PermissionMode.Read, resource: container.url },
      { resourceTokenExpirySeconds: 600 },
    );
    const token = (resource as { _token: string })._token;
    const client = new CosmosClient({ endpoint: served.server.url, resourceTokens: { [container.url]: token } });
    onTestFinished(() => client.dispose());
    const read = (): Promise<unknown> => client.database('app').container('items').item('none', 'k').read();
    expect(await read()).toMatchObject({ statusCode: 404 });
    await admin(served, 'POST', 'clock', { advanceMs: 601_000 });
    await expect(read()).rejects.toMatchObject({ code: 403 });
  });

  test('moves to a date as well, forward only, and says what it takes', async () => {
    const served = await serve({ backend: openMemoryBackend({ runtime: new ShiftableRuntime() }) });
    expect(await admin(served, 'POST', 'clock', { to: '2100-01-31T12:00:00Z' })).toMatchObject({
      status: 200,
      body: { now: expect.stringMatching(/^2100-01-31T12:00:0/u) },
    });
    for (const body of [
      {},
      [],
      { advanceMs: -1 },
      { advanceMs: '5' },
      { advanceMs: 1e16 },
      { advanceMs: 1, to: '2101-01-01' },
      { to: '2099-01-01' },
      { to: 'tomorrow' },
      { to: '2101-01-01T00:00' },
      'x',
    ]) {
      expect([body, (await admin(served, 'POST', 'clock', body)).status]).toEqual([body, 400]);
    }
    expect((await admin(served, 'GET', 'clock')).body).toMatchObject({ now: expect.stringMatching(/^2100-01-31T12:00/u) });
  });

  test('that belongs to a store on a clock of its own is left alone, with a code', async () => {
    const served = await serve({ backend: openMemoryBackend() });
    const answer = await admin(served, 'POST', 'clock', { advanceMs: 1 });
    expect([answer.status, answer.headers.get('x-perigee-code')]).toEqual([400, 'NOT_SUPPORTED']);
    expect((await admin(served, 'GET', 'clock')).body).toMatchObject({ shiftedMs: 0, isMovable: false });
  });
});
