import type { Container, FeedOptions, SqlQuerySpec } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import type { ServerOptions } from '../../src/server/index.ts';
import { serve, type Served } from './served.ts';

const DOCS = '/dbs/app/colls/films/docs';

async function films(options: Partial<ServerOptions> = {}): Promise<Served & { readonly container: Container }> {
  const served = await serve(options);
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'films', partitionKey: { paths: ['/genre'], version: 2 } });
  const rows: [string, string, number, number | undefined][] = [
    ['1', 'drama', 1950, 3],
    ['2', 'comedy', 1960, 1],
    ['3', 'drama', 1970, undefined],
    ['4', 'war', 1960, 2],
    ['5', 'comedy', 1980, 5],
  ];
  for (const [id, genre, year, stars] of rows) {
    await container.items.create({ id, genre, year, ...(stars === undefined ? {} : { stars }) });
  }
  return { ...served, container };
}

async function run(container: Container, query: string | SqlQuerySpec, options: FeedOptions = {}): Promise<unknown[]> {
  return (await container.items.query(query, options).fetchAll()).resources as unknown[];
}

/** Queries that the service's gateway leaves to the client when they go across partitions. */
const PLANNED: [string, unknown[]][] = [
  ['SELECT VALUE c.id FROM c WHERE c.id != "4" ORDER BY c.year DESC', ['5', '3', '2', '1']],
  [
    'SELECT c.id, c.year AS y FROM c WHERE c.year > 1950 ORDER BY c.year',
    [
      { id: '2', y: 1960 },
      { id: '4', y: 1960 },
      { id: '3', y: 1970 },
      { id: '5', y: 1980 },
    ],
  ],
  ['SELECT TOP 2 VALUE c.id FROM c ORDER BY c.id', ['1', '2']],
  ['SELECT TOP 3 VALUE c.id FROM c', ['1', '2', '3']],
  ['SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 1 LIMIT 2', ['2', '3']],
  ['SELECT VALUE c.id FROM c OFFSET 3 LIMIT 10', ['4', '5']],
  ['SELECT DISTINCT VALUE c.genre FROM c', ['drama', 'comedy', 'war']],
  ['SELECT DISTINCT VALUE c.year FROM c ORDER BY c.year', [1950, 1960, 1970, 1980]],
  ['SELECT DISTINCT VALUE c.year FROM c ORDER BY c.year OFFSET 1 LIMIT 2', [1960, 1970]],
  ['SELECT DISTINCT TOP 3 VALUE c.year FROM c ORDER BY c.year', [1950, 1960, 1970]],
  ['SELECT VALUE COUNT(1) FROM c', [5]],
  ['SELECT VALUE SUM(c.year) FROM c WHERE c.genre = "comedy"', [3940]],
  ['SELECT VALUE AVG(c.year) FROM c', [1964]],
  ['SELECT VALUE MIN(c.year) FROM c', [1950]],
  ['SELECT VALUE MAX(c.year) FROM c', [1980]],
  ['SELECT COUNT(1) AS n, MAX(c.year) AS latest FROM c', [{ n: 5, latest: 1980 }]],
];

