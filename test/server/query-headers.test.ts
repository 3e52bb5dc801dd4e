import type { Container, FeedOptions } from '@azure/cosmos';
import { expect, test } from 'vitest';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { openFreshPostgres } from '../support/open-postgres.ts';
import { serve, type Served } from './served.ts';

const DOCS = '/dbs/app/colls/items/docs';

async function items(): Promise<Served & { readonly container: Container }> {
  const served = await serve();
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({
    id: 'items',
    partitionKey: { paths: ['/pk'], version: 2 },
    indexingPolicy: {
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/hidden/*' }],
      compositeIndexes: [
        [
          { path: '/pk', order: 'ascending' as const },
          { path: '/n', order: 'descending' as const },
        ],
      ],
    },
  });
  for (let n = 0; n < 6; n += 1) {
    await container.items.create({ id: String(n), pk: n % 2 === 0 ? 'even' : 'odd', n, name: `item ${n}` });
  }
  return { ...served, container };
}

interface Metrics {
  readonly retrievedDocumentCount: number;
  readonly retrievedDocumentSize: number;
  readonly outputDocumentCount: number;
  readonly outputDocumentSize: number;
  readonly indexHitRatio: number;
  readonly totalQueryExecutionTime: { totalMilliseconds(): number };
  readonly vmExecutionTime: { totalMilliseconds(): number };
  readonly clientSideMetrics: { readonly requestCharge: number };
}

/** What the SDK makes of the headers of all pages and ranges. */
async function queryMetrics(container: Container, query: string, options: FeedOptions = {}): Promise<readonly Metrics[]> {
  const { queryMetrics: found } = await container.items.query(query, { populateQueryMetrics: true, ...options }).fetchAll();
  return Object.values(found as unknown as Record<string, Metrics>);
}

function sum(metrics: readonly Metrics[], of: (one: Metrics) => number): number {
  return metrics.reduce((total, one) => total + of(one), 0);
}

test.each(['memory', 'sqlite', 'postgres'])(
  'query metrics on %s are what was read and returned, added up over pages and ranges',
  async (store) => {
    const served = await serve(
      store === 'memory' ? {} : { backend: await (store === 'sqlite' ? openSqliteBackend({ path: ':memory:' }) : openFreshPostgres()) },
    );
    const { database } = await served.client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: { paths: ['/id'] }, throughput: 25_100 });
    for (let n = 0; n < 12; n += 1) {
      await container.items.create({ id: String(n), n, text: 'x'.repeat(1000) });
    }
    const { resources } = await container.items.readAll().fetchAll();
    const bytes = resources.reduce((total, item) => total + JSON.stringify(item).length, 0);
    for (const options of [{}, { maxItemCount: 5 }, { forceQueryPlan: true }]) {
      const [all] = [await queryMetrics(container, 'SELECT * FROM c', options)];
      expect(sum(all, (one) => one.outputDocumentCount)).toBe(12);
      expect(sum(all, (one) => one.outputDocumentSize)).toBe(bytes);
      expect(sum(all, (one) => one.retrievedDocumentCount)).toBeGreaterThanOrEqual(12);
      expect(sum(all, (one) => one.retrievedDocumentSize)).toBeGreaterThan(12_000);
      expect(sum(all, (one) => one.totalQueryExecutionTime.totalMilliseconds())).toBeGreaterThan(0);
      for (const one of all) {
        expect(one.vmExecutionTime.totalMilliseconds()).toBeLessThanOrEqual(one.totalQueryExecutionTime.totalMilliseconds());
        expect(one.clientSideMetrics.requestCharge).toBeGreaterThan(0);
      }
    }
    const filtered = await queryMetrics(container, 'SELECT VALUE c.id FROM c WHERE c.n < 3');
    expect(sum(filtered, (one) => one.outputDocumentCount)).toBe(3);
    expect(sum(filtered, (one) => one.outputDocumentSize)).toBe('"0""1""2"'.length);
    expect(filtered.map((one) => one.indexHitRatio)).toEqual([3 / 12]);
    const grouped = await queryMetrics(container, 'SELECT COUNT(1) AS n FROM c GROUP BY c.n > 5', { forceQueryPlan: true });
    expect(grouped.every((one) => one.indexHitRatio === 1)).toBe(true);
  },
);

async function indexMetrics(container: Container, query: string, options: FeedOptions = {}): Promise<unknown> {
  const { indexMetrics: text } = await container.items.query(query, { populateIndexMetrics: true, ...options }).fetchNext();
  return JSON.parse(text);
}

test('index metrics come as the SDK reads them, directly and where it runs the plan', async () => {
  const { container } = await items();
  const metrics = {
    UtilizedIndexes: { SingleIndexes: [{ IndexSpec: '/n/?' }, { IndexSpec: '/name/?' }], CompositeIndexes: [] },
    PotentialIndexes: {
      SingleIndexes: [],
      CompositeIndexes: [{ IndexSpecs: ['/name ASC', '/n ASC'], IndexImpactScore: 'High' }],
    },
  };
  const filter = 'SELECT * FROM c WHERE c.name = "item 1" AND c.n > 0';
  expect(await indexMetrics(container, filter)).toEqual(metrics);
  expect(await indexMetrics(container, filter, { forceQueryPlan: true })).toEqual(metrics);
  expect(await indexMetrics(container, `${filter} ORDER BY c.n`, { forceQueryPlan: true })).toEqual(metrics);
  expect(await indexMetrics(container, 'SELECT * FROM c WHERE c.pk = "odd" ORDER BY c.n', { partitionKey: 'odd' })).toMatchObject({
    UtilizedIndexes: { SingleIndexes: [], CompositeIndexes: [{ IndexSpecs: ['/pk ASC', '/n DESC'] }] },
  });
  expect(await indexMetrics(container, 'SELECT * FROM c WHERE c.hidden.a = 1')).toMatchObject({
    PotentialIndexes: { SingleIndexes: [{ IndexSpec: '/hidden/a/?', IndexImpactScore: 'High' }] },
  });
  expect(await indexMetrics(container, 'SELECT * FROM c', { populateIndexMetrics: false })).toEqual({});
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
}

async function ask({ send }: Served, query: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return send('POST', DOCS, {
    headers: {
      'content-type': 'application/query+json',
      'x-ms-documentdb-isquery': 'true',
      'x-ms-documentdb-query-enablecrosspartition': 'true',
      ...headers,
    },
    body: JSON.stringify({ query }),
  });
}

test('older clients get index metrics in base64', async () => {
  const served = await items();
  const answer = await ask(served, 'SELECT * FROM c WHERE c.name = "a"', { 'x-ms-cosmos-populateindexmetrics': 'true' });
  const header = answer.headers.get('x-ms-cosmos-index-utilization') ?? '';
  expect(JSON.parse(Buffer.from(header, 'base64').toString('utf8'))).toEqual({
    UtilizedSingleIndexes: [
      { FilterExpression: '', IndexSpec: '/name/?', FilterPreciseSet: true, IndexPreciseSet: true, IndexImpactScore: 'High' },
    ],
    PotentialSingleIndexes: [],
    UtilizedCompositeIndexes: [],
    PotentialCompositeIndexes: [],
  });
});

test('names that no header has room for are left out', async () => {
  const served = await items();
  const names = Array.from({ length: 40 }, (_, n) => `c["${'長'.repeat(900)}${n}"] = 1`).join(' AND ');
  const answer = await ask(served, `SELECT * FROM c WHERE c.a = 1 AND ${names}`, { 'x-ms-cosmos-populateindexmetrics-V2': 'true' });
  expect(answer.status).toBe(200);
  const header = answer.headers.get('x-ms-cosmos-index-utilization') ?? '';
  expect(header.length).toBeLessThanOrEqual(8192);
  expect(JSON.parse(decodeURIComponent(header))).toHaveProperty('UtilizedIndexes.SingleIndexes');
});

test('query advice comes with the first page, where it is asked for and there is some', async () => {
  const served = await items();
  const wants = { 'x-ms-cosmos-populatequeryadvice': 'true', 'x-ms-max-item-count': '1' };
  const query = 'SELECT * FROM c WHERE CONTAINS(c.name, "item") AND GetCurrentTicks() > 0';
  const first = await ask(served, query, wants);
  expect(JSON.parse(decodeURIComponent(first.headers.get('x-ms-cosmos-query-advice') ?? ''))).toEqual([
    { Id: 'QA1002', Params: [] },
    { Id: 'QA1008', Params: [] },
  ]);
  const continuation = first.headers.get('x-ms-continuation') ?? '';
  expect(continuation).not.toBe('');
  const second = await ask(served, query, { ...wants, 'x-ms-continuation': continuation });
  expect([second.status, second.headers.get('x-ms-cosmos-query-advice')]).toEqual([200, null]);
  expect((await ask(served, query, {})).headers.get('x-ms-cosmos-query-advice')).toBeNull();
  expect((await ask(served, 'SELECT * FROM c', wants)).headers.get('x-ms-cosmos-query-advice')).toBeNull();
});
