import { describe, expect, test } from 'vitest';
import { systemRuntime } from '../../../../src/core/runtime.ts';
import { ShiftableRuntime } from '../../../../src/core/shiftable-runtime.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { MAX_AUTO_INDEXES } from '../../../../src/stores/common/auto-index.ts';
import type { PostgresBackend } from '../../../../src/stores/postgres/postgres-backend.ts';
import { notesIn, openedPostgres, type OpenedPostgres } from './opened-postgres.ts';

/** Documents with as many ranks as there are for twenty each, and some names more. */
async function load(store: DocumentStore, count: number, names: readonly string[] = []): Promise<void> {
  const { outcomes } = await store.bulk(
    Array.from({ length: count }, (_, index) => ({
      type: 'create' as const,
      document: {
        id: `d${index}`,
        owner: `o${index % 7}`,
        rank: index % (count / 20),
        ...Object.fromEntries(names.map((name) => [name, index])),
      },
    })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
}

const BY_RANK = 'SELECT * FROM c WHERE c.rank = 7';

const indexesOf = async (backend: PostgresBackend): Promise<readonly unknown[]> =>
  (await backend.indexStatus()).map(({ index, origin, isReady }) => [index, origin, isReady]);

async function physicalIndexes({ client, schema }: OpenedPostgres): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname ~ '_x[0-9]+$'`,
    [`${schema}_1`],
  );
  return rows[0]?.n ?? 0;
}

describe('autoIndex on PostgreSQL', () => {
  test('create makes an index that queries lacked twice, they use it, and answers stay as they were', async () => {
    const opened = await openedPostgres({ autoIndex: 'create' });
    const backend = await opened.open();
    const store = await notesIn(backend);
    await load(store, 1000);
    const queries = [
      BY_RANK,
      'SELECT VALUE c.id FROM c WHERE c.rank > 47 ORDER BY c.rank DESC, c.id',
      'SELECT VALUE COUNT(1) FROM c WHERE c.rank = 3',
    ];
    const answers = (asked: DocumentStore): Promise<unknown[]> => Promise.all(queries.map((query) => asked.query(query).toArray()));
    const before = await store.query(BY_RANK).toArray();
    await backend.indexesReady();
    expect(await indexesOf(backend)).toEqual([]);
    expect(backend.indexAdvice()).toMatchObject([{ database: 'app', container: 'notes', index: '/rank', pages: 1 }]);
    expect(await store.query(BY_RANK).toArray()).toEqual(before);
    await backend.indexesReady();
    expect(await indexesOf(backend)).toEqual([['/rank', 'auto', true]]);
    const found = await store.explain(BY_RANK);
    expect([found.access, found.documentsScanned]).toEqual(['index', 20]);
    const withIndex = await answers(store);
    expect(withIndex[0]).toEqual(before);
    await opened.client.query(`UPDATE ${opened.schema}.indexes SET dropped = true, ready = false`);
    const plain = await (await opened.open({ autoIndex: 'off' })).container('app', 'notes');
    expect((await plain.explain(BY_RANK)).access).toBe('container');
    expect(await answers(plain)).toEqual(withIndex);
  });

  test.each(['advise', 'off'] as const)('%s makes none', async (autoIndex) => {
    const backend = await (await openedPostgres({ autoIndex: 'create' })).open({ autoIndex });
    const store = await notesIn(backend);
    await load(store, 1000);
    for (let count = 0; count < 3; count += 1) {
      await store.query(BY_RANK).toArray();
    }
    await backend.indexesReady();
    expect(await indexesOf(backend)).toEqual([]);
    expect(backend.indexAdvice().map(({ index, pages }) => [index, pages])).toEqual(autoIndex === 'off' ? [] : [['/rank', 3]]);
  });

  test('paths that the policy excludes get none, and one that it excludes later is dropped; one that it names becomes its own', async () => {
    const opened = await openedPostgres({ autoIndex: 'create' });
    const backend = await opened.open();
    const policy = (included: readonly string[], excluded: readonly string[]): JsonObject => ({
      indexingMode: 'consistent',
      includedPaths: included.map((path) => ({ path })),
      excludedPaths: excluded.map((path) => ({ path })),
    });
    const store = await notesIn(backend, policy(['/*'], ['/rank/*']));
    await load(store, 1000, ['level']);
    const byLevel = 'SELECT * FROM c WHERE c.level = 7';
    for (const query of [BY_RANK, BY_RANK, BY_RANK, byLevel, byLevel]) {
      await store.query(query).toArray();
    }
    await backend.indexesReady();
    expect(await indexesOf(backend)).toEqual([['/level', 'auto', true]]);
    const replace = (indexingPolicy: JsonObject): Promise<unknown> =>
      backend.replaceContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy });
    await replace(policy(['/*', '/level/?'], []));
    expect(await indexesOf(backend)).toEqual([['/level', 'policy', true]]);
    await replace(policy(['/*'], []));
    expect(await indexesOf(backend)).toEqual([]);
    await opened.client.query(
      `INSERT INTO ${opened.schema}.indexes (container, kind, key, form, ready, origin, used_at)
        SELECT container, kind, key, form, false, 'auto', ${Math.floor(Date.now() / 1000)} FROM ${opened.schema}.indexes LIMIT 1`,
    );
    await replace(policy(['/*'], ['/rank/*']));
    await backend.indexesReady();
    expect(await indexesOf(backend)).toEqual([['/level', 'auto', true]]);
    await replace(policy(['/*'], ['/level/*']));
    await backend.indexesReady();
    expect(await indexesOf(backend)).toEqual([]);
    expect(await physicalIndexes(opened)).toBe(0);
  });

  test('two servers that lack the same index make one, and both use it', async () => {
    const opened = await openedPostgres({ autoIndex: 'create' });
    let laterMs = 0;
    const runtime = { ...systemRuntime, monotonicMs: () => systemRuntime.monotonicMs() + laterMs };
    const servers = await Promise.all([opened.open({ runtime }), opened.open({ runtime })]);
    const [first] = servers;
    await load(await notesIn(first), 1000);
    const stores = await Promise.all(servers.map((server) => server.container('app', 'notes')));
    for (const _ of [1, 2]) {
      await Promise.all(stores.map((store) => store.query(BY_RANK).toArray()));
    }
    await Promise.all(servers.map((server) => server.indexesReady()));
    expect(await indexesOf(first)).toEqual([['/rank', 'auto', true]]);
    expect(await physicalIndexes(opened)).toBe(1);
    laterMs = 10_000;
    expect(await Promise.all(stores.map(async (store) => (await store.explain(BY_RANK)).access))).toEqual(['index', 'index']);
  });

  test('there are never more than a dozen; one that nobody used for a day makes room, one that is used does not', async () => {
    const opened = await openedPostgres({ autoIndex: 'create' });
    const backend = await opened.open();
    const store = await notesIn(backend);
    const names = Array.from({ length: MAX_AUTO_INDEXES + 2 }, (_, index) => `n${index}`);
    await load(store, 400, names);
    const lack = async (name: string): Promise<void> => {
      for (const value of [1, 2]) {
        expect(await store.query(`SELECT * FROM c WHERE c.${name} = ${value}`).toArray()).toHaveLength(1);
      }
      await backend.indexesReady();
    };
    for (const name of names) {
      await lack(name);
    }
    const made = names.slice(0, MAX_AUTO_INDEXES).map((name) => `/${name}`);
    expect((await backend.indexStatus()).map(({ index }) => index)).toEqual(made);
    await opened.client.query(`UPDATE ${opened.schema}.indexes SET used_at = used_at - 100000 WHERE key LIKE '%n3"%'`);
    // Another server has not asked for it in the last hour.
    const other = await opened.open();
    const again = await other.container('app', 'notes');
    for (const value of [1, 2]) {
      await again.query(`SELECT * FROM c WHERE c.n13 = ${value}`).toArray();
    }
    await other.indexesReady();
    expect((await other.indexStatus()).map(({ index }) => index)).toEqual([...made.filter((index) => index !== '/n3'), '/n13']);
    expect(await physicalIndexes(opened)).toBe(MAX_AUTO_INDEXES);
  });

  test('one that no server used for a month is dropped, and the use of any server counts', async () => {
    const opened = await openedPostgres({ autoIndex: 'create' });
    const runtime = new ShiftableRuntime();
    const backend = await opened.open({ runtime });
    const store = await notesIn(backend);
    await load(store, 1000, ['level']);
    const byLevel = 'SELECT * FROM c WHERE c.level = 7';
    for (const query of [BY_RANK, BY_RANK, byLevel, byLevel]) {
      await store.query(query).toArray();
    }
    await backend.indexesReady();
    expect((await backend.indexStatus()).map(({ index }) => index).toSorted()).toEqual(['/level', '/rank']);
    const day = 86_400_000;
    runtime.shift(20 * day);
    const other = await opened.open({ runtime, autoIndex: 'off' });
    await (await other.container('app', 'notes')).query(BY_RANK).toArray();
    await other.indexesReady();
    runtime.shift(20 * day);
    await backend.indexesReady();
    expect((await backend.indexStatus()).map(({ index }) => index)).toEqual(['/rank']);
    expect((await store.explain(byLevel)).access).toBe('container');
    expect(await store.query(byLevel).toArray()).toHaveLength(1);
    expect(await physicalIndexes(opened)).toBe(1);
  });

  test('no write fails for one, whatever it holds, also while it is made', async () => {
    const logged: string[] = [];
    const logger: Logger = { log: (level, message) => level !== 'debug' && logged.push(`${level} ${message}`) };
    const opened = await openedPostgres({ autoIndex: 'create' });
    const backend = await opened.open({ logger });
    const store = await notesIn(backend);
    await load(store, 400);
    const huge = (seed: number): string =>
      Array.from({ length: 3000 }, (_, at) => String.fromCodePoint(0x10000 + ((at * at * 7919 + seed * 104_729) % 0x20000))).join('');
    const values = [huge(1), [huge(2)], { x: huge(3) }, 1.5e300, null, true, 'a\u0000b'];
    const writes = (round: string): Promise<unknown>[] =>
      values.map((value, index) =>
        store.upsert({ id: `${round}${index}`, owner: 'x', rank: value, other: values[(index + 1) % values.length] }),
      );
    await Promise.all(writes('before'));
    const query = 'SELECT * FROM c WHERE c.rank = 7 AND c.other > 1 ORDER BY c.rank, c.other';
    await store.query(query).toArray();
    await store.query(query).toArray();
    await Promise.all([...writes('meanwhile'), backend.indexesReady()]);
    await Promise.all(writes('after'));
    await Promise.all(writes('before'));
    const status = await backend.indexStatus();
    expect(status.map(({ origin, isReady }) => [origin, isReady])).toEqual([['auto', true]]);
    expect(await store.query('SELECT VALUE c.id FROM c WHERE c.owner = "x"').toArray()).toHaveLength(3 * values.length);
    expect(logged).toEqual([]);
  });

  test('is one of three words', async () => {
    await expect((await openedPostgres({ autoIndex: 'create' })).open({ autoIndex: 'yes' as 'off' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });
});
