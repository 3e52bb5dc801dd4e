import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { DEFAULT_INDEXING_POLICY } from '../../../src/store/container-definition.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { ExplainOptions } from '../../../src/store/queries.ts';
import type { MeasuredStatement } from '../../../src/store/query-explanation.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { postgresForTests } from '../../support/postgres.ts';
import { advisableQueries } from '../advisable-queries.ts';

const DOCUMENTS = 2000;
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 11);

let backend: PostgresBackend;
let client: pg.Client;
let schema: string;
let plain: DocumentStore;
let followed: DocumentStore;

async function filled(id: string): Promise<DocumentStore> {
  await backend.createContainer('test', { id, partitionKey: '/pk' });
  const store = await backend.container('test', id);
  const { outcomes } = await store.bulk(
    Array.from({ length: DOCUMENTS }, (_, n) => ({
      type: 'create' as const,
      document: {
        id: `d${n}`,
        pk: `p${n % 4}`,
        n,
        kind: `k${n % 20}`,
        day: (n * 7) % 100,
        o: { x: n % 500 },
        s: `s${n}`,
        fill: 'x'.repeat(80),
      },
    })),
  );
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
  return store;
}

/** The same documents in a container with a piece of policy beside the default one. */
async function withPolicy(piece: JsonObject): Promise<DocumentStore> {
  const policy: Record<string, JsonValue | undefined> = { ...DEFAULT_INDEXING_POLICY };
  for (const [member, list] of Object.entries(piece)) {
    policy[member] = [...((policy[member] ?? []) as readonly JsonValue[]), ...(list as readonly JsonValue[])];
  }
  await backend.replaceContainer('test', { id: 'followed', partitionKey: '/pk', indexingPolicy: policy });
  await backend.indexesReady();
  return followed;
}

beforeAll(async () => {
  const { url, freshSchema } = await postgresForTests();
  schema = freshSchema();
  client = new pg.Client({ connectionString: url });
  await client.connect();
  backend = await openPostgresBackend({ connectionString: url, schema, maxConnections: 4 });
  await backend.createDatabase('test');
  plain = await filled('plain');
  followed = await filled('followed');
  // As autovacuum does a moment later.
  await client.query(`ANALYZE ${schema}_1.c1, ${schema}_1.c2`);
});
afterAll(async () => {
  await backend.close();
  await client.end();
  await (await postgresForTests()).dropSchemas(schema);
});

const ANALYZE: ExplainOptions = { analyze: true };

const policyOf = (...paths: readonly string[]): JsonObject =>
  paths.length === 1
    ? { includedPaths: [{ path: `${paths[0]}/?` }] }
    : { compositeIndexes: [paths.map((path) => ({ path, order: 'ascending' }))] };

