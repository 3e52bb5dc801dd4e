import { setTimeout as pause } from 'node:timers/promises';
import { CosmosClient } from '@azure/cosmos';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { startServer, WELL_KNOWN_KEY } from '../../../../src/server/index.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { buildShare } from '../../../../src/stores/postgres/indexes/build-progress.ts';
import type { IndexProgress } from '../../../../src/stores/postgres/indexes/index-builder.ts';
import { postgresForTests } from '../../../support/postgres.ts';
import { notesIn, openedPostgres, type OpenedPostgres } from './opened-postgres.ts';

const policy = (...paths: readonly string[]): JsonObject => ({
  indexingMode: 'consistent',
  includedPaths: ['/*', ...paths].map((path) => ({ path })),
  excludedPaths: [],
});

async function load(store: DocumentStore, count: number): Promise<void> {
  const { outcomes } = await store.bulk(
    Array.from({ length: count }, (_, index) => ({
      type: 'create' as const,
      document: { id: `d${index}`, owner: `o${index % 7}`, rank: index % 50, type: index % 2 === 0 ? 'note' : 'task' },
    })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
}

async function physicalIndexes({ client, schema }: OpenedPostgres): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; valid: boolean }>(
    `SELECT i.indexrelid::regclass::text AS name, i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname ~ '_x[0-9]+$' ORDER BY 1`,
    [`${schema}_1`],
  );
  return rows.map(({ name, valid }) => `${name.split('.').at(-1)} ${valid}`);
}

const BY_RANK = 'SELECT * FROM c WHERE c.rank = 7';

