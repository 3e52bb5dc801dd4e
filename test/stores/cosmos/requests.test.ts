import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CosmosDocumentStore } from '../../../src/stores/cosmos/index.ts';
import { serviceAnswer, serviceError, startFaultServer, stored, type Fault, type FaultServer, type SeenRequest } from './fault-server.ts';
import { failureOf, openFaulty } from './helpers.ts';

let server: FaultServer;
let store: CosmosDocumentStore;

beforeAll(async () => {
  server = await startFaultServer();
  const { backend, store: opened } = await openFaulty(server.url);
  store = opened;
  return () => backend.close();
});

afterAll(() => server.close());

beforeEach(() => {
  server.seen.length = 0;
});

const isPlan = (request: SeenRequest): boolean => request.headers['x-ms-cosmos-is-query-plan-request'] !== undefined;
const documents = (count: number, headers: Readonly<Record<string, string>> = {}): Fault =>
  serviceAnswer(200, { Documents: Array.from({ length: count }, (_, index) => stored(String(index))), _count: count }, headers);

describe('requests that the SDK would add are spared', () => {
  test('opening a known container and each call on one partition key send one request, with the partition-key header', async () => {
    const answers: Readonly<Record<string, Fault>> = {
      DELETE: serviceAnswer(204, undefined),
      PUT: serviceAnswer(200, stored('1')),
      PATCH: serviceAnswer(200, stored('1')),
    };
    server.answer((request) =>
      request.headers['x-ms-documentdb-isquery'] !== undefined
        ? documents(1)
        : request.headers['a-im'] !== undefined
          ? { ...documents(1), headers: { ...documents(1).headers, etag: '"5"' } }
          : request.headers['x-ms-cosmos-is-batch-request'] !== undefined
            ? serviceAnswer(200, [{ statusCode: 204 }])
            : (answers[request.method] ?? serviceAnswer(request.method === 'POST' ? 201 : 200, stored('1'))),
    );
    await store.create({ id: '1', owner: 'ada' });
    await store.upsert({ id: '1', owner: 'ada' });
    await store.replace({ id: '1', owner: 'ada' });
    await store.patch('1', 'ada', [{ op: 'set', path: '/n', value: 1 }]);
    await store.read('1', 'ada');
    await store.delete('1', 'ada');
    await store.batch('ada', [{ type: 'delete', id: '1' }]);
    await store.query('SELECT * FROM c', { partitionKey: 'ada' }).toArray();
    await store.readMany(['0', '1', '2'].map((id) => ({ id, partitionKey: 'ada' })));
    await store.changes({ partitionKey: 'ada' }).nextPage();
    expect(server.seen.length).toBe(10);
    expect(server.seen.map(({ headers }) => headers['x-ms-documentdb-partitionkey'])).toEqual(Array(10).fill('["ada"]'));
  });

  test('a query plan is asked for only when the service refuses to run the query', async () => {
    const plan = {
      partitionedQueryExecutionInfoVersion: 2,
      queryInfo: {
        distinctType: 'None',
        top: null,
        offset: null,
        limit: null,
        orderBy: ['Ascending'],
        orderByExpressions: ['c.n'],
        groupByExpressions: [],
        groupByAliases: [],
        aggregates: [],
        groupByAliasToAggregateType: {},
        rewrittenQuery:
          'SELECT c._rid, [{"item": c.n}] AS orderByItems, c AS payload FROM c WHERE ({documentdb-formattableorderbyquery-filter}) ORDER BY c.n',
        hasSelectValue: false,
        hasNonStreamingOrderBy: false,
      },
      queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
    };
    const rows: Readonly<Record<string, readonly number[]>> = { '0': [1, 4, 5], '1': [2, 3, 6] };
    server.answer((request) => {
      if (isPlan(request)) {
        return serviceAnswer(200, plan);
      }
      if (request.url.endsWith('/pkranges')) {
        return serviceAnswer(200, {
          PartitionKeyRanges: [
            { id: '0', minInclusive: '', maxExclusive: '1F' },
            { id: '1', minInclusive: '1F', maxExclusive: 'FF' },
          ],
        });
      }
      const range = request.headers['x-ms-documentdb-partitionkeyrangeid'];
      if (typeof range === 'string') {
        return serviceAnswer(200, {
          Documents: (rows[range] as number[]).map((n) => ({ _rid: `r${n}`, orderByItems: [{ item: n }], payload: { n } })),
        });
      }
      return { ...serviceError(400, 1004), body: JSON.stringify({ code: 'BadRequest', message: 'refused', additionalErrorInfo: '{}' }) };
    });
    const query = store.query<{ n: number }>('SELECT * FROM c ORDER BY c.n', { maxItemCount: 2 });
    const first = await query.nextPage();
    expect(first?.items.map(({ n }) => n)).toEqual([1, 2]);
    expect(server.seen.filter(isPlan).length).toBe(1);
    expect((await query.toArray()).map(({ n }) => n)).toEqual([3, 4, 5, 6]);

    // A continuation of a query that is no longer open, as after a restart, goes on at the same place.
    const { backend, store: again } = await openFaulty(server.url);
    const rest = again.query<{ n: number }>('SELECT * FROM c ORDER BY c.n', { maxItemCount: 2, continuation: first?.continuation });
    expect((await rest.toArray()).map(({ n }) => n)).toEqual([3, 4, 5, 6]);
    await backend.close();
  });
});

