import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { QueryInput } from '../../../../src/store/queries.ts';
import { openPostgresBackend } from '../../../../src/stores/postgres/postgres-backend.ts';
import { postgresForTests } from '../../../support/postgres.ts';

/** In a small table a plan for one value is hardly cheaper than one for all. */
const DOCUMENTS = 20_000;

const QUERIES: readonly { readonly query: string; readonly end: (n: number) => number | string }[] = [
  { query: 'SELECT TOP 20 * FROM c WHERE c.n > @x ORDER BY c.n', end: (n) => n },
  { query: 'SELECT TOP 20 * FROM c WHERE c.n <= @x ORDER BY c.n DESC', end: (n) => DOCUMENTS - n },
  { query: 'SELECT TOP 20 * FROM c WHERE c.s >= @x ORDER BY c.s', end: (n) => `s${n}` },
  { query: 'SELECT c.id FROM c WHERE c.n > @x ORDER BY c.n', end: (n) => n },
];

test('a range in the order of an index is planned once for all values, and a plan for each is made only at first', async () => {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  onTestFinished(() => query.mockRestore());
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  onTestFinished(() => dropSchemas(schema));
  const backend = await openPostgresBackend({ connectionString: url, schema, maxConnections: 1, signals: false, sweepIntervalMs: 0 });
  onTestFinished(() => backend.close());
  await backend.createDatabase('d');
  const indexingPolicy = { includedPaths: [{ path: '/n/?' }, { path: '/s/?' }], excludedPaths: [{ path: '/*' }] };
  await backend.createContainer('d', { id: 'c', partitionKey: '/id', indexingPolicy });
  const store = await backend.container('d', 'c');
  await store.bulk(
    Array.from({ length: DOCUMENTS }, (_, n) => ({ type: 'create', document: { id: String(n), n, s: `s${n}`, text: 'x'.repeat(100) } })),
  );
  await backend.indexesReady();
  // The connection of the store itself, which says what became of its statements.
  const client = query.mock.contexts.at(-1) as pg.Client;
  await client.query(`ANALYZE "${schema}_1".c1`);
  for (const { query: text, end } of QUERIES) {
    for (let run = 0; run < 20; run += 1) {
      const input: QueryInput = { query: text, parameters: [{ name: '@x', value: end(run * 100) }] };
      const { items } = (await store.query(input, { maxItemCount: 20 }).nextPage()) ?? { items: [] };
      expect(items.length).toBeGreaterThan(0);
    }
  }
  const { rows } = await client.query<{ generic: string; custom: string }>(
    "SELECT generic_plans AS generic, custom_plans AS custom FROM pg_prepared_statements WHERE name LIKE '% index %'",
  );
  expect(rows.map(({ custom }) => Number(custom))).toEqual(QUERIES.map(() => 5));
  expect(rows.map(({ generic }) => Number(generic))).toEqual(QUERIES.map(() => 15));
});