describe('indexes of a policy', () => {
  test('are there as soon as the container is', async () => {
    const opened = await openedPostgres();
    const backend = await opened.open();
    const store = await notesIn(backend, policy('/rank/?', '/tags/[]/?', '/deep/er/?'));
    await load(store, 100);
    expect((await store.explain(BY_RANK)).access).toBe('index');
    expect((await backend.indexStatus()).map(({ index, isReady }) => [index, isReady])).toEqual([
      ['/rank', true],
      ['/deep/er', true],
      ['/tags/[]', true],
    ]);
    expect(await physicalIndexes(opened)).toEqual(['c1_x1 true', 'c1_x2 true', 'c1_x3 true']);
  });

  test('are made in the background when the policy changes, while others write, and dropped', async () => {
    const opened = await openedPostgres();
    const backend = await opened.open();
    const other = await opened.open();
    const store = await notesIn(backend);
    await load(store, 1200);
    expect((await store.explain(BY_RANK)).access).toBe('container');
    const progress: IndexProgress[] = [];
    // Whichever of both has the lease makes them.
    [backend, other].forEach((one) => one.onIndexProgress((event) => event.build ?? progress.push(event)));
    await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/rank/?', '/type/?') });
    const written = store.create({ id: 'meanwhile', owner: 'o1', rank: 7 });
    await Promise.all([backend.indexesReady(), other.indexesReady(), written]);
    expect(progress.map(({ index, state }) => `${index} ${state}`)).toEqual([
      '/rank building',
      '/rank ready',
      '/type building',
      '/type ready',
    ]);
    for (const one of [store, await other.container('app', 'notes')]) {
      expect((await one.explain(BY_RANK)).access).toBe('index');
      expect(await one.query(BY_RANK, { maxItemCount: 1000 }).toArray()).toHaveLength(25);
    }
    await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/type/?') });
    expect((await backend.indexStatus()).map(({ index }) => index)).toEqual(['/type']);
    expect((await store.explain(BY_RANK)).access).toBe('container');
    await other.indexesReady();
    expect(await physicalIndexes(opened)).toEqual(['c1_x2 true']);
  });

  test('that a killed server left half made are made anew', async () => {
    const opened = await openedPostgres();
    const { client, schema } = opened;
    const first = await opened.open();
    const store = await notesIn(first, policy('/rank/?'));
    await load(store, 300);
    await first.close();
    // As it is left by a server whose connection broke in the middle, and by one that never got to begin.
    await client.query(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${schema}_1.c1_x1'::regclass`);
    await client.query(`UPDATE ${schema}.indexes SET ready = false`);
    await client.query(
      `INSERT INTO ${schema}.leases (name, holder, until_ms) VALUES ('indexes', 'killed', ${Date.now() + 1000}) ON CONFLICT (name) DO UPDATE SET holder = 'killed', until_ms = excluded.until_ms`,
    );
    const second = await opened.open();
    expect(await physicalIndexes(opened)).toEqual(['c1_x1 false']);
    const again = await second.container('app', 'notes');
    expect((await again.explain(BY_RANK)).access).toBe('container');
    expect(await again.query(BY_RANK).toArray()).toHaveLength(6);
    await second.indexesReady();
    expect(await physicalIndexes(opened)).toEqual(['c1_x1 true']);
    expect((await again.explain(BY_RANK)).access).toBe('index');
    expect(await again.query(BY_RANK).toArray()).toHaveLength(6);
  });

  test('are made for containers of a version that had none', async () => {
    const opened = await openedPostgres();
    const first = await opened.open();
    const store = await notesIn(first, policy('/rank/?'));
    await load(store, 300);
    await first.close();
    await opened.client.query(`DROP INDEX ${opened.schema}_1.c1_x1; DELETE FROM ${opened.schema}.indexes`);
    const second = await opened.open();
    await second.indexesReady();
    expect(await physicalIndexes(opened)).toEqual(['c1_x2 true']);
  });

  test('tell how far PostgreSQL is, to every server', async () => {
    const opened = await openedPostgres();
    const backend = await opened.open();
    const other = await opened.open();
    const store = await notesIn(backend);
    await load(store, 600);
    // A transaction that sees the table as it was before is waited for, as long as it is open.
    const reader = new pg.Client({ connectionString: (await postgresForTests()).url });
    await reader.connect();
    const told: IndexProgress[] = [];
    [backend, other].forEach((one) => one.onIndexProgress((event) => event.build && told.push(event)));
    try {
      await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await reader.query('SELECT count(*) FROM pg_class');
      await backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/rank/?', '/tags/[]/?') });
      const phase = 'waiting for old snapshots';
      while (told.at(-1)?.build?.phase !== phase) {
        await pause(20);
      }
      const waiting = { phase, blocksTotal: expect.any(Number) as number };
      expect(told.at(-1)?.build?.waitingFor).toBeGreaterThan(0);
      expect(told.at(-1)).toMatchObject({ database: 'app', container: 'notes', index: '/rank', state: 'building', build: waiting });
      for (const one of [backend, other]) {
        expect(await one.indexStatus()).toMatchObject([
          { index: '/rank', isReady: false, build: waiting },
          { index: '/tags/[]', isReady: false },
        ]);
        // Of two indexes, one has everything but the last wait behind it.
        expect(await one.indexProgress('app', 'notes')).toBe(49);
      }
      const server = await startServer({ backend: other, port: 0 });
      const sdk = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY });
      const { headers } = await sdk.database('app').container('notes').read({ populateQuotaInfo: true });
      expect(headers['x-ms-documentdb-collection-index-transformation-progress']).toBe('49');
      sdk.dispose();
      await server.close();
    } finally {
      await reader.end();
    }
    await Promise.all([backend.indexesReady(), other.indexesReady()]);
    const status = await other.indexStatus();
    expect(status.map(({ index, isReady, build }) => [index, isReady, build])).toEqual([
      ['/rank', true, undefined],
      ['/tags/[]', true, undefined],
    ]);
    expect(await other.indexProgress('app', 'notes')).toBe(100);
  });

  test('are never told to be done while they are built', () => {
    const phases = [
      'initializing',
      'waiting for writers before build',
      'building index: scanning table',
      'building index: sorting live tuples',
      'building index: loading tuples in tree',
      'waiting for writers before validation',
      'index validation: scanning index',
      'index validation: sorting tuples',
      'index validation: scanning table',
      'waiting for old snapshots',
      'waiting for readers before marking dead',
    ];
    const shares = phases.flatMap((phase) =>
      [0, 50, 100].map((blocksDone) => buildShare({ phase, blocksDone, blocksTotal: 100, entriesDone: 0, entriesTotal: 0, waitingFor: 0 })),
    );
    expect(shares).toEqual(shares.toSorted((left, right) => left - right));
    expect([shares[0], shares.at(-1)]).toEqual([0, 0.98]);
    const unknown = { phase: 'of a later version', blocksDone: 1, blocksTotal: 1, entriesDone: 1, entriesTotal: 1, waitingFor: 0 };
    expect(buildShare(unknown)).toBe(0);
  });

  test('that are being made keep nobody from replacing the definition, or from dropping the container', async () => {
    const opened = await openedPostgres();
    const { client, schema } = opened;
    const backend = await opened.open();
    const store = await notesIn(backend);
    await load(store, 300);
    const { url } = await postgresForTests();
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    // A transaction that has written to the table holds up the building of an index on it.
    await reader.query('BEGIN');
    await reader.query(`DELETE FROM ${schema}_1.c1 WHERE ordinal = -1`);
    const replaced = backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/rank/?') });
    await pause(50);
    await reader.query('COMMIT');
    await replaced;
    await reader.query('BEGIN');
    await reader.query(`DELETE FROM ${schema}_1.c1 WHERE ordinal = -1`);
    for (let building = 0; building === 0;) {
      const { rows } = await client.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_progress_create_index WHERE relid = '${schema}_1.c1'::regclass`,
      );
      building = rows[0]?.n ?? 0;
    }
    const again = backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy: policy('/rank/?', '/type/?') });
    await pause(50);
    await reader.query('COMMIT');
    await again;
    await backend.indexesReady();
    expect((await backend.indexStatus()).map(({ index, isReady }) => [index, isReady])).toEqual([
      ['/rank', true],
      ['/type', true],
    ]);
    await reader.end();
    await backend.deleteContainer('app', 'notes');
    expect(await backend.indexStatus()).toEqual([]);
    expect(await physicalIndexes(opened)).toEqual([]);
  });
});

test('documents with huge values under every indexed path are written', async () => {
  const backend = await (await openedPostgres()).open();
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const indexingPolicy = {
    includedPaths: ['/*', ...names.map((name) => `/${name}/?`), '/id/?', '/_ts/?', '/owner/?'].map((path) => ({ path })),
    compositeIndexes: [names, names.toReversed(), ['a', 'b'], ['a', '_ts', 'id']].map((some) =>
      some.map((name, at) => ({ path: `/${name}`, order: at % 2 === 0 ? 'ascending' : 'descending' })),
    ),
  };
  const store = await notesIn(backend, indexingPolicy);
  // Of characters that do not compress, in as many bytes as UTF-8 takes.
  const huge = (seed: number): string =>
    Array.from({ length: 3000 }, (_, at) => String.fromCodePoint(0x10000 + ((at * at * 7919 + seed * 104_729) % 0x20000))).join('');
  const values = [huge, (seed: number) => [huge(seed)], (seed: number) => ({ x: huge(seed) }), (seed: number) => 1.5e300 * seed];
  for (const [index, make] of values.entries()) {
    const document = Object.fromEntries(names.map((name, at) => [name, make(index * 10 + at)]));
    await store.create({ ...document, id: `d${index}`, owner: huge(index).slice(0, 200) });
    await store.upsert({ ...document, id: `d${index}`, owner: huge(index).slice(0, 200), again: true });
  }
  expect((await backend.indexStatus()).every(({ isReady }) => isReady)).toBe(true);
  expect(await store.query('SELECT VALUE c.id FROM c ORDER BY c.a', { maxItemCount: 1 }).toArray()).toEqual(['d3', 'd0', 'd1', 'd2']);
});

describe('a query that an index answers by itself', () => {
  test.each([
    ['by equality', 'SELECT * FROM c WHERE c.type = "note"', 7],
    ['in an order', 'SELECT * FROM c WHERE c.rank >= 3 ORDER BY c.rank', 10],
  ])('also gives documents of which PostgreSQL can be told nothing: %s', async (_, text, count) => {
    const opened = await openedPostgres();
    const backend = await opened.open();
    const store = await notesIn(backend, policy('/type/?', '/rank/?'));
    await load(store, 12);
    const ids = async (): Promise<readonly string[]> =>
      (await store.query<{ id: string }>(text, { maxItemCount: 100 }).toArray()).map(({ id }) => id).sort();
    expect((await ids()).length).toBe(count - 1);
    await store.create({ id: 'odd', owner: 'o1', type: 'note', rank: 3.5, text: 'a\u0000b' });
    const { rows } = await opened.client.query(`SELECT count(*)::int AS n FROM ${opened.schema}_1.c1 WHERE doc IS NULL`);
    expect(rows).toEqual([{ n: 1 }]);
    // Pages of every size: a later one goes on from where the first was left.
    for (const maxItemCount of [1, 4, 100]) {
      const found = await store.query<{ id: string }>(text, { maxItemCount }).toArray();
      expect(found).toHaveLength(count);
      expect(found.map(({ id }) => id)).toContain('odd');
    }
    await store.delete('odd', 'o1');
    expect((await ids()).length).toBe(count - 1);
  });
});
