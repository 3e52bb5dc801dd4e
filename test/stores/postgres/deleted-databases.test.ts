import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';

/** With room for the locks of about ninety of the tables below. */
const SETTINGS = { max_connections: '12', max_locks_per_transaction: '32', max_prepared_transactions: '0' };
const CONTAINERS = 160;

let server: EmbeddedPostgres;
let client: pg.Client;

beforeAll(async () => {
  server = await startEmbeddedPostgres({ settings: SETTINGS });
  client = new pg.Client({ connectionString: server.connectionString });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await server.stop({ mode: 'immediate' });
});

function open(): Promise<PostgresBackend> {
  return openPostgresBackend({ connectionString: server.connectionString, maxConnections: 4, sweepIntervalMs: 0 });
}

async function fill(backend: PostgresBackend, database: string): Promise<void> {
  await backend.createDatabase(database);
  for (let n = 0; n < CONTAINERS; n += 1) {
    await backend.createContainer(database, { id: `c${n}`, partitionKey: '/pk' });
  }
}

async function tablesLeft(): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname ~ '^perigee_[0-9]+$' AND relkind = 'r'",
  );
  return rows[0]?.count ?? -1;
}

test('a database with more tables than a transaction may lock is deleted, whole', async () => {
  const backend = await open();
  await fill(backend, 'large');
  await expect(client.query(`DROP SCHEMA perigee_1 CASCADE`)).rejects.toThrow(/shared memory/u);
  // The answer comes before the locks are given back.
  await client.query('SELECT 1');
  const store = await backend.container('large', 'c0');
  await store.create({ id: '1', pk: 'a' });
  await backend.deleteDatabase('large');
  expect(await backend.listDatabases()).toEqual([]);
  expect(await tablesLeft()).toBe(0);
  const error: unknown = await store.read('1', 'a').then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isPerigeeError(error, 'NOT_FOUND')).toBe(true);
  await backend.close();
});

test('what a killed server has left of it is gone with the next sweep, and a database made meanwhile stays', async () => {
  const backend = await open();
  await fill(backend, 'large');
  // As after the first transaction of a deletion: the catalogue knows the database no more.
  const { rows } = await client.query<{ number: string }>("DELETE FROM perigee.databases WHERE id = 'large' RETURNING number");
  await client.query('DELETE FROM perigee.containers WHERE database = $1', [rows[0]?.number]);
  await client.query('INSERT INTO perigee.dropped_databases VALUES ($1)', [rows[0]?.number]);
  await backend.createDatabase('next');
  await backend.createContainer('next', { id: 'c', partitionKey: '/pk' });
  await (await backend.container('next', 'c')).create({ id: '1', pk: 'a' });
  expect(await tablesLeft()).toBe(CONTAINERS + 1);
  await backend.sweep();
  expect(await tablesLeft()).toBe(1);
  expect((await (await backend.container('next', 'c')).read('1', 'a'))?.document).toMatchObject({ id: '1' });
  await backend.close();
});
