import { ChangeFeedStartFrom, PartitionKeyKind, type ChangeFeedPullModelIterator, type Container } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { serve, type Served } from './served.ts';

async function todos(): Promise<Served & { readonly container: Container }> {
  const served = await serve();
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'todos', partitionKey: '/owner' });
  return { ...served, container };
}

/** Reads on until there is nothing new. */
async function drain(iterator: ChangeFeedPullModelIterator<{ id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await iterator.readNext();
    if (page.statusCode === 304) {
      return ids;
    }
    ids.push(...page.result.map(({ id }) => id));
  }
}

const fill = async (container: Container, owner: string, count: number): Promise<void> => {
  for (let index = 0; index < count; index += 1) {
    await container.items.create({ id: `${owner}${index}`, owner });
  }
};

describe('change feed', () => {
  test('of a container: from the beginning, in commit order, each document in its latest version, then on from there', async () => {
    const { container } = await todos();
    await fill(container, 'a', 3);
    await container.items.upsert({ id: 'a0', owner: 'a', n: 2 });
    await container.item('a1', 'a').delete();
    const iterator = container.items.getChangeFeedIterator<{ id: string }>({
      changeFeedStartFrom: ChangeFeedStartFrom.Beginning(),
      maxItemCount: 1,
    });
    expect(await drain(iterator)).toEqual(['a2', 'a0']);
    await container.items.create({ id: 'later', owner: 'b' });
    expect(await drain(iterator)).toEqual(['later']);
  });

  test('of a partition key, of a prefix, of a feed range', async () => {
    const { client, container } = await todos();
    await fill(container, 'a', 2);
    await fill(container, 'b', 2);
    const ofKey = container.items.getChangeFeedIterator<{ id: string }>({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning('b') });
    expect(await drain(ofKey)).toEqual(['b0', 'b1']);

    const [range] = await container.getFeedRanges();
    const ofRange = container.items.getChangeFeedIterator<{ id: string }>({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(range) });
    expect(await drain(ofRange)).toEqual(['a0', 'a1', 'b0', 'b1']);

    const deep = (
      await client()
        .database('app')
        .containers.create({ id: 'deep', partitionKey: { paths: ['/t', '/u'], kind: PartitionKeyKind.MultiHash, version: 2 } })
    ).container;
    await deep.items.create({ id: '1', t: 'x', u: 'a' });
    await deep.items.create({ id: '2', t: 'y', u: 'a' });
    await deep.items.create({ id: '3', t: 'x', u: 'b' });
    const ofPrefix = deep.items.getChangeFeedIterator<{ id: string }>({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(['x']) });
    expect(await drain(ofPrefix)).toEqual(['1', '3']);
  });

  test('from now, from a time, and from a continuation in another client', async () => {
    const { client, container } = await todos();
    await fill(container, 'a', 2);
    const now = container.items.getChangeFeedIterator<{ id: string }>({ changeFeedStartFrom: ChangeFeedStartFrom.Now() });
    expect(await drain(now)).toEqual([]);
    await container.items.create({ id: 'new', owner: 'a' });
    expect(await drain(now)).toEqual(['new']);

    const past = container.items.getChangeFeedIterator<{ id: string }>({
      changeFeedStartFrom: ChangeFeedStartFrom.Time(new Date(Date.now() - 60_000)),
    });
    expect(await drain(past)).toEqual(['a0', 'a1', 'new']);

    const first = container.items.getChangeFeedIterator<{ id: string }>({
      changeFeedStartFrom: ChangeFeedStartFrom.Beginning('a'),
      maxItemCount: 2,
    });
    const { continuationToken } = await first.readNext();
    const other = client().database('app').container('todos');
    const resumed = other.items.getChangeFeedIterator<{ id: string }>({
      changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuationToken),
    });
    expect(await drain(resumed)).toEqual(['new']);
  });

  test('the older iterator works too, and its continuation is the etag', async () => {
    const { container } = await todos();
    await fill(container, 'a', 3);
    const iterator = container.items.changeFeed<{ id: string }>('a', { startFromBeginning: true, maxItemCount: 2 });
    const first = await iterator.fetchNext();
    expect(first.result.map(({ id }) => id)).toEqual(['a0', 'a1']);
    const resumed = container.items.changeFeed<{ id: string }>('a', { continuation: first.etag });
    expect((await resumed.fetchNext()).result.map(({ id }) => id)).toEqual(['a2']);
  });

  test('on the wire: etag, 304 without a body, session and charge', async () => {
    const { send, container } = await todos();
    const path = '/dbs/app/colls/todos/docs';
    const headers = { 'a-im': 'Incremental feed' };
    const empty = await send('GET', path, { headers });
    expect([empty.status, await empty.text()]).toEqual([304, '']);
    await fill(container, 'a', 1);
    const one = await send('GET', path, { headers: { ...headers, 'if-none-match': empty.headers.get('etag') as string } });
    expect(one.status).toBe(200);
    expect(await one.json()).toMatchObject({ _count: 1, Documents: [{ id: 'a0', _lsn: 1 }] });
    expect(one.headers.get('x-ms-session-token')).toBe('0:-1#1');
    expect(Number(one.headers.get('x-ms-request-charge'))).toBeGreaterThan(0);
    const etag = one.headers.get('etag') as string;
    expect((await send('GET', path, { headers: { ...headers, 'if-none-match': etag } })).status).toBe(304);
    const ranged = { ...headers, 'x-ms-documentdb-partitionkeyrangeid': '0' };
    expect((await send('GET', path, { headers: { ...ranged, 'if-none-match': etag } })).status).toBe(304);

    for (const bad of [{ 'if-none-match': '"nonsense"' }, { 'if-modified-since': 'then' }, { 'x-ms-max-item-count': '0' }]) {
      expect((await send('GET', path, { headers: { ...headers, ...bad } })).status).toBe(400);
    }
    expect((await send('GET', path, { headers: { ...headers, 'x-ms-documentdb-partitionkeyrangeid': '9' } })).status).toBe(410);
  });

  test('a page ends at about 4 MB, and the next one goes on', async () => {
    const { container } = await todos();
    for (let index = 0; index < 9; index += 1) {
      await container.items.create({ id: String(index), owner: 'a', text: 'x'.repeat(1_000_000) });
    }
    const iterator = container.items.getChangeFeedIterator<{ id: string }>({
      changeFeedStartFrom: ChangeFeedStartFrom.Beginning(),
      maxItemCount: 1000,
    });
    expect(await drain(iterator)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
  });

  test('600 changes come as asked for, whatever the size of a page', async () => {
    const { container } = await todos();
    const operations = Array.from({ length: 600 }, (_, index) => ({
      operationType: 'Create' as const,
      partitionKey: 'a',
      resourceBody: { id: String(index), owner: 'a' },
    }));
    await container.items.executeBulkOperations(operations);
    for (const maxItemCount of [1, 31, 33, 250, 1000]) {
      const iterator = container.items.getChangeFeedIterator<{ id: string }>({
        changeFeedStartFrom: ChangeFeedStartFrom.Beginning(),
        maxItemCount,
      });
      const { result } = await iterator.readNext();
      expect(result).toHaveLength(Math.min(maxItemCount, 600));
      expect(new Set([...result.map(({ id }) => id), ...(await drain(iterator))]).size).toBe(600);
    }
  });

  test('all versions are refused where the backend does not keep them', async () => {
    const { send } = await todos();
    const response = await send('GET', '/dbs/app/colls/todos/docs', { headers: { 'a-im': 'Full-Fidelity Feed' } });
    expect(response.status).toBe(400);
  });
});

describe('partition key ranges', () => {
  test('one covers everything', async () => {
    const { container, send } = await todos();
    const { resources } = await container.readPartitionKeyRanges().fetchAll();
    expect(resources).toMatchObject([{ id: '0', minInclusive: '', maxExclusive: 'FF' }]);
    const path = '/dbs/app/colls/todos/pkranges';
    const etag = (await send('GET', path)).headers.get('etag') as string;
    expect((await send('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });
});