describe('queries', () => {
  test('across partitions and within one, with parameters', async () => {
    const { container } = await films();
    const query = { query: 'SELECT VALUE c.id FROM c WHERE c.year = @year', parameters: [{ name: '@year', value: 1960 }] };
    expect(await run(container, query)).toEqual(['2', '4']);
    expect(await run(container, query, { partitionKey: 'war' })).toEqual(['4']);
    expect(await run(container, 'SELECT * FROM c WHERE c.id = "none"')).toEqual([]);
    expect(await run(container, 'SELECT VALUE 1')).toEqual([1]);
  });

  test.each(PLANNED)('refused to the client, as the gateway does: %s', async (query, expected) => {
    const { container } = await films();
    expect(await run(container, query)).toEqual(expected);
  });

  test.each(PLANNED)('by the plan: %s', async (query, expected) => {
    const { container } = await films();
    expect(await run(container, query, { forceQueryPlan: true })).toEqual(expected);
  });

  test.each(PLANNED)('answered where that is asked for: %s', async (query, expected) => {
    const { container } = await films({ crossPartitionQueries: 'answer' });
    expect(await run(container, query)).toEqual(expected);
  });

  test('refused to the client: within a partition key nothing is', async () => {
    const { container, send } = await films();
    expect(await run(container, 'SELECT VALUE c.id FROM c ORDER BY c.year DESC', { partitionKey: 'drama' })).toEqual(['3', '1']);
    const headers = { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'True' };
    const body = JSON.stringify({ query: 'SELECT VALUE COUNT(1) FROM c WHERE c.genre = "war"' });
    const response = await send('POST', DOCS, { headers, body });
    expect([response.status, response.headers.get('x-ms-substatus')]).toEqual([400, '1004']);
    const { additionalErrorInfo } = (await response.json()) as { additionalErrorInfo: string };
    const planned = await send('POST', DOCS, { headers: { ...headers, 'x-ms-cosmos-is-query-plan-request': 'True' }, body });
    expect(additionalErrorInfo).toBe(await planned.text());
  });

  test('that the client cannot merge are refused in the words of the text that was written, also by their plans', async () => {
    const { container } = await films({ orderBy: 'strict' });
    for (const options of [{}, { forceQueryPlan: true }]) {
      for (const [query, at] of [
        ['SELECT * FROM c ORDER BY c.year, c.id', 'c.year'],
        ["SELECT TOP 1 * FROM c ORDER BY RANK FullTextScore(c.title, 'a')", 'c.title'],
        ['SELECT SUM(c.year) + 1 FROM c', 'SUM'],
      ] as const) {
        const start = `"location":{"start":${query.indexOf(at)},`;
        const refused = { code: 400, message: expect.stringContaining(start) as string };
        await expect(run(container, query, options), query).rejects.toMatchObject(refused);
      }
    }
  });

  test('come in pages that go on from a continuation, in another client too', async () => {
    const { container, client } = await films();
    const seen: unknown[] = [];
    let continuationToken: string | undefined;
    do {
      const films2 = client().database('app').container('films');
      const feed = films2.items.query('SELECT VALUE c.id FROM c', {
        maxItemCount: 2,
        ...(continuationToken === undefined ? {} : { continuationToken }),
      });
      const page = await feed.fetchNext();
      expect(page.resources.length).toBeLessThanOrEqual(2);
      expect(page.requestCharge).toBeGreaterThan(0);
      seen.push(...(page.resources as unknown[]));
      continuationToken = page.continuationToken;
      expect(Buffer.byteLength(continuationToken ?? '')).toBeLessThan(1024);
    } while (continuationToken !== undefined);
    expect(seen).toEqual(['1', '2', '3', '4', '5']);

    const sorted = container.items.query('SELECT VALUE c.year FROM c ORDER BY c.year DESC', { maxItemCount: 1 });
    const years: unknown[] = [];
    while (sorted.hasMoreResults()) {
      years.push(...((await sorted.fetchNext()).resources as unknown[]));
    }
    expect(years).toEqual([1980, 1970, 1960, 1960, 1950]);
  });

  test('a continuation that was not issued is refused', async () => {
    const { container } = await films();
    for (const continuationToken of ['nonsense', '%', '{"token":1}']) {
      await expect(container.items.query('SELECT * FROM c', { continuationToken }).fetchNext()).rejects.toMatchObject({
        code: 400,
        message: expect.stringContaining('Invalid Continuation Token') as string,
      });
    }
  });

  test('errors name the place in the text, with the codes of the service', async () => {
    const { container } = await films();
    await expect(run(container, 'SELECT FROM WHERE')).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining('SC1001') as string,
    });
    await expect(run(container, 'SELECT BADFUNC(1) FROM c')).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining('SC2005') as string,
    });
  });

  test('a body that is no query is refused', async () => {
    const { send } = await films();
    const headers = { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'true' };
    const bodies = [{}, { query: 1 }, [], { query: 'SELECT 1', parameters: {} }, { query: 'SELECT 1', parameters: [1] }];
    for (const body of bodies) {
      expect((await send('POST', DOCS, { headers, body: JSON.stringify(body) })).status).toBe(400);
      const plan = { ...headers, 'x-ms-cosmos-is-query-plan-request': 'True' };
      expect((await send('POST', DOCS, { headers: plan, body: JSON.stringify(body) })).status).toBe(400);
    }
  });

  test('metrics come when asked for', async () => {
    const { send } = await films();
    const response = await send('POST', DOCS, {
      headers: { 'x-ms-documentdb-isquery': 'True', 'x-ms-documentdb-populatequerymetrics': 'True' },
      body: JSON.stringify({ query: 'SELECT * FROM c WHERE c.year = 1960' }),
    });
    expect(response.headers.get('x-ms-documentdb-query-metrics')).toMatch(/retrievedDocumentCount=[2-5];.*outputDocumentCount=2;/u);
    expect(response.headers.get('x-ms-item-count')).toBe('2');
  });

  test('all documents of a container, or of a partition key, as a feed', async () => {
    const { container } = await films();
    const all = await container.items.readAll<{ id: string }>({ maxItemCount: 2 }).fetchAll();
    expect(all.resources.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
    const drama = await container.items.readAll<{ id: string }>({ partitionKey: 'drama' }).fetchAll();
    expect(drama.resources.map(({ id }) => id)).toEqual(['1', '3']);
  });

  test('a range of effective partition keys restricts what a query sees', async () => {
    const { send } = await films();
    const ids = async (headers: Record<string, string>): Promise<string[]> => {
      const response = await send('POST', DOCS, {
        headers: { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'true', ...headers },
        body: JSON.stringify({ query: 'SELECT VALUE c.id FROM c' }),
      });
      return ((await response.json()) as { Documents: string[] }).Documents;
    };
    const low = await ids({ 'x-ms-start-epk': '', 'x-ms-end-epk': '20' });
    const high = await ids({ 'x-ms-documentdb-partitionkeyrangeid': '0', 'x-ms-start-epk': '20', 'x-ms-end-epk': 'FF' });
    expect([...low, ...high].sort()).toEqual(['1', '2', '3', '4', '5']);
    expect(high.length).toBeGreaterThan(0);
  });
});

