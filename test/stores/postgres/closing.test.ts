import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { postgresForTests } from '../../support/postgres.ts';

test('once a backend is closed, the server has none of its connections left', async () => {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  onTestFinished(() => dropSchemas(schema));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  const count = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1',
      [schema],
    );
    return rows[0]?.count ?? -1;
  };
  for (let round = 0; round < 5; round += 1) {
    const backend = await openPostgresBackend({ connectionString: url, schema, applicationName: schema });
    await Promise.all(Array.from({ length: 8 }, () => backend.listDatabases()));
    expect(await count()).toBeGreaterThan(1);
    await backend.close();
    expect(await count()).toBe(0);
  }
});
