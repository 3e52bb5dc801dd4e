import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';

interface Running {
  readonly client: CosmosClient;
  readonly stop: () => Promise<void>;
}

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-server-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data.db');
}

async function start(path: string): Promise<Running> {
  const backend = await openSqliteBackend({ path });
  const server = await startServer({ backend, port: 0 });
  const client = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      client.dispose();
      await server.close();
      await backend.close();
    })();
    return stopping;
  };
  onTestFinished(stop);
  return { client, stop };
}

describe('a server on a SQLite file', () => {
  test('has everything again after a restart: documents, etags, sessions, the place in the change feed', async () => {
    const path = newFile();
    const first = await start(path);
    const { database } = await first.client.databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'todos', partitionKey: '/owner', throughput: 800 });
    const { resource } = await container.items.create({ id: '1', owner: 'ada', text: 'kept' });
    const feed = container.items.changeFeed('ada', { startFromBeginning: true });
    const { etag } = await feed.fetchNext();
    await first.stop();

    const second = await start(path);
    const again = second.client.database('app').container('todos');
    const read = await again.item('1', 'ada').read();
    expect(read.resource).toEqual(resource);
    expect(read.headers['x-ms-session-token']).toBe('0:-1#1');
    expect((await again.readOffer()).resource?.content?.offerThroughput).toBe(800);
    await again.items.create({ id: '2', owner: 'ada' });
    const resumed = await again.items.changeFeed<{ id: string }>('ada', { continuation: etag }).fetchNext();
    expect(resumed.result.map(({ id }) => id)).toEqual(['2']);
    expect((await again.items.query('SELECT VALUE c.id FROM c ORDER BY c.id DESC').fetchAll()).resources).toEqual(['2', '1']);
  });

  test('two servers on one file show one another what they do, containers that are made again included', async () => {
    const path = newFile();
    const [one, two] = [await start(path), await start(path)];
    const { database } = await one.client.databases.create({ id: 'app' });
    await database.containers.create({ id: 'c', partitionKey: '/k' });
    const left = one.client.database('app').container('c');
    const right = two.client.database('app').container('c');
    await left.items.create({ id: '1', k: 'a' });
    const { etag } = await right.item('1', 'a').replace({ id: '1', k: 'a', n: 1 });
    const read = await left.item('1', 'a').read();
    expect([read.etag, read.resource.n]).toEqual([etag, 1]);

    await left.delete();
    expect((await right.item('1', 'a').read()).statusCode).toBe(404);
    await database.containers.create({ id: 'c', partitionKey: '/k' });
    const fresh = new CosmosClient({ endpoint: await two.client.getReadEndpoint(), key: WELL_KNOWN_KEY });
    onTestFinished(() => fresh.dispose());
    expect((await fresh.database('app').container('c').items.create({ id: '1', k: 'a', m: 2 })).statusCode).toBe(201);
    expect((await left.item('1', 'a').read()).resource).toMatchObject({ m: 2 });
  });

  test('16 clients at once, reading and writing', async () => {
    const { client } = await start(newFile());
    const { database } = await client.databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'c', partitionKey: '/k' });
    await Promise.all(
      Array.from({ length: 16 }, async (_, worker) => {
        for (let index = 0; index < 20; index += 1) {
          const id = `${worker}-${index}`;
          await container.items.create({ id, k: `p${worker % 3}`, index });
          expect((await container.item(id, `p${worker % 3}`).read()).resource).toMatchObject({ index });
        }
      }),
    );
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([320]);
  });
});
