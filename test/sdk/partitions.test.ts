import { PartitionKeyDefinitionVersion, PartitionKeyKind, type Container } from '@azure/cosmos';
import { expect } from 'vitest';
import { effectivePartitionKey } from '../../src/store/effective-partition-key.ts';
import type { Account, RawAnswer } from './support/account.ts';
import { sdkSuite } from './support/sdk-suite.ts';

interface Range {
  readonly id: string;
  readonly minInclusive: string;
  readonly maxExclusive: string;
  readonly parents?: readonly string[];
}

async function rangesOf(container: Container): Promise<readonly Range[]> {
  return (await container.readPartitionKeyRanges().fetchAll()).resources as unknown as Range[];
}

const RANGE = 'x-ms-documentdb-partitionkeyrangeid';

const ofContainer = (container: Container) => ({ database: container.database.id, container: container.id });

const sendQuery = (account: Account, container: Container, range: string, query: string, headers = {}): Promise<RawAnswer> =>
  account.send('POST', `/${container.url}/docs`, {
    headers: { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'true', [RANGE]: range, ...headers },
    body: { query, parameters: [] },
  });

const sendFeed = (account: Account, container: Container, range: string, etag?: string): Promise<RawAnswer> =>
  account.send('GET', `/${container.url}/docs`, {
    headers: { 'a-im': 'Incremental feed', [RANGE]: range, ...(etag === undefined ? {} : { 'if-none-match': etag }) },
  });

const idsOf = ({ body }: RawAnswer): string[] =>
  ((body as { Documents?: { id: string }[] } | undefined)?.Documents ?? []).map(({ id }) => id);

async function fill(container: Container, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await container.items.create({ id: String(index), pk: `p${index}`, n: index });
  }
}

