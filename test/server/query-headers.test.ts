import type { Container, FeedOptions } from '@azure/cosmos';
import { expect, test } from 'vitest';
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
