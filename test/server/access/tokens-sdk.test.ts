import { BulkOperationType, ChangeFeedStartFrom, type Container } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { BACKENDS, openShop, type Shop } from './shop.ts';

const forbidden = { code: 403 };

const QUERIES: readonly (readonly [query: string, expected: readonly unknown[]])[] = [
  ['SELECT VALUE c.id FROM c', ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']],
  ['SELECT VALUE c.id FROM c WHERE c.n > 4', ['a5', 'a6']],
  ["SELECT VALUE c.id FROM c WHERE c.customer = 'bob'", []],
  ['SELECT VALUE c.id FROM c ORDER BY c.n DESC', ['a6', 'a5', 'a4', 'a3', 'a2', 'a1']],
  ['SELECT VALUE COUNT(1) FROM c', [6]],
  ['SELECT VALUE MAX(c.n) FROM c', [6]],
  ['SELECT VALUE SUM(c.n) FROM c', [21]],
  [
    'SELECT c.kind, COUNT(1) AS count FROM c GROUP BY c.kind',
    [
      { kind: 'odd', count: 3 },
      { kind: 'even', count: 3 },
    ],
  ],
  ['SELECT DISTINCT VALUE c.kind FROM c', ['odd', 'even']],
  ['SELECT TOP 2 VALUE c.id FROM c ORDER BY c.n', ['a1', 'a2']],
  ['SELECT VALUE c.id FROM c ORDER BY c.n OFFSET 1 LIMIT 2', ['a2', 'a3']],
];

describe.each(BACKENDS)('a token for one partition key, through the SDK, on %s', (backend) => {
  async function open(): Promise<Shop & { readonly mine: Container }> {
    const shop = await openShop(backend);
    const token = await shop.token({ resourcePartitionKey: ['ada'] });
    return { ...shop, mine: shop.with({ tokenProvider: () => Promise.resolve(token) }) };
  }

  test('creates, reads, replaces, upserts, patches and deletes documents of the key', async () => {
    const { mine } = await open();
    const created = await mine.items.create({ id: 'new', customer: 'ada', n: 7 });
    expect(created.statusCode).toBe(201);
    expect((await mine.item('new', 'ada').read()).resource).toMatchObject({ n: 7 });
    expect((await mine.item('new', 'ada').replace({ id: 'new', customer: 'ada', n: 8 })).resource).toMatchObject({ n: 8 });
    expect((await mine.items.upsert({ id: 'new', customer: 'ada', n: 9 })).statusCode).toBe(200);
    expect((await mine.item('new', 'ada').patch([{ op: 'incr', path: '/n', value: 1 }])).resource).toMatchObject({ n: 10 });
    expect((await mine.item('new', 'ada').delete()).statusCode).toBe(204);
  });

  test('answers every kind of query with what the key holds', async () => {
    const { mine } = await open();
    for (const [query, expected] of QUERIES) {
      for (const maxItemCount of [undefined, 2]) {
        const options = { partitionKey: 'ada', ...(maxItemCount === undefined ? {} : { maxItemCount }) };
        const { resources } = await mine.items.query(query, options).fetchAll();
        expect(resources).toHaveLength(expected.length);
        expect(resources).toEqual(query.includes('ORDER BY') ? expected : expect.arrayContaining([...expected]));
      }
      // By its plan the client asks the ranges, and names no key.
      const planned = mine.items.query(query, { partitionKey: 'ada', forceQueryPlan: true });
      await expect(planned.fetchAll()).rejects.toMatchObject(forbidden);
    }
  });

  test('reads the feed of the key, by the iterator and by the older call, and goes on from where it was', async () => {
    const { mine, container } = await open();
    const ids = async (options: object): Promise<{ ids: string[]; continuation: string }> => {
      const iterator = mine.items.getChangeFeedIterator<{ id: string }>({ maxItemCount: 2, ...options } as never);
      const found: string[] = [];
      for (;;) {
        const page = await iterator.readNext();
        if (page.statusCode === 304) {
          return { ids: found, continuation: page.continuationToken };
        }
        found.push(...page.result.map(({ id }) => id));
      }
    };
    const first = await ids({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning('ada') });
    expect(first.ids).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
    await container.items.create({ id: 'b7', customer: 'bob' });
    await container.items.create({ id: 'a7', customer: 'ada' });
    const next = await ids({ changeFeedStartFrom: ChangeFeedStartFrom.Continuation(first.continuation) });
    expect(next.ids).toEqual(['a7']);
    const older = mine.items.changeFeed<{ id: string }>('ada', { startFromBeginning: true });
    expect((await older.fetchNext()).result.map(({ id }) => id)).toHaveLength(7);
  });

  test('runs batches of the key, all or nothing', async () => {
    const { mine } = await open();
    const good = await mine.items.batch(
      [
        { operationType: BulkOperationType.Create, resourceBody: { id: 'x', customer: 'ada' } },
        { operationType: BulkOperationType.Read, id: 'a1' },
        { operationType: BulkOperationType.Patch, id: 'a1', resourceBody: { operations: [{ op: 'set', path: '/n', value: 5 }] } },
        { operationType: BulkOperationType.Delete, id: 'a2' },
      ],
      'ada',
    );
    expect(good.result?.map(({ statusCode }) => statusCode)).toEqual([201, 200, 200, 204]);
    // A document of another key cannot be slipped in, nor one of another key be read by its id.
    await expect(
      mine.items.batch([{ operationType: BulkOperationType.Create, resourceBody: { id: 'y', customer: 'bob' } }], 'ada'),
    ).rejects.toThrow(/different partition key/u);
    const other = await mine.items.batch([{ operationType: BulkOperationType.Read, id: 'b1' }], 'ada');
    expect(other.result?.map(({ statusCode }) => statusCode)).toEqual([404]);
  });

  test('is refused everything of another key, and everything that could reach one', async () => {
    const { mine, container } = await open();
    const { database } = mine;
    const attempts: (() => Promise<unknown>)[] = [
      () => mine.item('b1', 'bob').read(),
      () => mine.items.create({ id: 'new', customer: 'bob' }),
      () => mine.items.upsert({ id: 'b1', customer: 'bob' }),
      () => mine.item('b1', 'bob').replace({ id: 'b1', customer: 'bob' }),
      () => mine.item('b1', 'bob').patch([{ op: 'set', path: '/n', value: 0 }]),
      () => mine.item('b1', 'bob').delete(),
      () => mine.items.query('SELECT * FROM c', { partitionKey: 'bob' }).fetchAll(),
      () => mine.items.query('SELECT * FROM c').fetchAll(),
      () => mine.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll(),
      () => mine.items.query("SELECT * FROM c WHERE c.customer = 'ada'").fetchAll(),
      () => mine.items.readAll().fetchAll(),
      () => mine.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning('bob') }).readNext(),
      () => mine.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning() }).readNext(),
      () => mine.items.query('SELECT * FROM c ORDER BY c.n').fetchAll(),
      () => mine.deleteAllItemsForPartitionKey('ada'),
      () => mine.deleteAllItemsForPartitionKey('bob'),
      () => mine.replace({ id: 'orders', partitionKey: { paths: ['/customer'] } }),
      () => mine.delete(),
      () => mine.scripts.storedProcedures.readAll().fetchAll(),
      () => mine.scripts.storedProcedures.create({ id: 'p', body: 'function () {}' }),
      () => mine.scripts.storedProcedure('p').execute('ada'),
      () => mine.scripts.triggers.readAll().fetchAll(),
      () => mine.scripts.userDefinedFunctions.readAll().fetchAll(),
      () => mine.conflicts.readAll().fetchAll(),
      () => mine.readOffer(),
      () => database.read(),
      () => database.delete(),
      () => database.containers.readAll().fetchAll(),
      () => database.users.readAll().fetchAll(),
      () => database.user('someone').permissions.readAll().fetchAll(),
      () => database.client.databases.readAll().fetchAll(),
      () => database.client.offers.readAll().fetchAll(),
    ];
    for (const attempt of attempts) {
      await expect(attempt(), String(attempt)).rejects.toMatchObject(forbidden);
    }
    // Batch and bulk of the SDK lose the status.
    const operation = { operationType: BulkOperationType.Read, id: 'a1', partitionKey: 'ada' } as const;
    await expect(mine.items.bulk([operation])).rejects.toThrow(/could reach other keys/u);
    const [bulk] = await mine.items.executeBulkOperations([operation]);
    expect(bulk?.error).toMatchObject(forbidden);
    await expect(mine.items.batch([{ operationType: BulkOperationType.Read, id: 'b1' }], 'bob')).rejects.toThrow(/another partition key/u);
    const [range] = await mine.getFeedRanges();
    await expect(
      mine.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(range as never) }).readNext(),
    ).rejects.toMatchObject(forbidden);
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([12]);
  });

  test('reads, and does no more, where the permission is for reading', async () => {
    const { token, with: withOptions } = await openShop(backend);
    const reading = await token({ permissionMode: 'read' as never, resourcePartitionKey: ['ada'] });
    const mine = withOptions({ tokenProvider: () => Promise.resolve(reading) });
    expect((await mine.item('a1', 'ada').read()).resource).toMatchObject({ n: 1 });
    expect((await mine.items.query('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'ada' }).fetchAll()).resources).toEqual([6]);
    const { result } = await mine.items.changeFeed<{ id: string }>('ada', { startFromBeginning: true }).fetchNext();
    expect(result).toHaveLength(6);
    await expect(mine.items.create({ id: 'x', customer: 'ada' })).rejects.toMatchObject(forbidden);
    await expect(mine.item('a1', 'ada').patch([{ op: 'incr', path: '/n', value: 1 }])).rejects.toMatchObject(forbidden);
    await expect(mine.item('a1', 'ada').delete()).rejects.toMatchObject(forbidden);
    await expect(mine.items.batch([{ operationType: BulkOperationType.Read, id: 'a1' }], 'ada')).rejects.toThrow(/mode Read/u);
  });
});
