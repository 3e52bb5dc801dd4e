import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import type { IndexProgress } from '../../../../src/stores/sqlite/indexes/index-builder.ts';
import { reconcileIndexes } from '../../../../src/stores/sqlite/indexes/index-catalog.ts';
import { openSqliteBackend, type SqliteBackend } from '../../../../src/stores/sqlite/sqlite-backend.ts';
import { drivers, openBackend as open, temporaryFolder } from '../test-files.ts';

const newFile = (): string => join(temporaryFolder(), 'store.db');

const policy = (...paths: readonly string[]): JsonObject => ({
  indexingMode: 'consistent',
  includedPaths: ['/*', ...paths].map((path) => ({ path })),
  excludedPaths: [],
});

async function container(backend: SqliteBackend, indexingPolicy?: JsonObject): Promise<DocumentStore> {
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy });
  return backend.container('app', 'notes');
}

function load(store: DocumentStore, count: number): Promise<unknown> {
  return store.bulk(
    Array.from({ length: count }, (_, index) => ({
      type: 'create' as const,
      document: { id: `d${index}`, owner: `o${index % 7}`, rank: index % 50, type: index % 2 === 0 ? 'note' : 'task' },
    })),
  );
}

async function accessOf(store: DocumentStore, query: string): Promise<string> {
  return (await store.explain(query)).access;
}

const BY_RANK = 'SELECT * FROM c WHERE c.rank = 7';

describe('indexes of a policy', () => {
  test('are there as soon as the container is', async () => {
    const backend = await open({ path: ':memory:' });
    const store = await container(backend, policy('/rank/?', '/tags/[]/?', '/deep/er/?'));
    await load(store, 100);
    expect(await accessOf(store, BY_RANK)).toBe('index');
    expect((await backend.indexStatus()).map(({ index, isReady }) => [index, isReady])).toEqual([
      ['/rank', true],
      ['/deep/er', true],
    ]);
  });

  test.each(drivers)('are made in the background when the policy changes, and dropped ($name)', async ({ driver }) => {
    const path = newFile();
    const backend = await open({ path, driver: driver() });
    const store = await container(backend);
    await load(store, 1200);
    expect(await accessOf(store, BY_RANK)).toBe('container');
    const progress: IndexProgress[] = [];
    backend.onIndexProgress((one) => progress.push(one));
    await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/rank/?', '/type/?') });
    const written = store.create({ id: 'meanwhile', owner: 'o1', rank: 7 });
    await backend.indexesReady();
    await written;
    expect(progress.map(({ index, state, total }) => `${index} ${state} ${total >= 1200}`)).toEqual([
      '/rank building true',
      '/rank ready true',
      '/type building true',
      '/type ready true',
    ]);
    expect(await accessOf(store, BY_RANK)).toBe('index');
    expect(await store.query(BY_RANK, { maxItemCount: 1000 }).toArray()).toHaveLength(25);
    await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/type/?') });
    expect((await backend.indexStatus()).map(({ index }) => index)).toEqual(['/type']);
    expect(await accessOf(store, BY_RANK)).toBe('container');
  });

  test('that a process left unfinished are made when the file is opened again', async () => {
    const path = newFile();
    const first = await open({ path });
    const store = await container(first);
    await load(store, 300);
    const { definition } = await first.readContainer('app', 'notes').then((info) => info as NonNullable<typeof info>);
    await first.database.write(() => reconcileIndexes(1, { ...definition, indexingPolicy: policy('/rank/?') }, 0));
    await first.database.write(function* () {
      yield {
        mode: 'run',
        sql: "UPDATE containers SET definition = json_set(definition, '$.indexingPolicy', json(?)) WHERE id = 'notes'",
        parameters: [JSON.stringify(policy('/rank/?'))],
      };
    });
    expect((await first.indexStatus()).map(({ isReady }) => isReady)).toEqual([false]);
    await first.close();
    const second = await open({ path });
    await second.indexesReady();
    expect((await second.indexStatus()).map(({ isReady }) => isReady)).toEqual([true]);
    expect(await accessOf(await second.container('app', 'notes'), BY_RANK)).toBe('index');
  });

  test('of a file that has none of them are made when the container is opened', async () => {
    const path = newFile();
    const first = await open({ path });
    await load(await container(first, policy('/rank/?')), 300);
    await first.database.write(function* () {
      yield { mode: 'run', sql: 'DROP INDEX c1_x1', parameters: [] };
      yield { mode: 'run', sql: 'DELETE FROM indexes', parameters: [] };
    });
    await first.close();
    const second = await open({ path });
    const store = await second.container('app', 'notes');
    await second.indexesReady();
    expect(await accessOf(store, BY_RANK)).toBe('index');
  });

  test('go with the container', async () => {
    const backend = await open({ path: ':memory:' });
    await container(backend, policy('/rank/?'));
    await backend.deleteContainer('app', 'notes');
    expect(await backend.indexStatus()).toEqual([]);
  });

  test('that another process drops are not missed by explain', async () => {
    const path = newFile();
    const backend = await open({ path });
    const search: JsonObject = { ...policy('/rank/?'), fullTextIndexes: [{ path: '/type' }] };
    await load(await container(backend, search), 1200);
    const other = await open({ path });
    const store = await other.container('app', 'notes');
    for (const query of [BY_RANK, 'SELECT * FROM c WHERE FULLTEXTCONTAINS(c.type, "note")']) {
      await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: search });
      await backend.indexesReady();
      await store.upsert({ id: 'noticed', owner: 'o1', rank: 7, type: 'note' });
      expect(await accessOf(store, query), query).toBe('index');
      await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner' });
      expect(await accessOf(store, query), query).toBe('container');
    }
  });

  test('that another process drops are done without', async () => {
    const path = newFile();
    const one = await open({ path });
    const store = await container(one, policy('/rank/?'));
    await load(store, 300);
    expect(await store.query(BY_RANK).toArray()).toHaveLength(6);
    const other = await open({ path });
    await other.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy() });
    expect(await store.query(BY_RANK).toArray()).toHaveLength(6);
  });
});

