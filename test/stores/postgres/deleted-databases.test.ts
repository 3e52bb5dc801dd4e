import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import type { SnapshotRecord } from '../../../src/store/snapshot/snapshot-record.ts';
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

async function snapshotOf(backend: PostgresBackend): Promise<readonly SnapshotRecord[]> {
  const records: SnapshotRecord[] = [];
  for await (const record of backend.snapshot()) {
    records.push(record);
  }
  return records;
}

/** Documents of all containers, by the ids of their databases and containers. */
async function contentsOf(backend: PostgresBackend): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const contents = new Map<string, readonly unknown[]>();
  for (const { id: database } of await backend.listDatabases()) {
    for (const { definition } of await backend.listContainers(database)) {
      const store = await backend.container(database, definition.id);
      contents.set(`${database}/${definition.id}`, await store.query('SELECT VALUE c.id FROM c').toArray());
      await store.close();
    }
  }
  return contents;
}

async function schemasLeft(): Promise<readonly string[]> {
  const { rows } = await client.query<{ nspname: string }>("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'perigee%' ORDER BY 1");
  return rows.map(({ nspname }) => nspname);
}

/** Sweeps, whichever server did so a moment ago. */
async function sweepNow(backend: PostgresBackend): Promise<void> {
  await client.query('DELETE FROM perigee.leases');
  expect(await backend.sweep()).toBe(0);
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
  await backend.deleteDatabase('next');
  await backend.close();
});

describe('a snapshot of more containers than a transaction may lock', () => {
  let backend: PostgresBackend;
  let records: readonly SnapshotRecord[];
  let before: ReadonlyMap<string, readonly unknown[]>;
  let schemas: readonly string[];

  beforeAll(async () => {
    backend = await open();
    await fill(backend, 'large');
    const store = await backend.container('large', 'c7');
    await store.create({ id: 'kept', pk: 'a' });
    records = await snapshotOf(backend);
    await store.create({ id: 'later', pk: 'a' });
    await backend.deleteContainer('large', 'c8');
    await backend.createDatabase('other');
    await backend.createContainer('other', { id: 'c', partitionKey: '/pk' });
    before = await contentsOf(backend);
    schemas = await schemasLeft();
  });

  afterAll(() => backend.close());

  test('that ends in the middle leaves everything as it was, and nothing of its own', async () => {
    const broken = function* (): Generator<SnapshotRecord> {
      yield* records.slice(0, records.length - 20);
      throw new Error('cut');
    };
    await expect(backend.restore(broken(), { replace: true })).rejects.toThrow('cut');
    expect(await contentsOf(backend)).toEqual(before);
    expect(await schemasLeft()).toEqual(schemas);
    expect(await tablesLeft()).toBe(CONTAINERS);
  });

  test('whose connections are lost in the middle leaves everything as it was, and nobody takes away what it makes before that', async () => {
    let isMiddle = (): void => undefined;
    const middle = new Promise<void>((resolve) => {
      isMiddle = resolve;
    });
    const held = async function* (): AsyncGenerator<SnapshotRecord> {
      yield* records.slice(0, 60);
      isMiddle();
      await new Promise<void>(() => undefined);
    };
    const [killed, sweeping] = [await open(), await open()];
    const stopped = new AbortController();
    const restoring = killed.restore(held(), { replace: true, signal: stopped.signal }).then(
      () => 'restored',
      () => 'failed',
    );
    await middle;
    const made = async (): Promise<number> => (await schemasLeft()).filter((name) => name.includes('_new_')).length;
    expect(await made()).toBe(1);
    // It finds nothing that may be dropped, and then waits for the restore to end.
    await client.query('DELETE FROM perigee.leases');
    const swept = sweeping.sweep().catch(() => undefined);
    const waiting = async (): Promise<boolean> => (await client.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount !== 0;
    await expect.poll(waiting).toBe(true);
    expect(await made()).toBe(1);
    // Of all servers: they make new ones.
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    stopped.abort();
    expect(await restoring).toBe('failed');
    await swept;
    await Promise.all([killed.close(), sweeping.close()]);
    const next = await open();
    await sweepNow(next);
    expect(await made()).toBe(0);
    expect(await contentsOf(next)).toEqual(before);
    await next.close();
  });

  test('is restored in place of as many, and nothing of these is left', async () => {
    await backend.close();
    backend = await open();
    const store = await backend.container('large', 'c7');
    await backend.restore(records, { replace: true });
    await expect(store.read('kept', 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const contents = await contentsOf(backend);
    expect(contents.size).toBe(CONTAINERS);
    expect(contents.get('large/c7')).toEqual(['kept']);
    expect(await tablesLeft()).toBe(CONTAINERS);
    expect(await schemasLeft()).toEqual(schemas.slice(0, -1));
    await (await backend.container('large', 'c8')).create({ id: 'again', pk: 'a' });
  });

  test('leaves what it replaced to the next server, where it is killed as soon as it is in place', async () => {
    const name = schemas.at(-2) as string;
    await client.query(`ALTER SCHEMA ${name} RENAME TO ${name}_old_abcdef`);
    await client.query(`CREATE SCHEMA ${name}`);
    await client.query(`INSERT INTO perigee.dropped_schemas VALUES ('${name}_old_abcdef')`);
    await client.query('DELETE FROM perigee.containers');
    await sweepNow(backend);
    expect((await schemasLeft()).filter((one) => one.includes('_old_'))).toEqual([]);
    expect(await tablesLeft()).toBe(0);
  });
});