describe('advice', () => {
  test.each<readonly [text: string, policy: JsonObject, lookedAt: number]>([
    ['SELECT * FROM c WHERE c.kind = "k7"', policyOf('/kind'), 100],
    ['SELECT VALUE COUNT(1) FROM c WHERE c.n >= 1900 AND REVERSE(c.s) != "x"', policyOf('/n'), 100],
    ['SELECT TOP 20 c.id FROM c ORDER BY c.day DESC', policyOf('/day'), 20],
    ['SELECT * FROM c WHERE c.o.x IN (1, 2) AND c.day < 90', policyOf('/o/x'), 8],
    ['SELECT TOP 5 * FROM c WHERE c.kind = "k7" ORDER BY c.n', policyOf('/kind', '/n'), 5],
    ['SELECT * FROM c WHERE c.kind = "k7" AND c.day < 10', policyOf('/kind', '/day'), 20],
  ])('%s', async (text, policy, lookedAt) => {
    const planned = await plain.explain(text);
    const tried = await plain.explain(text, ANALYZE);
    expect([planned.access, planned.measured, planned.advice.map((one) => one.policy)]).toEqual(['container', undefined, [policy]]);
    expect(tried.advice.map((one) => one.policy)).toEqual([policy]);
    const [advice] = tried.advice;
    expect(planned.advice[0]).toMatchObject({ provenBy: 'planner', after: { access: 'index', documentsScanned: lookedAt } });
    expect(planned.advice[0]).not.toHaveProperty('trial');
    expect(advice).toMatchObject({ provenBy: 'trial', trial: { documents: DOCUMENTS } });
    const { before, after } = advice?.trial ?? {};
    expect(after?.indexes).toContain(advice?.after.index);
    expect(after?.documentsRead).toBeLessThanOrEqual((before?.documentsRead ?? 0) / 2);
    const explained = await (await withPolicy(policy)).explain(text, ANALYZE);
    expect(explained).toMatchObject({ access: 'index', indexes: [advice?.after.index], itemsReturned: tried.itemsReturned, advice: [] });
    expect(explained.measured?.indexes).toContain(advice?.after.index);
    expect(explained.measured?.documentsRead).toBeLessThanOrEqual(after?.documentsRead ?? 0);
    expect(tried.text).toContain(`tried on ${DOCUMENTS.toLocaleString('en-US')} documents, where the engine took it`);
  });

  test('is not given where no index helps, where PostgreSQL would not take it, and where little is looked at', async () => {
    const queries = [
      'SELECT * FROM c',
      'SELECT * FROM c WHERE c.n > 10',
      'SELECT * FROM c WHERE REVERSE(c.s) = "1s"',
      'SELECT * FROM c WHERE c.kind != "k7"',
      'SELECT * FROM c WHERE c.id = "d7" AND c.pk = "p3"',
      'SELECT TOP 3 * FROM c WHERE c.day >= 0',
      'SELECT VALUE 1',
      'SELECT c.kind, COUNT(1) FROM c GROUP BY c.kind',
    ];
    for (const query of queries) {
      for (const options of [{}, ANALYZE]) {
        expect([query, (await plain.explain(query, options)).advice]).toEqual([query, []]);
      }
    }
    // The page is read from the start of the table, where all pass.
    const early = 'SELECT * FROM c WHERE c.n < 150';
    expect((await plain.explain(early, { maxItemCount: 10 })).advice.map(({ provenBy }) => provenBy)).toEqual(['planner']);
    expect((await plain.explain(early, { ...ANALYZE, maxItemCount: 10 })).advice).toEqual([]);
  });

  test('leaves nothing behind, also where a trial finds no use for the index', async () => {
    await plain.explain('SELECT * FROM c WHERE c.kind = "k7"', ANALYZE);
    const { rows } = await client.query("SELECT relname FROM pg_class WHERE relname LIKE 'perigee_trial%'");
    expect(rows).toEqual([]);
    expect(await backend.indexStatus()).toEqual(expect.not.arrayContaining([expect.objectContaining({ container: 'plain' })]));
  });

  test('holds for generated queries: what was tried and is followed is taken, and changes no answer', { timeout: 120_000 }, async () => {
    const query = advisableQueries(['c.n', 'c.kind', 'c.day', 'c.o.x', 'c.pk'], 20);
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const options = { ...ANALYZE, maxItemCount: 500 };
        for (const { policy, after, provenBy, trial } of (await plain.explain(text, options)).advice) {
          const store = await withPolicy(policy);
          expect(await store.query(text).toArray()).toEqual(await plain.query(text).toArray());
          if (provenBy !== 'policy') {
            tried += 1;
            expect(provenBy).toBe('trial');
            expect([text, (await store.explain(text, options)).indexes]).toEqual([text, [after.index]]);
            expect(trial?.after.indexes).toContain(after.index);
          }
        }
      }),
      { seed, numRuns: 24 },
    );
    expect(tried).toBeGreaterThan(5);
  });

  test('is the planner’s where the server lets nobody make a table of a connection', async () => {
    const role = `${schema}_reader`;
    const database = `${schema}_db`;
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'unlike-any-document'`);
    await client.query(`CREATE DATABASE ${database} OWNER ${role}`);
    await client.query(`REVOKE TEMP ON DATABASE ${database} FROM PUBLIC, ${role}`);
    const url = new URL((await postgresForTests()).url);
    [url.pathname, url.username, url.password] = [`/${database}`, role, 'unlike-any-document'];
    const other = await openPostgresBackend({ connectionString: url.href, maxConnections: 2 });
    try {
      await other.createDatabase('test');
      await other.createContainer('test', { id: 'items', partitionKey: '/pk' });
      const store = await other.container('test', 'items');
      await store.bulk(Array.from({ length: 500 }, (_, n) => ({ type: 'create', document: { id: `d${n}`, pk: 'p', n } })));
      const { advice, measured } = await store.explain('SELECT * FROM c WHERE c.n = 7', ANALYZE);
      expect(advice.map(({ provenBy, trial }) => [provenBy, trial])).toEqual([['planner', undefined]]);
      expect(measured?.rows).toBe(1);
    } finally {
      await other.close();
      await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await client.query(`DROP ROLE ${role}`);
    }
  });
});

describe('a measured statement', () => {
  const sumOfSteps = ({ steps }: MeasuredStatement): number =>
    steps.reduce(
      (sum, { operation, rows, rowsRemoved }) =>
        sum + (operation.endsWith('Scan') && operation !== 'Bitmap Index Scan' ? rows + rowsRemoved : 0),
      0,
    );

  test('tells rows, documents read, pages, time and the steps that PostgreSQL took', async () => {
    const { measured, text, statement } = await plain.explain('SELECT VALUE c.id FROM c WHERE c.kind = "k7" AND c.n < 1000', ANALYZE);
    expect(measured).toMatchObject({ rows: 50, documentsRead: DOCUMENTS, indexes: [] });
    expect(measured?.executionMs).toBeGreaterThan(0);
    expect(measured?.planningMs).toBeGreaterThan(0);
    expect((measured?.pagesCached ?? 0) + (measured?.pagesRead ?? 0)).toBeGreaterThan(50);
    expect(measured && sumOfSteps(measured)).toBe(DOCUMENTS);
    expect(measured?.steps[0]).toMatchObject({ level: 0, rows: 50 });
    expect(measured?.steps.find(({ operation }) => operation === 'Seq Scan')?.rowsRemoved).toBe(DOCUMENTS - 50);
    expect(statement).not.toContain('EXPLAIN');
    expect(text).toMatch(/^Measured {6}50 rows from 2,000 documents, [\d,]+ pages/mu);
    expect(text).toContain('Seq Scan: 50 rows, 1,950 left out');
  });

  test('names the indexes that every table has by what they are for', async () => {
    const first = await plain.explain('SELECT TOP 5 * FROM c', { ...ANALYZE, maxItemCount: 5 });
    expect(first.measured).toMatchObject({ rows: 6, documentsRead: 6, indexes: ['creation order'] });
    const byId = await plain.explain('SELECT * FROM c WHERE c.id = "d7" AND c.pk = "p3"', ANALYZE);
    expect(byId.measured).toMatchObject({ rows: 1, documentsRead: 1, indexes: ['partition key and id'] });
  });

  test('holds no value, and is there for aggregates and groups too', async () => {
    const secret = 'k7';
    for (const text of [`SELECT VALUE COUNT(1) FROM c WHERE c.kind = "${secret}"`, 'SELECT c.kind, COUNT(1) AS n FROM c GROUP BY c.kind']) {
      const explained = await plain.explain(text, ANALYZE);
      expect(explained.measured?.documentsRead).toBe(DOCUMENTS);
      expect(JSON.stringify(explained)).not.toContain(secret);
    }
    expect((await plain.explain('SELECT VALUE 1', ANALYZE)).measured).toBeUndefined();
  });
});
