import { ChangeFeedStartFrom, type Container, type FeedRange } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { serve, type Served } from '../served.ts';

interface Item {
  readonly id: string;
  readonly key: number;
  readonly n: number;
}

const NAMES = { database: 'app', container: 'items' };
const BACKENDS = { memory: async () => openMemoryBackend(), sqlite: () => openSqliteBackend({ path: ':memory:' }) };

async function items(
  throughput: number,
  count: number,
  backend: keyof typeof BACKENDS = 'memory',
): Promise<Served & { container: Container }> {
  const served = await serve({ backend: await BACKENDS[backend]() });
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'items', partitionKey: { paths: ['/key'], version: 2 }, throughput });
  for (let n = 0; n < count; n += 1) {
    await container.items.create<Item>({ id: `i${n}`, key: n % 17, n: (n * 7) % count });
  }
  return { ...served, container };
}

async function rangesOf(container: Container): Promise<{ id?: string; parents?: string[] }[]> {
  return (await container.readPartitionKeyRanges().fetchAll()).resources as { id?: string; parents?: string[] }[];
}

describe('the ranges of a container', () => {
  test('follow its throughput: one up to 10,000 request units a second, as many as the service makes beyond, and more when it grows', async () => {
    const { container } = await items(10_000, 0);
    expect((await rangesOf(container)).map(({ id }) => id)).toEqual(['0']);
    const { resource: offer } = await container.readOffer();
    const body = { ...offer, content: { ...offer?.content, offerThroughput: 25_000 } };
    await container.database.client.offer(offer?.id as string).replace(body as never);
    const grown = await rangesOf(container);
    expect(grown).toHaveLength(3);
    expect(grown.every(({ parents }) => parents?.includes('0'))).toBe(true);
    const second = await container.database.containers.create({ id: 'more', partitionKey: '/key', throughput: 25_000 });
    expect(await rangesOf(second.container)).toHaveLength(5);
  });

  test('may be more by option, and are addressed by id and by resource id of the real shape', async () => {
    const { client, send } = await serve({ partitions: 3 });
    const { database } = await client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/key' });
    expect((await rangesOf(container)).map(({ id }) => id)).toEqual(['0', '1', '2']);
    const body = (await (await send('GET', '/dbs/app/colls/items/pkranges')).json()) as { PartitionKeyRanges: { _rid: string }[] };
    for (const { _rid: rid } of body.PartitionKeyRanges) {
      const bytes = Buffer.from(rid.replaceAll('-', '/'), 'base64');
      expect([bytes.length, (bytes[15] as number) >> 4]).toEqual([16, 5]);
    }
  });

  test('that a request names and that are gone answer 410, with a sub-status that tells a change that completes from one that has', async () => {
    const { send, server } = await items(400, 3);
    await server.partitions.split({ ...NAMES, completingMs: 60_000 });
    const headers = { 'x-ms-documentdb-partitionkeyrangeid': '0', 'content-type': 'application/query+json' };
    const query = (): Promise<Response> =>
      send('POST', '/dbs/app/colls/items/docs', { headers, body: JSON.stringify({ query: 'SELECT * FROM c' }) });
    const completing = await query();
    expect([completing.status, completing.headers.get('x-ms-substatus')]).toEqual([410, '1007']);
    await server.partitions.merge(NAMES);
    const gone = await send('POST', '/dbs/app/colls/items/docs', {
      headers: { ...headers, 'x-ms-documentdb-partitionkeyrangeid': '1' },
      body: JSON.stringify({ query: 'SELECT * FROM c' }),
    });
    expect([gone.status, gone.headers.get('x-ms-substatus')]).toEqual([410, '1002']);
    await expect(server.partitions.split({ ...NAMES, rangeId: '7' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(server.partitions.merge(NAMES)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe.each(Object.keys(BACKENDS) as (keyof typeof BACKENDS)[])('on %s, while ranges split and merge', (backend) => {
  test('a query that the server answers goes on', async () => {
    const { container, server } = await items(12_000, 60, backend);
    const iterator = container.items.query<Item>('SELECT * FROM c', { maxItemCount: 5 });
    const found: string[] = [];
    for (let page = 0; iterator.hasMoreResults(); page += 1) {
      found.push(...((await iterator.fetchNext()).resources ?? []).map(({ id }) => id));
      if (page === 1) {
        await server.partitions.split({ ...NAMES, rangeId: '0' });
      }
    }
    expect(found.sort()).toEqual(Array.from({ length: 60 }, (_, n) => `i${n}`).sort());
  });

  test('a query that the client plans runs over the new ranges', async () => {
    const { container, server } = await items(12_000, 60, backend);
    await server.partitions.split({ ...NAMES, rangeId: '1', at: '2FFF' });
    await server.partitions.split({ ...NAMES, rangeId: '0' });
    const query = container.items.query<number>('SELECT VALUE c.n FROM c ORDER BY c.n DESC', { maxItemCount: 5, forceQueryPlan: true });
    expect((await query.fetchAll()).resources).toEqual(Array.from({ length: 60 }, (_, n) => 59 - n));
  });

  test('the change feed of a container and of a feed range loses and repeats nothing', async () => {
    const { container, server } = await items(12_000, 60, backend);
    const [first] = (await container.getFeedRanges()) as [FeedRange];
    const whole = container.items.getChangeFeedIterator({ maxItemCount: 4, changeFeedStartFrom: ChangeFeedStartFrom.Beginning() });
    const part = container.items.getChangeFeedIterator({ maxItemCount: 4, changeFeedStartFrom: ChangeFeedStartFrom.Beginning(first) });
    const seen: { whole: string[]; part: string[] } = { whole: [], part: [] };
    for (let step = 0; step < 80; step += 1) {
      seen.whole.push(...((await whole.readNext()).result as { id: string }[]).map(({ id }) => id));
      seen.part.push(...((await part.readNext()).result as { id: string }[]).map(({ id }) => id));
      if (step === 2) {
        await server.partitions.split({ ...NAMES, rangeId: '0', completingMs: 20 });
      }
      if (step === 8) {
        await server.partitions.merge({ ...NAMES, rangeId: '3' });
      }
    }
    const all = Array.from({ length: 60 }, (_, n) => `i${n}`).sort();
    expect(seen.whole.toSorted()).toEqual(all);
    const expected = await container.items.query<string>('SELECT VALUE c.id FROM c', { maxItemCount: -1 }).fetchAll();
    expect(new Set(seen.part).size).toBe(seen.part.length);
    expect(expected.resources.toSorted()).toEqual(all);
    expect(seen.part.length).toBeGreaterThan(0);
    expect(seen.part.length).toBeLessThan(60);
  });

  test('a bulk that was addressed to the old ranges is sent again to the new', async () => {
    const { container, server } = await items(400, 0, backend);
    await container.items.bulk([{ operationType: 'Create', resourceBody: { id: 'warm', key: 1 } }]);
    await server.partitions.split(NAMES);
    const operations = Array.from({ length: 50 }, (_, n) => {
      return { operationType: 'Create' as const, partitionKey: n, resourceBody: { id: `b${n}`, key: n } };
    });
    const results = await container.items.executeBulkOperations(operations as never);
    expect(results.map((result) => result.response?.statusCode ?? result.error)).toEqual(Array.from({ length: 50 }, () => 201));
    const count = await container.items.query<number>('SELECT VALUE COUNT(1) FROM c').fetchAll();
    expect(count.resources).toEqual([51]);
  });

  test.each([
    'SELECT VALUE c.id FROM c',
    'SELECT VALUE c.id FROM c ORDER BY c.n',
    'SELECT VALUE c.id FROM c WHERE c.n > 3 ORDER BY c.n DESC',
  ])('a token of another range is refused, and one of a wider range goes on: %s', async (query) => {
    const { send, server } = await items(12_000, 40, backend);
    const page = async (rangeId: string, continuation?: string): Promise<{ status: number; ids: string[]; next: string | null }> => {
      const response = await send('POST', '/dbs/app/colls/items/docs', {
        headers: {
          'content-type': 'application/query+json',
          'x-ms-documentdb-partitionkeyrangeid': rangeId,
          'x-ms-max-item-count': '3',
          ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
        },
        body: JSON.stringify({ query }),
      });
      const body = (await response.json()) as { Documents?: string[] };
      return { status: response.status, ids: body.Documents ?? [], next: response.headers.get('x-ms-continuation') };
    };
    const rest = async (rangeId: string, continuation?: string): Promise<string[]> => {
      const { ids, next } = await page(rangeId, continuation);
      return next === null ? ids : [...ids, ...(await rest(rangeId, next))];
    };
    const before = await page('0');
    expect((await page('1', before.next as string)).status).toBe(400);
    const expected = (await rest('0')).slice(before.ids.length).sort();
    await server.partitions.split({ ...NAMES, rangeId: '0' });
    const after = [...(await rest('2', before.next as string)), ...(await rest('3', before.next as string))];
    expect(after.sort()).toEqual(expected);
  });
});

describe('sessions', () => {
  test('name the range that a request touched, and hold beyond a split', async () => {
    const { container, send, server } = await items(12_000, 0);
    const created = await container.items.create({ id: '1', key: 5 });
    const token = created.headers['x-ms-session-token'] as string;
    expect(token).toMatch(/^[01]:-1#1$/u);
    expect(created.headers['x-ms-documentdb-partitionkeyrangeid']).toBe(token[0]);
    expect(Buffer.from(created.headers['x-ms-content-path'] as string, 'base64')).toHaveLength(8);
    const read = (session: string): Promise<Response> =>
      send('GET', '/dbs/app/colls/items/docs/1', {
        headers: { 'x-ms-documentdb-partitionkey': '[5]', 'x-ms-session-token': session },
      });
    await server.partitions.split({ ...NAMES, rangeId: token[0] as string });
    const answer = await read(token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-ms-session-token')).toMatch(/^[23]:-1#1$/u);
    expect((await read(`${token[0]}:-1#50`)).status).toBe(404);
    const all = await send('GET', '/dbs/app/colls/items/docs');
    expect(all.headers.get('x-ms-session-token')).toMatch(/^\d:-1#1,\d:-1#1,\d:-1#1$/u);
  });
});
