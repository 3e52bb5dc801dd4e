import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../../src/server/index.ts';
import { openCosmosBackend, type CosmosBackend } from '../../../src/stores/cosmos/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { failureOf } from './helpers.ts';

const served = openMemoryBackend();
let server: PerigeeServer;
let backend: CosmosBackend;
let store: DocumentStore;

beforeAll(async () => {
  server = await startServer({ backend: served, port: 0, crossPartitionQueries: 'service' });
  backend = await openCosmosBackend({ endpoint: server.url, key: WELL_KNOWN_KEY });
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'todos', partitionKey: ['/owner', '/list'], defaultTtl: -1, uniqueKeys: [['/name']] });
  store = await backend.container('app', 'todos');
  const operations = Array.from({ length: 60 }, (_, n) => ({
    type: 'create' as const,
    document: { id: String(n), owner: `o${n % 3}`, list: `l${n % 2}`, name: String(n), n: 59 - n },
  }));
  await store.bulk(operations);
});

afterAll(async () => {
  await backend.close();
  await server.close();
  await served.close();
});

describe('over the real SDK and a real server', () => {
  test('a query that the service refuses to merge is merged by the SDK, in pages that can be continued', async () => {
    const query = 'SELECT VALUE c.n FROM c ORDER BY c.n';
    const pages: unknown[][] = [];
    let continuation: string | undefined;
    do {
      const page = await store.query<number>(query, { maxItemCount: 25, continuation }).nextPage();
      pages.push([...(page?.items ?? [])]);
      continuation = page?.continuation;
    } while (continuation !== undefined);
    expect(pages.flat()).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(25);
    expect(await store.query<number>('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([60]);
  });

  test('explain says who runs the query and what it read', async () => {
    const merged = await store.explain('SELECT * FROM c WHERE c.n > 9 ORDER BY c.n');
    expect(merged.text).toContain('the SDK plans it');
    expect([merged.access, merged.filter, merged.itemsReturned]).toEqual(['index', 'exact', 50]);
    expect(merged.indexes).toEqual(['/n/?']);
    expect(merged.pushedDown).toEqual(['SELECT', 'WHERE', 'ORDER BY']);
    const scoped = await store.explain('SELECT * FROM c', { partitionKey: ['o0', 'l0'] });
    expect(scoped.plan).toMatchObject({ operation: 'scan', runsIn: 'engine' });
    expect([scoped.access, scoped.filter, scoped.itemsReturned]).toEqual(['partition', 'none', 10]);
    expect(scoped.requestUnits).toBeGreaterThan(0);
  });

  test('a prefix of a hierarchical key scopes queries and the change feed', async () => {
    expect((await store.query('SELECT * FROM c', { partitionKey: ['o1'] }).toArray()).length).toBe(20);
    const ids: string[] = [];
    for await (const { document } of store.changes({ partitionKey: ['o1'], maxItemCount: 7 })) {
      ids.push(document.id);
    }
    expect(ids.length).toBe(20);
    expect(new Set(ids).size).toBe(20);
  });

  test('a definition comes back as it was given', async () => {
    const { definition } = (await backend.readContainer('app', 'todos')) ?? {};
    expect(definition).toMatchObject({
      defaultTtl: -1,
      uniqueKeys: [['/name']],
      partitionKey: { kind: 'MultiHash', version: 2 },
      extra: {},
    });
  });

  test('a wrong key is UNAUTHORIZED', async () => {
    const stranger = await openCosmosBackend({ endpoint: server.url, key: 'd3Jvbmc=' });
    expect((await failureOf(stranger.listDatabases())).code).toBe('UNAUTHORIZED');
    await stranger.close();
  });

  test('a server that restarts on its port is met again without a word', async () => {
    const first = await startServer({ backend: served, port: 0 });
    const port = Number(new URL(first.url).port);
    const client = await openCosmosBackend({ endpoint: first.url, key: WELL_KNOWN_KEY });
    expect((await client.listDatabases()).length).toBe(1);
    await first.close();
    expect((await failureOf(client.createDatabase('more'))).category).toBe('connection');
    const second = await startServer({ backend: served, port });
    expect((await client.listDatabases()).length).toBe(1);
    await client.close();
    await second.close();
  });
});
