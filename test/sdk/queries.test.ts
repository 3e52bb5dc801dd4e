import type { Container, FeedOptions, SqlQuerySpec } from '@azure/cosmos';
import { expect } from 'vitest';
import { sdkSuite } from './support/sdk-suite.ts';
import { recorded } from './support/recorded.ts';

interface Row {
  readonly id: string;
  readonly pk: string;
  readonly n: number;
  readonly word: string;
  readonly tags: readonly string[];
}

/** Forty rows in five keys; `n` is different in each. */
const ROWS: readonly Row[] = Array.from({ length: 40 }, (_, index) => ({
  id: `i${index}`,
  pk: `p${index % 5}`,
  n: (index * 17) % 40,
  word: ['alpha', 'beta', 'gamma'][index % 3] as string,
  tags: index % 2 === 0 ? ['even', `t${index % 3}`] : [],
}));

async function fill(container: Container, rows: readonly object[] = ROWS): Promise<void> {
  const results = await container.items.executeBulkOperations(
    rows.map((row) => ({ operationType: 'Create', partitionKey: (row as Row).pk, resourceBody: row as never })),
  );
  expect(results.every(({ response }) => response?.statusCode === 201)).toBe(true);
}

async function ask(container: Container, query: string | SqlQuerySpec, options: FeedOptions = {}): Promise<unknown[]> {
  return (await container.items.query<unknown>(query, options).fetchAll()).resources;
}

const from = (continuationToken: string | undefined): FeedOptions => (continuationToken === undefined ? {} : { continuationToken });
const headersOf = (page: object): Readonly<Record<string, unknown>> => (page as { headers: Readonly<Record<string, unknown>> }).headers;
const numbers = (rows: readonly Row[]): number[] => rows.map(({ n }) => n).toSorted((left, right) => left - right);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

