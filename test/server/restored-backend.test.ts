import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeedStartFrom, type Container } from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../../src/store/backend.ts';
import type { SnapshotRecord } from '../../src/store/snapshot/snapshot-record.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { serve } from './served.ts';

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-restored-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data.sqlite');
}

const backends: readonly (readonly [name: string, open: () => Promise<Backend>])[] = [
  ['memory', async () => openMemoryBackend()],
  ['SQLite', () => openSqliteBackend({ path: temporaryFile() })],
];

const procedure = 'function () { getContext().getResponse().setBody("done"); }';

/** Requests of every kind, each with what it gives on the starting point. */
const requests: readonly (readonly [name: string, ask: (container: Container) => Promise<unknown>, answer: unknown])[] = [
  ['read', async (container) => (await container.item('a', 'ada').read()).resource.n, 1],
  ['query', async (container) => (await container.items.query('SELECT VALUE c.n FROM c').fetchAll()).resources, [1]],
  ['create', async (container) => (await container.items.create({ id: 'new', owner: 'ada' })).statusCode, 201],
  ['replace', async (container) => (await container.item('a', 'ada').replace({ id: 'a', owner: 'ada' })).statusCode, 200],
  ['patch', async (container) => (await container.item('a', 'ada').patch([{ op: 'incr', path: '/n', value: 1 }])).resource?.n, 2],
  ['delete', async (container) => (await container.item('a', 'ada').delete()).statusCode, 204],
  [
    'batch',
    async (container) => (await container.items.batch([{ operationType: 'Read', id: 'a' }], 'ada')).result?.map((one) => one.statusCode),
    [200],
  ],
  [
    'bulk',
    async (container) =>
      (
        await container.items.executeBulkOperations([
          { operationType: 'Create', resourceBody: { id: 'b', owner: 'bob' }, partitionKey: 'bob' },
          { operationType: 'Read', id: 'a', partitionKey: 'ada' },
        ])
      ).map((one) => one.response?.statusCode),
    [201, 200],
  ],
  [
    'change feed',
    async (container) =>
      (await container.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning() }).readNext()).result.length,
    1,
  ],
  ['script', async (container) => (await container.scripts.storedProcedure('done').read()).resource?.id, 'done'],
  ['list of users', async (container) => (await container.database.users.readAll().fetchAll()).resources.map(({ id }) => id), ['kim']],
  ['new user', async (container) => (await container.database.users.create({ id: 'lee' })).statusCode, 201],
  ['throughput', async (container) => (await container.readOffer()).resource?.content?.offerThroughput, 700],
];

describe.each(backends)('a server on a %s backend that is restored while it runs', (_name, open) => {
  test('answers every request from the starting point, the first after the restore as well', async () => {
    const backend = await open();
    const { client } = await serve({ backend });
    const { database } = await client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'notes', partitionKey: '/owner', throughput: 700 });
    await container.items.create({ id: 'a', owner: 'ada', n: 1 });
    await container.scripts.storedProcedures.create({ id: 'done', body: procedure });
    await database.users.create({ id: 'kim' });
    const start: SnapshotRecord[] = [];
    for await (const record of backend.snapshot()) {
      start.push(record);
    }
    for (const [name, ask, answer] of requests) {
      expect([name, await ask(container)]).toEqual([name, answer]);
      await backend.restore(start, { replace: true });
    }
  });

  test('tells a container that the starting point lacks from a document that is missing', async () => {
    const backend = await open();
    const { client } = await serve({ backend });
    const { database } = await client().databases.create({ id: 'app' });
    const start: SnapshotRecord[] = [];
    for await (const record of backend.snapshot()) {
      start.push(record);
    }
    const { container } = await database.containers.create({ id: 'notes', partitionKey: '/owner' });
    await container.items.create({ id: 'a', owner: 'ada' });
    expect((await container.item('none', 'ada').read()).substatus ?? 0).toBe(0);
    await backend.restore(start, { replace: true });
    await expect(container.items.create({ id: 'b', owner: 'ada' })).rejects.toMatchObject({ code: 404, substatus: 1003 });
    await database.containers.create({ id: 'notes', partitionKey: '/owner' });
    expect((await container.items.query('SELECT * FROM c').fetchAll()).resources).toEqual([]);
  });
});