describe('autoIndex', () => {
  const UNDER_ALL = 'SELECT * FROM c WHERE c.type = "note" AND c.rank = 8';

  test('advise tells which index queries lack, and makes none', async () => {
    const backend = await open({ path: ':memory:' });
    const store = await container(backend);
    await load(store, 1000);
    await store.query(UNDER_ALL).toArray();
    await store.query(BY_RANK).toArray();
    await store.query(BY_RANK).toArray();
    await backend.indexesReady();
    const advice = backend.indexAdvice();
    expect(advice[0]).toMatchObject({ database: 'app', container: 'notes', index: '/rank', pages: 2 });
    expect(advice[0]?.documentsScanned).toBeGreaterThan(1000);
    expect(await backend.indexStatus()).toEqual([]);
  });

  test('create makes it, once it was lacked twice, and queries use it', async () => {
    const backend = await open({ path: ':memory:', autoIndex: 'create' });
    const store = await container(backend);
    await load(store, 1000);
    await store.query(BY_RANK).toArray();
    await backend.indexesReady();
    expect(await backend.indexStatus()).toEqual([]);
    await store.query(BY_RANK).toArray();
    await backend.indexesReady();
    expect(await backend.indexStatus()).toMatchObject([{ index: '/rank', origin: 'auto', isReady: true }]);
    const found = await store.explain(BY_RANK);
    expect([found.access, found.documentsScanned]).toEqual(['index', 20]);
  });

  test('create leaves alone what the policy excludes, and small containers', async () => {
    const backend = await open({ path: ':memory:', autoIndex: 'create' });
    const store = await container(backend, {
      indexingMode: 'consistent',
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/rank/*' }],
    });
    await load(store, 1000);
    for (let count = 0; count < 4; count += 1) {
      await store.query(BY_RANK).toArray();
    }
    await backend.indexesReady();
    expect(await backend.indexStatus()).toEqual([]);
    expect(backend.indexAdvice()).toEqual([]);
  });

  test('off remembers nothing', async () => {
    const backend = await open({ path: ':memory:', autoIndex: 'off' });
    const store = await container(backend);
    await load(store, 1000);
    await store.query(BY_RANK).toArray();
    expect(backend.indexAdvice()).toEqual([]);
  });

  test('is one of three words', async () => {
    await expect(openSqliteBackend({ path: ':memory:', autoIndex: 'yes' as 'off' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
