import pg from 'pg';
import { expect, test } from 'vitest';
import { postgresForTests } from '../../support/postgres.ts';

test('the PostgreSQL of the tests answers, and drops the schemas of a prefix and no others', async () => {
  const postgres = await postgresForTests();
  expect((await postgresForTests()).url).toBe(postgres.url);
  const [prefix, other] = [postgres.freshSchema(), postgres.freshSchema()];
  expect(prefix).toMatch(/^[a-z][a-z0-9_]{0,39}$/u);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    for (const schema of [prefix, `${prefix}_1`, `${prefix}_12`, `${prefix}_x`, other]) {
      await client.query(`CREATE SCHEMA ${schema}`);
      await client.query(`CREATE TABLE ${schema}.t (id text)`);
    }
    await postgres.dropSchemas(prefix);
    const left = await client.query('SELECT nspname FROM pg_namespace WHERE nspname LIKE $1 OR nspname = $2 ORDER BY 1', [
      `${prefix}%`,
      other,
    ]);
    expect(left.rows.map(({ nspname }) => nspname as string).sort()).toEqual([`${prefix}_x`, other].sort());
    await client.query(`DROP SCHEMA ${prefix}_x CASCADE`);
    await postgres.dropSchemas(other);
  } finally {
    await client.end();
  }
});
