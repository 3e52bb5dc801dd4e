import { describe, test } from 'vitest';
import { openPostgresBackend, type PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';
import { postgresForTests } from '../../support/postgres.ts';

/** `PERIGEE_COLUMNS=1`: every container gets columns of its own, which take anything but U+0000 and so change nothing. */
const HAS_COLUMNS = process.env['PERIGEE_COLUMNS'] === '1';

function withColumns(backend: PostgresBackend): PostgresBackend {
  const create = backend.createContainer.bind(backend);
  backend.createContainer = async (databaseId, input) => {
    const info = await create(databaseId, input);
    await backend.promoteColumns(databaseId, info.definition.id, [
      { path: '/value', type: 'jsonb' },
      { path: '/n', type: 'jsonb' },
      { path: '/a/b', type: 'jsonb' },
    ]);
    // With another etag.
    return (await backend.readContainer(databaseId, info.definition.id)) ?? info;
  };
  return backend;
}

storeConformance({
  runner: { describe, test },
  name: `store conformance of postgres${HAS_COLUMNS ? ', with columns' : ''}`,
  open: async ({ runtime }) => {
    const { url, options, freshSchema, dropSchemas } = await postgresForTests();
    const schema = freshSchema();
    const open = async (): Promise<PostgresBackend> => {
      const backend = await openPostgresBackend({ connectionString: url, schema, runtime, maxConnections: 6, ...options });
      return HAS_COLUMNS ? withColumns(backend) : backend;
    };
    let backend = await open();
    return {
      backend,
      reopen: async () => {
        await backend.close();
        backend = await open();
        return backend;
      },
      dispose: async () => {
        await backend.close();
        await dropSchemas(schema);
      },
    };
  },
});