describe('what the SDK loses or rounds', () => {
  test('request units are those of all requests of a call, unrounded, in the change feed as well', async () => {
    server.answer(documents(1, { etag: '"5"', 'x-ms-request-charge': '2.86', 'x-ms-session-token': '0:-1#7' }));
    const page = await store.changes({ partitionKey: 'ada' }).nextPage();
    expect([page.requestUnits, page.session]).toEqual([2.86, '0:-1#7']);
  });

  test('a batch has the outcome of each operation, and the failing one its own code', async () => {
    server.answer(serviceAnswer(207, [{ statusCode: 424 }, { statusCode: 409, requestCharge: 1.2 }, { statusCode: 424 }]));
    const result = await store.batch('ada', [
      { type: 'create', document: { id: '1', owner: 'ada' } },
      { type: 'create', document: { id: '2', owner: 'ada' } },
      { type: 'delete', id: '3', ifMatch: '"7"' },
    ]);
    expect(result.committed).toBe(false);
    expect(result.outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))).toEqual([
      'FAILED_DEPENDENCY',
      'CONFLICT',
      'FAILED_DEPENDENCY',
    ]);
    expect(JSON.parse(server.seen[0]?.body as string)).toEqual([
      { operationType: 'Create', resourceBody: { id: '1', owner: 'ada' } },
      { operationType: 'Create', resourceBody: { id: '2', owner: 'ada' } },
      { operationType: 'Delete', id: '3', ifMatch: '"7"' },
    ]);
  });

  test.each([
    ['too few outcomes', [{ statusCode: 201 }]],
    ['an outcome without status', [{ statusCode: 204 }, {}]],
    ['no list', { statusCode: 204 }],
  ])('a batch answered with %s is BAD_RESPONSE', async (_name, body) => {
    server.answer(serviceAnswer(200, body));
    const operations = [
      { type: 'delete', id: '1' },
      { type: 'delete', id: '2' },
    ] as const;
    expect((await failureOf(store.batch('ada', operations))).code).toBe('BAD_RESPONSE');
  });

  test('an acknowledgement of another document is BAD_RESPONSE', async () => {
    server.answer(serviceAnswer(201, stored('2')));
    expect((await failureOf(store.create({ id: '1', owner: 'ada' }))).code).toBe('BAD_RESPONSE');
  });

  test('an empty etag is a condition all the same', async () => {
    server.answer(serviceError(412));
    await failureOf(store.replace({ id: '1', owner: 'ada' }, { ifMatch: '' }));
    expect(server.seen[0]?.headers['if-match']).toBe('""');
  });

  test('a question mark in an id does not become a query string', async () => {
    server.answer(serviceAnswer(200, stored('a?b')));
    expect((await store.read('a?b', 'ada'))?.document.id).toBe('a?b');
    expect(server.seen[0]?.url).toBe('/dbs/app/colls/todos/docs/a%3Fb');
  });
});

