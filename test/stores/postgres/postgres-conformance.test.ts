import { describe, test } from 'vitest';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';
import { postgresForTests } from '../../support/postgres.ts';

storeConformance({
  runner: { describe, test },
  name: 'store conformance of postgres',
  open: async ({ runtime }) => {
    const { url, options, freshSchema, dropSchemas } = await postgresForTests();
    const schema = freshSchema();
    const open = () => openPostgresBackend({ connectionString: url, schema, runtime, maxConnections: 6, ...options });
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
