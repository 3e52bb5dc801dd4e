import type pg from 'pg';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import type { ContainerInput } from '../../../../src/store/container-definition.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../../src/stores/postgres/postgres-backend.ts';
import type { PostgresBackendOptions } from '../../../../src/stores/postgres/postgres-options.ts';
import { postgresForTests } from '../../../support/postgres.ts';
import { connectForeign } from '../two-backends.ts';

/** A backend with one container, and a plain client beside it, as a SQL tool is. */
export interface Promoted {
  readonly backend: PostgresBackend;
  readonly store: DocumentStore;
  readonly client: pg.Client;
  readonly schema: string;
  /** The table of the container. */
  readonly table: string;
  /** Another backend on the same data. */
  readonly another: (options?: Partial<PostgresBackendOptions>) => Promise<PostgresBackend>;
  /** A column of all rows, by the ids of their documents. */
  readonly valuesOf: (column: string) => Promise<Record<string, unknown>>;
}

/** Opens a store with the container `c` of the database `d`; all of it is gone when the test is finished. */
export async function openPromoted(
  definition: Partial<ContainerInput> = {},
  options: Partial<PostgresBackendOptions> = {},
): Promise<Promoted> {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  onTestFinished(() => dropSchemas(schema));
  const another = async (more: Partial<PostgresBackendOptions> = {}): Promise<PostgresBackend> => {
    const opened = await openPostgresBackend({ connectionString: url, schema, maxConnections: 4, signals: false, ...options, ...more });
    onTestFinished(() => opened.close());
    return opened;
  };
  const backend = await another();
  await backend.createDatabase('d');
  await backend.createContainer('d', { id: 'c', partitionKey: '/pk', ...definition });
  const client = await connectForeign();
  const table = await tableOf(client, schema, 'c');
  return {
    backend,
    store: await backend.container('d', 'c'),
    client,
    schema,
    table,
    another,
    valuesOf: async (column) => {
      const { rows } = await client.query<{ id: string; value: unknown }>(
        `SELECT id, ${client.escapeIdentifier(column)} AS value FROM ${table} ORDER BY ordinal`,
      );
      return Object.fromEntries(rows.map(({ id, value }) => [id, value]));
    },
  };
}

/** The table of a container, by what docs/gateway.md says. */
export async function tableOf(client: pg.Client, schema: string, container: string): Promise<string> {
  const { rows } = await client.query<{ number: string; database: string }>(
    `SELECT number, database FROM ${schema}.containers WHERE id = $1`,
    [container],
  );
  return `${schema}_${rows[0]?.database}.c${rows[0]?.number}`;
}

/** What a failed call says of itself. */
export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly details: JsonObject;
}

/** The error of a call that has to fail. */
export async function refused(call: Promise<unknown>): Promise<Refused> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error as Refused,
  );
  if (outcome === undefined) {
    throw new Error('The call was not refused.');
  }
  return outcome;
}