describe('bulk', () => {
  /** Answers batches as a service does in which the ids given exist. */
  function serveBatches(existing: ReadonlySet<string>): void {
    server.answer((request) => {
      if (request.headers['x-ms-cosmos-is-batch-request'] === undefined) {
        const { id } = JSON.parse(request.body) as { id: string };
        return existing.has(id) ? serviceError(409) : serviceAnswer(201, stored(id));
      }
      const operations = JSON.parse(request.body) as { resourceBody: { id: string } }[];
      const failing = operations.findIndex(({ resourceBody }) => existing.has(resourceBody.id));
      return failing < 0
        ? serviceAnswer(
            200,
            operations.map(({ resourceBody }) => ({ statusCode: 201, resourceBody: stored(resourceBody.id) })),
          )
        : serviceAnswer(
            207,
            operations.map((_, index) => ({ statusCode: index === failing ? 409 : 424 })),
          );
    });
  }

  test('carries the partition-key header, never a range, and each operation stands alone', async () => {
    serveBatches(new Set(['3', '5']));
    const operations = Array.from({ length: 10 }, (_, index) => ({
      type: 'create' as const,
      document: { id: String(index), owner: index < 8 ? 'ada' : 'bob' },
    }));
    const { outcomes } = await store.bulk(operations);
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.document?.id : outcome.error.code))).toEqual([
      '0',
      '1',
      '2',
      'CONFLICT',
      '4',
      'CONFLICT',
      '6',
      '7',
      '8',
      '9',
    ]);
    expect(new Set(server.seen.map(({ headers }) => headers['x-ms-documentdb-partitionkey']))).toEqual(new Set(['["ada"]', '["bob"]']));
    expect(server.seen.some(({ headers }) => 'x-ms-documentdb-partitionkeyrangeid' in headers)).toBe(false);
    expect(server.seen.length).toBe(4);
  });

  test('sends the rest one by one when many operations are refused', async () => {
    serveBatches(new Set(Array.from({ length: 50 }, (_, index) => String(index))));
    const operations = Array.from({ length: 60 }, (_, index) => ({
      type: 'create' as const,
      document: { id: String(index), owner: 'ada' },
    }));
    const { outcomes } = await store.bulk(operations);
    expect(outcomes.filter(({ ok }) => ok).length).toBe(10);
    expect(server.seen.length).toBe(3 + 57);
  });

  test('sends at most 100 operations and 2 MB at once', async () => {
    serveBatches(new Set());
    const text = 'x'.repeat(250_000);
    const operations = Array.from({ length: 230 }, (_, index) => ({
      type: 'create' as const,
      document: { id: String(index), owner: 'ada', ...(index >= 220 ? { text } : {}) },
    }));
    const { outcomes } = await store.bulk(operations);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(Math.max(...server.seen.map(({ body }) => body.length))).toBeLessThan(1_000_000);
  });

  test('stops sending when the service cannot take more', async () => {
    server.answer(serviceError(429, 3200, { 'x-ms-retry-after-ms': '1000' }));
    const operations = Array.from({ length: 200 }, (_, index) => ({
      type: 'create' as const,
      document: { id: '1', owner: String(index) },
    }));
    const { outcomes } = await store.bulk(operations);
    expect(outcomes.every((outcome) => !outcome.ok && outcome.error.code === 'THROTTLED')).toBe(true);
    expect(server.seen.length).toBeLessThanOrEqual(16);
  });
});

