import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import type { PostgresBackendOptions } from '../../../src/stores/postgres/postgres-options.ts';
import { postgresForTests } from '../../support/postgres.ts';

/** A document of these tests. */
export interface Counted {
  readonly id: string;
  readonly pk: string;
  readonly n: number;
}

/** Two backends on one database, as two servers have them, and a container that both have open. */
export interface TwoBackends {
  readonly backends: readonly [PostgresBackend, PostgresBackend];
  readonly stores: readonly [DocumentStore<Counted>, DocumentStore<Counted>];
  /** A connection of somebody else. */
  readonly foreign: pg.Client;
  readonly schema: string;
  /** Ids of the server processes that work for the backends, or that wait for a lock there. */
  readonly serverProcesses: (waiting?: boolean) => Promise<readonly number[]>;
}

/** Connects to the database of the tests. */
export async function connectForeign(): Promise<pg.Client> {
  const { url } = await postgresForTests();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Opens both; all of it is gone when the test is finished. */
export async function openTwoBackends(options: Partial<PostgresBackendOptions> = {}): Promise<TwoBackends> {
  const { url, options: ofRun, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  onTestFinished(() => dropSchemas(schema));
  const open = async (): Promise<PostgresBackend> => {
    const backend = await openPostgresBackend({ connectionString: url, schema, applicationName: schema, ...ofRun, ...options });
    onTestFinished(() => backend.close());
    return backend;
  };
  const [first, second] = [await open(), await open()];
  await first.createDatabase('d');
  await first.createContainer('d', { id: 'c', partitionKey: '/pk' });
  const foreign = await connectForeign();
  return {
    backends: [first, second],
    stores: [await first.container<Counted>('d', 'c'), await second.container<Counted>('d', 'c')],
    foreign,
    schema,
    serverProcesses: async (waiting = false) => {
      // A transaction sees the processes as they were when it first looked.
      await foreign.query('SELECT pg_stat_clear_snapshot()');
      const { rows } = await foreign.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name = $1 ${waiting ? "AND wait_event_type = 'Lock'" : ''}`,
        [schema],
      );
      return rows.map(({ pid }) => pid);
    },
  };
}
