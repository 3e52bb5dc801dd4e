import { openPostgresBackend, type PostgresBackend } from '../../src/stores/postgres/postgres-backend.ts';
import type { PostgresBackendOptions } from '../../src/stores/postgres/postgres-options.ts';
import { postgresForTests } from './postgres.ts';

/** A backend on the PostgreSQL of the run, in schemas of its own, which are dropped when it closes. */
export async function openFreshPostgres(options: Partial<PostgresBackendOptions> = {}): Promise<PostgresBackend> {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  const backend = await openPostgresBackend({ connectionString: url, schema, maxConnections: 4, ...options });
  const close = backend.close.bind(backend);
  backend.close = async () => {
    await close();
    await dropSchemas(schema);
  };
  return backend;
}

/** {@link openFreshPostgres} whose planner leaves some ways out (`-c enable_seqscan=off`): of tables as small as those of tests it would take no index. */
export async function openForcedPostgres(settings: string, options: Partial<PostgresBackendOptions> = {}): Promise<PostgresBackend> {
  const forced = new URL((await postgresForTests()).url);
  forced.searchParams.set('options', settings);
  return openFreshPostgres({ ...options, connectionString: forced.href });
}