describe('the change feed of a container', () => {
  const ranges = (split: boolean): Fault =>
    serviceAnswer(200, {
      PartitionKeyRanges: split
        ? [
            { id: '1', minInclusive: '', maxExclusive: '1F', parents: ['0'] },
            { id: '2', minInclusive: '1F', maxExclusive: 'FF', parents: ['0'] },
          ]
        : [{ id: '0', minInclusive: '', maxExclusive: 'FF' }],
    });

  test('goes on from where the parent stood when a range splits', async () => {
    const { backend, store: own } = await openFaulty(server.url);
    let split = false;
    server.answer((request) => {
      if (request.url.endsWith('/pkranges')) {
        return ranges(split);
      }
      const range = request.headers['x-ms-documentdb-partitionkeyrangeid'] as string;
      if (split && range === '0') {
        return serviceError(410, 1002);
      }
      return request.headers['if-none-match'] === undefined || (split && request.headers['if-none-match'] === '"0"')
        ? { ...serviceAnswer(200, { Documents: [{ ...stored(`from ${range}`), _lsn: 12 }] }), headers: { etag: `"${range}"` } }
        : { status: 304, headers: { etag: request.headers['if-none-match'] as string } };
    });
    const feed = own.changes();
    const first = await feed.nextPage();
    expect(first.changes.map(({ document, position }) => [document.id, position, '_lsn' in document])).toEqual([['from 0', 12, false]]);
    split = true;
    const ids: string[] = [];
    for await (const { document } of feed) {
      ids.push(document.id);
    }
    expect(ids).toEqual(['from 1', 'from 2']);
    expect((await feed.nextPage()).caughtUp).toBe(true);
    await backend.close();
  });

  test('from now takes the position of every range at once', async () => {
    const { backend, store: own } = await openFaulty(server.url);
    server.answer((request) =>
      request.url.endsWith('/pkranges') ? ranges(true) : { status: 304, headers: { etag: '"now"', 'x-ms-request-charge': '1' } },
    );
    const page = await own.changes({ from: 'now' }).nextPage();
    expect(page.caughtUp).toBe(true);
    const asked = server.seen.filter(({ headers }) => headers['a-im'] !== undefined);
    expect(asked.map(({ headers }) => [headers['x-ms-documentdb-partitionkeyrangeid'], headers['if-none-match']])).toEqual([
      ['1', '*'],
      ['2', '*'],
    ]);
    await backend.close();
  });

  test('a cursor of another scope, or a damaged one, is refused', async () => {
    server.answer({ status: 304, headers: { etag: '"5"' } });
    const { cursor } = await store.changes({ partitionKey: 'ada' }).nextPage();
    for (const options of [
      { partitionKey: 'bob', from: { cursor } },
      { partitionKey: 'ada', from: { cursor: `${cursor.slice(0, 33)}e30` } },
      { partitionKey: 'ada', from: { cursor: 'nonsense' } },
    ]) {
      expect((await failureOf(store.changes(options).nextPage())).code).toBe('INVALID_CONTINUATION');
    }
  });
});

test('a continuation of another query is refused before anything is sent', async () => {
  server.answer(documents(1, { 'x-ms-continuation': 'token' }));
  const page = await store.query('SELECT * FROM c').nextPage();
  expect(page?.continuation).toBeDefined();
  const sent = server.seen.length;
  const other = store.query('SELECT c.id FROM c', { continuation: page?.continuation });
  expect((await failureOf(other.nextPage())).code).toBe('INVALID_CONTINUATION');
  expect(server.seen.length).toBe(sent);
  server.answer(serviceError(400));
  const same = store.query('SELECT * FROM c', { continuation: page?.continuation });
  expect((await failureOf(same.nextPage())).code).toBe('INVALID_CONTINUATION');
});
