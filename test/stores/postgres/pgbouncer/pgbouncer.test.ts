import { describe, expect, onTestFinished, test } from 'vitest';
import { isPerigeeError } from '../../../../src/core/errors.ts';
import type { LogLevel } from '../../../../src/core/logger.ts';
import type { PostgresBackendOptions } from '../../../../src/stores/postgres/postgres-options.ts';
import { postgresForTests } from '../../../support/postgres.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';
import { watchNumbers } from '../watch-numbers.ts';
import { findPgBouncer, PGBOUNCER_MISSING, startPgBouncer, type RunningPgBouncer } from './pgbouncer.ts';

const isThere = findPgBouncer() !== undefined;
if (!isThere) {
  console.log(PGBOUNCER_MISSING);
}

/** PgBouncer before the PostgreSQL of the run, for one test. */
async function pooled(settings: Readonly<Record<string, string | number>> = {}): Promise<RunningPgBouncer & { readonly direct: string }> {
  const { url } = await postgresForTests();
  const pooler = await startPgBouncer(url, settings);
  onTestFinished(() => pooler.stop());
  return { ...pooler, direct: url };
}

/** Two backends that share few connections through PgBouncer; `foreign` goes past it. */
async function openTwoPooled(
  settings: Readonly<Record<string, string | number>>,
  options: Partial<PostgresBackendOptions> = {},
): Promise<TwoBackends & { readonly logged: readonly string[] }> {
  const { url, direct } = await pooled(settings);
  const logged: string[] = [];
  const logger = { log: (_level: LogLevel, message: string) => void logged.push(message) };
  const two = await openTwoBackends({ connectionString: url, signals: direct, logger, ...options });
  return { ...two, logged };
}

const codeOf = (error: unknown): string => (isPerigeeError(error) ? error.code : String(error));

/** Writes of all kinds on both backends at once, of which none may be lost. */
async function writeOnBoth({ stores }: TwoBackends): Promise<void> {
  await Promise.all(
    stores.map(async (store, server) => {
      for (let n = 0; n < 30; n += 1) {
        const pk = `p${n % 3}`;
        const id = `${server}-${n}`;
        await store.create({ id, pk, n });
        await store.patch(id, pk, [{ op: 'incr', path: '/n', value: 1 }]);
        await store.batch(pk, [
          { type: 'upsert', document: { id: 'both', pk, n } },
          { type: 'replace', document: { id, pk, n: n + 2 } },
        ]);
        await store
          .query({ query: 'SELECT VALUE c.n FROM c WHERE c.n > @n ORDER BY c.n', parameters: [{ name: '@n', value: 5 }] })
          .toArray();
      }
    }),
  );
}