sdkSuite((feature) => {
  feature('partitions.ranges', 'ranges follow the throughput and cover everything', async ({ account, own }) => {
    expect(await rangesOf(await account.container())).toMatchObject([{ id: '0', minInclusive: '', maxExclusive: 'FF' }]);
    const large = await account.container({ throughput: 25_000 });
    const ranges = await rangesOf(large);
    expect(ranges.length).toBeGreaterThan(1);
    expect([ranges[0]?.minInclusive, ranges.at(-1)?.maxExclusive]).toEqual(['', 'FF']);
    expect(ranges.slice(1).map(({ minInclusive }) => minInclusive)).toEqual(ranges.slice(0, -1).map(({ maxExclusive }) => maxExclusive));
    expect(await large.getFeedRanges()).toHaveLength(ranges.length);
    const byOption = await own({ partitions: 5 });
    const five = await byOption.container();
    expect(await rangesOf(five)).toHaveLength(5);
    const path = `/${five.url}/pkranges`;
    const etag = (await byOption.send('GET', path)).headers.get('etag') as string;
    expect((await byOption.send('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  feature('partitions.hashing', 'documents lie in the range to which their hash belongs', async ({ own }) => {
    const account = await own({ partitions: 4 });
    const definitions = [
      { paths: ['/pk'], version: PartitionKeyDefinitionVersion.V1, kind: PartitionKeyKind.Hash },
      { paths: ['/pk'], version: PartitionKeyDefinitionVersion.V2, kind: PartitionKeyKind.Hash },
      { paths: ['/pk', '/sub'], version: PartitionKeyDefinitionVersion.V2, kind: PartitionKeyKind.MultiHash },
    ];
    const keys = ['a', 'Zoë 鱀', 'x'.repeat(200), 1, -0.5, 1e300, true, false, null];
    for (const partitionKey of definitions) {
      const container = await account.container({ partitionKey });
      const ranges = await rangesOf(container);
      for (const pk of keys) {
        const key = partitionKey.paths.length === 1 ? [pk] : [pk, 'sub'];
        const { headers } = await container.items.create({ id: '1', pk, sub: 'sub' });
        const epk = effectivePartitionKey(key, partitionKey as never);
        const home = ranges.find(({ minInclusive, maxExclusive }) => minInclusive <= epk && epk < maxExclusive) as Range;
        expect([key, headers[RANGE]]).toEqual([key, home.id]);
        const found = await sendQuery(account, container, home.id, 'SELECT VALUE c.pk FROM c');
        expect((found.body as { Documents: unknown[] }).Documents).toContainEqual(pk);
      }
      const counts = await Promise.all(ranges.map(({ id }) => sendQuery(account, container, id, 'SELECT VALUE COUNT(1) FROM c')));
      const total = counts.reduce((sum, { body }) => sum + ((body as { Documents: number[] }).Documents[0] as number), 0);
      expect(total).toBe(keys.length);
    }
  });

  feature(
    ['partitions.split', 'errors.sub-statuses'],
    'a range that was split or merged answers 410, and its children name it',
    async ({ own }) => {
      const account = await own();
      const container = await account.container();
      await fill(container, 12);
      await account.server.partitions.split({ ...ofContainer(container), completingMs: 60_000 });
      const children = await rangesOf(container);
      expect(children.map(({ parents }) => parents)).toEqual([['0'], ['0']]);
      const gone = await sendQuery(account, container, '0', 'SELECT * FROM c');
      expect([gone.status, gone.headers.get('x-ms-substatus'), gone.body]).toMatchObject([410, '1007', { code: 'Gone' }]);
      await account.server.partitions.merge({ ...ofContainer(container), completingMs: 60_000 });
      const merging = await sendFeed(account, container, children[0]?.id as string);
      expect([merging.status, merging.headers.get('x-ms-substatus')]).toEqual([410, '1008']);
      await account.server.partitions.split(ofContainer(container));
      const now = await rangesOf(container);
      expect(now[0]?.parents?.length).toBeGreaterThan(1);
      const never = await sendQuery(account, container, '99', 'SELECT * FROM c');
      expect([never.status, never.headers.get('x-ms-substatus')]).toEqual([410, '1002']);
      // A client that knows the old ranges alone finds its way: the SDK refreshes them.
      const results = await container.items.executeBulkOperations([
        { operationType: 'Create', partitionKey: 'new', resourceBody: { id: 'new', pk: 'new' } },
      ]);
      expect(results[0]?.response?.statusCode).toBe(201);
      expect((await container.items.query<number>('SELECT VALUE c.n FROM c WHERE c.n >= 0 ORDER BY c.n').fetchAll()).resources).toEqual(
        Array.from({ length: 12 }, (_, n) => n),
      );
    },
  );

  feature('partitions.split-continuations', 'children go on where their parent was, in queries and in the feed', async ({ own }) => {
    const account = await own();
    const container = await account.container();
    await fill(container, 12);
    const firstPage = await sendQuery(account, container, '0', 'SELECT VALUE c.id FROM c', { 'x-ms-max-item-count': '5' });
    const token = firstPage.headers.get('x-ms-continuation') as string;
    const firstChanges = await account.send('GET', `/${container.url}/docs`, {
      headers: { 'a-im': 'Incremental feed', [RANGE]: '0', 'x-ms-max-item-count': '5' },
    });
    const etag = firstChanges.headers.get('etag') as string;
    await account.server.partitions.split(ofContainer(container));
    const children = await rangesOf(container);
    const queried = (firstPage.body as { Documents: string[] }).Documents.slice();
    const fed = idsOf(firstChanges);
    for (const { id } of children) {
      const page = await sendQuery(account, container, id, 'SELECT VALUE c.id FROM c', { 'x-ms-continuation': token });
      expect(page.status).toBe(200);
      queried.push(...(page.body as { Documents: string[] }).Documents);
      fed.push(...idsOf(await sendFeed(account, container, id, etag)));
    }
    const all = Array.from({ length: 12 }, (_, n) => String(n));
    expect(queried.toSorted((a, b) => Number(a) - Number(b))).toEqual(all);
    expect(fed.toSorted((a, b) => Number(a) - Number(b))).toEqual(all);
  });
});