test.each(['plan', '', 'Answer'])('crossPartitionQueries %j is no option', async (value) => {
  await expect(serve({ crossPartitionQueries: value as 'answer' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});

describe('query plans', () => {
  async function plan(served: Served, query: string): Promise<{ queryInfo: Record<string, unknown>; queryRanges: unknown[] }> {
    const response = await served.send('POST', DOCS, {
      headers: {
        'content-type': 'application/query+json',
        'x-ms-cosmos-is-query-plan-request': 'True',
        'x-ms-cosmos-query-version': '1.4',
      },
      body: JSON.stringify({ query, parameters: [] }),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as { queryInfo: Record<string, unknown>; queryRanges: unknown[] };
  }

  test('say where the rows are: everywhere, or at the points of the keys that the filter leaves', async () => {
    const served = await films();
    const all = await plan(served, 'SELECT * FROM c');
    expect(all).toMatchObject({ partitionedQueryExecutionInfoVersion: 2 });
    expect(all.queryRanges).toEqual([{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }]);
    const points = (await plan(served, 'SELECT * FROM c WHERE c.genre IN ("war", "drama")')).queryRanges as { min: string; max: string }[];
    expect(points).toHaveLength(2);
    expect(points.every(({ min, max }) => min === max && min.length === 32)).toBe(true);
    expect((points[0] as { min: string }).min < (points[1] as { min: string }).min).toBe(true);
  });

  test('say how to merge', async () => {
    const served = await films();
    const { queryInfo } = await plan(served, 'SELECT TOP 2 * FROM c ORDER BY c.year DESC');
    expect(queryInfo).toMatchObject({ top: 2, orderBy: ['Descending'], orderByExpressions: ['c.year'], hasSelectValue: false });
  });
});
