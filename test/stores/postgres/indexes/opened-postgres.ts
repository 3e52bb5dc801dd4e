import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../../src/stores/postgres/postgres-backend.ts';
import type { PostgresBackendOptions } from '../../../../src/stores/postgres/postgres-options.ts';
import { postgresForTests } from '../../../support/postgres.ts';

/** Schemas of one test, which any number of backends open, and a connection of its own to look at them. */
export interface OpenedPostgres {
  readonly open: (options?: Partial<PostgresBackendOptions>) => Promise<PostgresBackend>;
  readonly client: pg.Client;
  readonly schema: string;
}

/** Opens a PostgreSQL for one test, gone when that is. */
export async function openedPostgres(defaults: Partial<PostgresBackendOptions> = {}): Promise<OpenedPostgres> {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const backends: PostgresBackend[] = [];
  onTestFinished(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
    await client.end();
    await dropSchemas(schema);
  });
  const open = async (options: Partial<PostgresBackendOptions> = {}): Promise<PostgresBackend> => {
    const backend = await openPostgresBackend({ connectionString: url, schema, maxConnections: 4, ...defaults, ...options });
    backends.push(backend);
    return backend;
  };
  return { open, client, schema };
}

/** A container of notes. */
export async function notesIn(backend: PostgresBackend, indexingPolicy?: JsonObject): Promise<DocumentStore> {
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'notes', partitionKey: '/owner', indexingPolicy });
  return backend.container('app', 'notes');
}