describe.skipIf(!isThere)('through PgBouncer in transaction mode', () => {
  test.each([
    ['kept by PgBouncer, if it can', {}, {}],
    ['not used', {}, { preparedStatements: false }],
    ['unknown to PgBouncer, as it is noticed', { max_prepared_statements: 0 }, {}],
  ] as const)('two servers on three connections: prepared statements %s', async (_name, settings, options) => {
    const supported = (findPgBouncer()?.version ?? 0) >= 1.021;
    const own = supported ? settings : {};
    const two = await openTwoPooled({ default_pool_size: 3, ...own }, options);
    await writeOnBoth(two);
    const [first, second] = two.stores;
    const rows = await second.query<number>('SELECT VALUE COUNT(1) FROM c').toArray();
    expect(rows).toEqual([63]);
    const feed = (await first.changes().nextPage()).changes;
    expect(new Set(feed.map(({ document }) => `${document.pk} ${document.id}`)).size).toBe(63);
  });

  test('who watches is woken by signals that go past it', async () => {
    const two = await openTwoPooled({}, { pollIntervalMs: 1_000_000 });
    const next = watchNumbers(two.stores[1]);
    expect(await next()).toEqual([]);
    await two.stores[0].upsert({ id: 'x', pk: 'p', n: 1 });
    expect(await next()).toEqual([1]);
    expect(two.logged.filter((message) => message.includes('signals'))).toEqual([]);
  });

  test('where signals would go through it nobody listens, which is said; who watches is woken by asking', async () => {
    const { url } = await pooled();
    const two = await openTwoPooled({}, { pollIntervalMs: 100, signals: url });
    const next = watchNumbers(two.stores[1]);
    expect(await next()).toEqual([]);
    await two.stores[0].upsert({ id: 'x', pk: 'p', n: 1 });
    expect(await next()).toEqual([1]);
    await expect.poll(() => two.logged.filter((message) => message.includes('signals')).length).toBeGreaterThan(0);
    const { rows } = await two.foreign.query("SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'", [
      two.schema,
    ]);
    expect(rows).toEqual([]);
  });

  test('time-outs hold, though PgBouncer refuses them in the greeting, or reads over them', async () => {
    const ignored = 'statement_timeout, lock_timeout, idle_in_transaction_session_timeout';
    for (const settings of [{}, { ignore_startup_parameters: ignored }]) {
      const two = await openTwoPooled(settings, { lockTimeoutMs: 200, statementTimeoutMs: 400, pollIntervalMs: 60_000 });
      const [store] = two.stores;
      await store.create({ id: 'x', pk: 'p', n: 1 });
      const { rows } = await two.foreign.query<{ number: string }>(`SELECT number FROM "${two.schema}".containers WHERE id = 'c'`);
      await two.foreign.query('BEGIN');
      await two.foreign.query(`LOCK TABLE "${two.schema}_1".c${rows[0]?.number} IN ACCESS EXCLUSIVE MODE`);
      // One statement by itself, prepared and not, and a transaction.
      for (let round = 0; round < 2; round += 1) {
        expect(await store.create({ id: 'y', pk: 'p', n: 1 }).catch(codeOf)).toBe('STORE_BUSY');
        expect(await store.read('x', 'p').catch(codeOf)).toBe('STORE_BUSY');
        expect(await store.batch('p', [{ type: 'upsert', document: { id: 'y', pk: 'p', n: 1 } }]).catch(codeOf)).toBe('STORE_BUSY');
      }
      await two.foreign.query('ROLLBACK');
      expect((await store.read('x', 'p'))?.document.n).toBe(1);
      // Nothing of it is left on connections that others get next.
      const left = await two.foreign.query<{ n: string }>(
        `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1 AND state LIKE 'idle in%'`,
        [two.schema],
      );
      expect(left.rows[0]?.n).toBe('0');
    }
  });

  test('a write whose connection to PostgreSQL ends behind it may have been done, and that is said', async () => {
    const two = await openTwoPooled({}, { pollIntervalMs: 60_000 });
    const [store] = two.stores;
    const { rows } = await two.foreign.query<{ number: string }>(`SELECT number FROM "${two.schema}".containers WHERE id = 'c'`);
    await two.foreign.query('BEGIN');
    await two.foreign.query(`LOCK TABLE "${two.schema}_1".c${rows[0]?.number} IN ACCESS EXCLUSIVE MODE`);
    const write = store.create({ id: 'x', pk: 'p', n: 1 }).catch(codeOf);
    await expect.poll(() => two.serverProcesses(true), { timeout: 10_000, interval: 10 }).toHaveLength(1);
    await two.foreign.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
      [two.schema],
    );
    await two.foreign.query('COMMIT');
    expect(await write).toBe('CONNECTION_LOST');
    expect(await store.read('x', 'p')).toBeUndefined();
  });

  test('a container that is gone is said to be, every time', async () => {
    const two = await openTwoPooled({}, { pollIntervalMs: 60_000, maxConnections: 1 });
    const [, store] = two.stores;
    await two.backends[0].deleteContainer('d', 'c');
    for (let round = 0; round < 3; round += 1) {
      expect(await store.batch('p', [{ type: 'create', document: { id: 'y', pk: 'p', n: 0 } }]).catch(codeOf)).toBe('NOT_FOUND');
      expect(await store.transact('p', (inside) => inside.read('x')).catch(codeOf)).toBe('NOT_FOUND');
      expect(await store.create({ id: 'x', pk: 'p', n: 1 }).catch(codeOf)).toBe('NOT_FOUND');
    }
  });

  test('a call that PgBouncer has no connection for is refused as one that may be tried again', async () => {
    const two = await openTwoPooled({ default_pool_size: 1, query_wait_timeout: 1 }, { pollIntervalMs: 60_000, sweepIntervalMs: 0 });
    const [first, second] = two.stores;
    await first.create({ id: 'x', pk: 'p', n: 1 });
    let waiting: Promise<unknown> | undefined;
    await first.transact('p', async (inside) => {
      await inside.read('x');
      waiting = second.create({ id: 'y', pk: 'q', n: 1 }).catch(codeOf);
      expect(await waiting).toBe('UNAVAILABLE');
    });
    expect((await second.create({ id: 'y', pk: 'q', n: 1 })).document.n).toBe(1);
  });
});