sdkSuite((feature) => {
  feature('queries.language', 'filters, parameters, projections, joins and functions', async ({ account }) => {
    const container = await account.container();
    await fill(container);
    await container.items.create({ id: 'place', pk: 'geo', at: { type: 'Point', coordinates: [13.4, 52.5] } });
    const spec = {
      query: 'SELECT VALUE c.n FROM c WHERE c.n > @least AND c.word IN (@one, @other) AND ARRAY_CONTAINS(@keys, c.pk)',
      parameters: [
        { name: '@least', value: 20 },
        { name: '@one', value: 'alpha' },
        { name: '@other', value: 'beta' },
        { name: '@keys', value: ['p1', 'p2'] },
      ],
    };
    const wanted = ROWS.filter(({ n, word, pk }) => n > 20 && word !== 'gamma' && ['p1', 'p2'].includes(pk));
    expect(((await ask(container, spec)) as number[]).toSorted((a, b) => a - b)).toEqual(numbers(wanted));
    expect(await ask(container, "SELECT c.id, UPPER(c.word) AS loud, c.none FROM c WHERE c.id = 'i4'")).toEqual([
      { id: 'i4', loud: 'BETA' },
    ]);
    expect(await ask(container, "SELECT VALUE t FROM c JOIN t IN c.tags WHERE c.id = 'i4'")).toEqual(['even', 't1']);
    expect(
      await ask(container, 'SELECT VALUE c.id FROM c WHERE EXISTS (SELECT VALUE t FROM t IN c.tags WHERE t = "t2") AND c.n < 10'),
    ).toEqual(ROWS.filter(({ tags, n }) => tags.includes('t2') && n < 10).map(({ id }) => id));
    const near = "SELECT VALUE c.id FROM c WHERE ST_DISTANCE(c.at, {'type': 'Point', 'coordinates': [13.4, 52.6]}) < 20000";
    expect(await ask(container, near)).toEqual(['place']);
    expect(
      await ask(container, "SELECT VALUE c.id FROM c WHERE c.id LIKE 'i_' AND NOT IS_DEFINED(c.none) AND (c.n BETWEEN 0 AND 17)"),
    ).toEqual(ROWS.filter(({ id, n }) => id.length === 2 && n <= 17).map(({ id }) => id));
    expect(await ask(container, 'SELECT VALUE {"a": 1 + 1}')).toEqual([{ a: 2 }]);
  });

  feature('queries.within-key', 'within a partition key everything is answered directly', async ({ account }) => {
    const { options, exchanges } = recorded();
    const container = await account.container({}, account.connect(options));
    await fill(container);
    const mine = ROWS.filter(({ pk }) => pk === 'p1');
    const inKey = { partitionKey: 'p1' };
    exchanges.splice(0);
    expect(await ask(container, 'SELECT VALUE c.n FROM c ORDER BY c.n DESC', inKey)).toEqual(numbers(mine).toReversed());
    expect(await ask(container, 'SELECT TOP 2 VALUE c.n FROM c ORDER BY c.n', inKey)).toEqual(numbers(mine).slice(0, 2));
    expect(await ask(container, 'SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 1 LIMIT 3', inKey)).toEqual(numbers(mine).slice(1, 4));
    expect(await ask(container, 'SELECT DISTINCT VALUE c.word FROM c ORDER BY c.word', inKey)).toEqual(['alpha', 'beta', 'gamma']);
    expect(await ask(container, 'SELECT COUNT(1) AS count, SUM(c.n) AS sum, MIN(c.n) AS min FROM c', inKey)).toEqual([
      { count: mine.length, sum: sum(numbers(mine)), min: numbers(mine)[0] },
    ]);
    const groups = (await ask(container, 'SELECT c.word, COUNT(1) AS n FROM c GROUP BY c.word', inKey)) as { word: string; n: number }[];
    expect(groups.find(({ word }) => word === 'beta')?.n).toBe(mine.filter(({ word }) => word === 'beta').length);
    expect(exchanges.every(({ status }) => status === 200)).toBe(true);
    expect(exchanges.some(({ path }) => path.endsWith('/pkranges'))).toBe(false);
  });

  feature(
    ['queries.across-keys', 'plans.rewritten', 'partitions.hashing'],
    'over several ranges the SDK merges what each answers',
    async ({ own }) => {
      const account = await own({ partitions: 4 });
      const { options, exchanges } = recorded();
      const container = await account.container({}, account.connect(options));
      await fill(container);
      const all = numbers(ROWS);
      expect(await ask(container, 'SELECT VALUE c.n FROM c ORDER BY c.n')).toEqual(all);
      const perRange = exchanges.filter(({ sent }) => sent['x-ms-documentdb-partitionkeyrangeid'] !== undefined);
      expect(new Set(perRange.map(({ sent }) => sent['x-ms-documentdb-partitionkeyrangeid']))).toEqual(new Set(['0', '1', '2', '3']));
      expect(await ask(container, 'SELECT * FROM c ORDER BY c.word DESC, c.n', { maxItemCount: 3 })).toMatchObject(
        ROWS.toSorted((a, b) => b.word.localeCompare(a.word) || a.n - b.n),
      );
      expect(await ask(container, 'SELECT TOP 3 VALUE c.n FROM c ORDER BY c.n DESC')).toEqual([39, 38, 37]);
      expect(await ask(container, 'SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 5 LIMIT 4')).toEqual([5, 6, 7, 8]);
      expect(await ask(container, 'SELECT TOP 7 * FROM c')).toHaveLength(7);
      expect(((await ask(container, 'SELECT DISTINCT VALUE c.word FROM c')) as string[]).toSorted()).toEqual(['alpha', 'beta', 'gamma']);
      expect(await ask(container, 'SELECT DISTINCT VALUE c.pk FROM c ORDER BY c.pk')).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
      expect(await ask(container, 'SELECT VALUE COUNT(1) FROM c')).toEqual([40]);
      expect(await ask(container, 'SELECT VALUE AVG(c.n) FROM c WHERE c.n < 10')).toEqual([4.5]);
      expect(await ask(container, 'SELECT MAX(c.n) AS high, MIN(c.n) AS low, SUM(c.n) AS total FROM c')).toEqual([
        { high: 39, low: 0, total: sum(all) },
      ]);
      const grouped = (await ask(container, 'SELECT c.pk, COUNT(1) AS n, MAX(c.n) AS high FROM c GROUP BY c.pk')) as { pk: string }[];
      expect(grouped.toSorted((a, b) => a.pk.localeCompare(b.pk))).toEqual(
        ['p0', 'p1', 'p2', 'p3', 'p4'].map((pk) => {
          const mine = ROWS.filter((row) => row.pk === pk);
          return { pk, n: mine.length, high: Math.max(...mine.map(({ n }) => n)) };
        }),
      );
      exchanges.splice(0);
      expect(await ask(container, "SELECT VALUE COUNT(1) FROM c WHERE c.pk = 'p2'")).toEqual([8]);
      const asked = exchanges.filter(({ sent }) => sent['x-ms-documentdb-partitionkeyrangeid'] !== undefined);
      expect(new Set(asked.map(({ sent }) => sent['x-ms-documentdb-partitionkeyrangeid'])).size).toBe(1);
    },
  );

  feature('queries.pages', 'pages have the size asked for and miss nothing', async ({ account }) => {
    const container = await account.container();
    await fill(container);
    for (const feed of [
      container.items.query<Row>('SELECT * FROM c', { maxItemCount: 7 }),
      container.items.query<Row>('SELECT * FROM c', { maxItemCount: 7, forceQueryPlan: true }),
      container.items.readAll<Row>({ maxItemCount: 7 }),
    ]) {
      const ids: string[] = [];
      const sizes: number[] = [];
      for await (const { resources } of feed.getAsyncIterator()) {
        ids.push(...(resources ?? []).map(({ id }) => id));
        sizes.push(resources?.length ?? 0);
      }
      expect(ids.toSorted()).toEqual(ROWS.map(({ id }) => id).toSorted());
      expect(Math.max(...sizes)).toBe(7);
    }
    const one = container.items.query<Row>('SELECT * FROM c', { maxItemCount: 15 });
    const first = await one.fetchNext();
    expect([first.resources.length, first.hasMoreResults, headersOf(first)['x-ms-item-count']]).toEqual([15, true, '15']);
    one.reset();
    expect((await one.fetchNext()).resources).toEqual(first.resources);
    const inKey = await container.items.readAll<Row>({ partitionKey: 'p3' }).fetchAll();
    expect(inKey.resources.map(({ pk }) => pk)).toEqual(Array.from({ length: 8 }, () => 'p3'));
  });

  feature('queries.continuations', 'a query goes on from its token in another client, and from no other’s', async ({ account }) => {
    const container = await account.container();
    await fill(container);
    const cases: readonly (readonly [string, FeedOptions])[] = [
      ['SELECT VALUE c.id FROM c', {}],
      ['SELECT VALUE c.id FROM c WHERE c.n >= 0 ORDER BY c.n DESC', { partitionKey: 'p2' }],
      ['SELECT DISTINCT VALUE c.word FROM c', { partitionKey: 'p2' }],
      ['SELECT VALUE t FROM c JOIN t IN c.tags', {}],
    ];
    for (const [query, options] of cases) {
      const whole = await ask(container, query, options);
      const paged: unknown[] = [];
      let continuationToken: string | undefined;
      do {
        const other = account.as(account.connect(), container);
        const page = await other.items.query<unknown>(query, { ...options, maxItemCount: 3, ...from(continuationToken) }).fetchNext();
        paged.push(...(page.resources ?? []));
        continuationToken = page.continuationToken;
        expect(Buffer.byteLength(continuationToken ?? '')).toBeLessThan(1024);
        expect(paged.length).toBeLessThanOrEqual(whole.length);
      } while (continuationToken !== undefined);
      expect(paged).toEqual(whole);
    }
    const { continuationToken } = await container.items.query('SELECT * FROM c WHERE c.n > 5', { maxItemCount: 3 }).fetchNext();
    const foreign = [continuationToken as string, 'nonsense', '{"token":"x"}'];
    for (const token of foreign) {
      const path = `/${container.url}/docs`;
      const answer = await account.send('POST', path, {
        headers: { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'true', 'x-ms-continuation': token },
        body: { query: 'SELECT * FROM c WHERE c.n < 5', parameters: [] },
      });
      expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('Invalid Continuation Token') as string } });
    }
  });

  feature('queries.composite-continuations', 'the SDK’s own token carries a planned query on', async ({ own }) => {
    const account = await own({ partitions: 3 });
    const container = await account.container();
    await fill(container);
    for (const query of [
      'SELECT VALUE c.n FROM c ORDER BY c.n DESC',
      'SELECT VALUE c.n FROM c',
      'SELECT TOP 11 VALUE c.n FROM c',
      'SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 3 LIMIT 14',
    ]) {
      const whole = (await ask(container, query)) as number[];
      const paged: number[] = [];
      let continuationToken: string | undefined;
      let rounds = 0;
      do {
        const options = { maxItemCount: 12, enableQueryControl: true, ...from(continuationToken) };
        const page = await container.items.query<number>(query, options).fetchNext();
        paged.push(...(page.resources ?? []));
        continuationToken = page.continuationToken;
        rounds += 1;
      } while (continuationToken !== undefined && rounds < 40);
      if (query.includes('ORDER BY')) {
        expect([query, paged]).toEqual([query, whole]);
      }
      expect([query, paged.length, new Set(paged).size]).toEqual([query, whole.length, whole.length]);
    }
  });

  feature('queries.metrics', 'metrics of queries and indexes come where they are asked for', async ({ account }) => {
    const container = await account.container();
    await fill(container);
    const query = "SELECT * FROM c WHERE c.word = 'beta'";
    const asked = await container.items
      .query(query, { populateQueryMetrics: true, populateIndexMetrics: true, partitionKey: 'p1' })
      .fetchNext();
    const metrics = JSON.stringify(headersOf(asked)['x-ms-documentdb-query-metrics']);
    expect(metrics).toMatch(/retrievedDocumentCount/u);
    const { indexMetrics } = asked as unknown as { indexMetrics?: string };
    expect(indexMetrics).toMatch(/word/u);
    const raw = await account.send('POST', `/${container.url}/docs`, {
      headers: {
        'content-type': 'application/query+json',
        'x-ms-documentdb-partitionkey': '["p1"]',
        'x-ms-documentdb-populatequerymetrics': 'true',
      },
      body: { query, parameters: [] },
    });
    const advised = await account.send('POST', `/${container.url}/docs`, {
      headers: {
        'content-type': 'application/query+json',
        'x-ms-documentdb-partitionkey': '["p1"]',
        'x-ms-cosmos-populatequeryadvice': 'true',
      },
      body: { query: "SELECT * FROM c WHERE CONTAINS(LOWER(c.word), 'beta')", parameters: [] },
    });
    const advice = JSON.parse(decodeURIComponent(advised.headers.get('x-ms-cosmos-query-advice') ?? '[]')) as unknown[];
    expect(advice.length).toBeGreaterThan(0);
    const pairs = new Map(
      (raw.headers.get('x-ms-documentdb-query-metrics') ?? '').split(';').map((pair) => pair.split('=') as [string, string]),
    );
    expect(Number(pairs.get('retrievedDocumentCount'))).toBeGreaterThan(0);
    expect(pairs.get('outputDocumentCount')).toBe(raw.headers.get('x-ms-item-count'));
    for (const name of [
      'totalExecutionTimeInMs',
      'indexLookupTimeInMs',
      'outputDocumentSize',
      'indexUtilizationRatio',
      'writeOutputTimeInMs',
    ]) {
      expect([name, Number(pairs.get(name))]).toEqual([name, expect.any(Number)]);
    }
    const plain = await container.items.query(query, { partitionKey: 'p1' }).fetchNext();
    expect(headersOf(plain)['x-ms-cosmos-index-utilization']).toBeUndefined();
  });

  feature('queries.errors', 'what cannot be read or bound is refused with the codes of the service', async ({ account }) => {
    const container = await account.container();
    await fill(container, ROWS.slice(0, 3));
    const cases: readonly (readonly [string, string])[] = [
      ['SELECT * FORM c', 'SC1001'],
      ['SELECT BADFUNC(c.n) FROM c', 'SC2005'],
      ['SELECT ABS() FROM c', 'SC2050'],
      ['SELECT * FROM c GROUP BY c.n', 'SC2041'],
      ['SELECT VALUE x.n FROM c', 'SC2001'],
      ['SELECT c.id, COUNT(1) FROM c GROUP BY c.n', 'SC2102'],
    ];
    for (const [query, code] of cases) {
      for (const options of [{}, { partitionKey: 'p1' }, { forceQueryPlan: true }]) {
        const error = await ask(container, query, options).catch((thrown: unknown) => thrown as Error & { code: number });
        expect([query, (error as { code?: number }).code]).toEqual([query, 400]);
        expect((error as Error).message).toContain(code);
      }
    }
  });
});
