import { ChangeFeedMode, ChangeFeedStartFrom, PartitionKeyKind, type ChangeFeedIteratorOptions, type Container } from '@azure/cosmos';
import { expect } from 'vitest';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { sdkSuite } from './support/sdk-suite.ts';

interface Item {
  readonly id: string;
  readonly pk?: string;
  readonly n?: number;
  readonly _lsn?: number;
}

interface Version {
  readonly current?: Item;
  readonly previous?: Item;
  readonly metadata: {
    readonly operationType: string;
    readonly lsn?: number;
    readonly crts?: number;
    readonly timeToLiveExpired?: boolean;
  };
}

/** Reads on until there is nothing new; gives what came, and the token to go on from. */
async function drain<T = Item>(container: Container, options: ChangeFeedIteratorOptions): Promise<{ items: T[]; token: string }> {
  const iterator = container.items.getChangeFeedIterator<T>(options);
  const items: T[] = [];
  for (;;) {
    const page = await iterator.readNext();
    if (page.statusCode === 304) {
      return { items, token: page.continuationToken };
    }
    items.push(...page.result);
  }
}

const ids = ({ items }: { items: Item[] }): string[] => items.map(({ id }) => id);
const beginning = (scope?: never): ChangeFeedIteratorOptions => ({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(scope) });
const ALL_VERSIONS = { changeFeedMode: ChangeFeedMode.AllVersionsAndDeletes };

async function fill(container: Container, pk: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await container.items.create({ id: `${pk}${index}`, pk });
  }
}

sdkSuite((feature) => {
  feature('change-feed.latest', 'each document comes in its latest version, where it was committed last', async ({ account }) => {
    const container = await account.container();
    await fill(container, 'a', 4);
    await container.items.upsert({ id: 'a0', pk: 'a', n: 2 });
    await container.item('a2', 'a').patch([{ op: 'set', path: '/n', value: 3 }]);
    await container.item('a1', 'a').delete();
    const { items, token } = await drain(container, beginning());
    expect(items.map(({ id, n }) => [id, n])).toEqual([
      ['a3', undefined],
      ['a0', 2],
      ['a2', 3],
    ]);
    const positions = items.map(({ _lsn }) => _lsn as number);
    expect(positions).toEqual(positions.toSorted((left, right) => left - right));
    expect(new Set(positions).size).toBe(3);
    await container.items.create({ id: 'later', pk: 'b' });
    expect(ids(await drain(container, { changeFeedStartFrom: ChangeFeedStartFrom.Continuation(token) }))).toEqual(['later']);
    const old = container.items.changeFeed<Item>('a', { startFromBeginning: true, maxItemCount: 2 });
    const first = await old.fetchNext();
    expect(first.result.map(({ id }) => id)).toEqual(['a3', 'a0']);
    const resumed = await container.items.changeFeed<Item>('a', { continuation: first.etag }).fetchNext();
    expect(resumed.result.map(({ id }) => id)).toEqual(['a2']);
  });

  feature('change-feed.starts', 'a feed starts where it is told to', async ({ own }) => {
    const runtime = new SimulatedRuntime({ startMs: Date.now() - 3_600_000 });
    const account = await own({}, runtime);
    const container = await account.container();
    await fill(container, 'a', 2);
    await runtime.advance(1_800_000);
    const between = new Date(runtime.nowMs());
    await runtime.advance(1_000_000);
    const now = container.items.getChangeFeedIterator<Item>({ changeFeedStartFrom: ChangeFeedStartFrom.Now() });
    expect((await now.readNext()).statusCode).toBe(304);
    await fill(container, 'b', 2);
    expect((await now.readNext()).result.map(({ id }) => id)).toEqual(['b0', 'b1']);
    expect(ids(await drain(container, { changeFeedStartFrom: ChangeFeedStartFrom.Time(between) }))).toEqual(['b0', 'b1']);
    const first = container.items.getChangeFeedIterator<Item>({ ...beginning(), maxItemCount: 1 });
    const { continuationToken } = await first.readNext();
    const other = account.as(account.connect(), container);
    expect(ids(await drain(other, { changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuationToken) }))).toEqual([
      'a1',
      'b0',
      'b1',
    ]);
    const strange = await account.send('GET', `/${container.url}/docs`, {
      headers: { 'a-im': 'Incremental feed', 'if-none-match': '"nonsense"' },
    });
    expect(strange.status).toBe(400);
  });

  feature('change-feed.scopes', 'a feed is of a container, a key, a prefix of it, or a range', async ({ own }) => {
    const account = await own({ partitions: 3 });
    const container = await account.container();
    for (const pk of ['a', 'b', 'c', 'd']) {
      await fill(container, pk, 2);
    }
    expect(ids(await drain(container, beginning())).toSorted()).toEqual(['a0', 'a1', 'b0', 'b1', 'c0', 'c1', 'd0', 'd1']);
    expect(ids(await drain(container, beginning('c' as never)))).toEqual(['c0', 'c1']);
    const ranges = await container.getFeedRanges();
    expect(ranges).toHaveLength(3);
    const parts = await Promise.all(ranges.map((range) => drain(container, beginning(range as never))));
    expect(parts.flatMap(ids).toSorted()).toEqual(['a0', 'a1', 'b0', 'b1', 'c0', 'c1', 'd0', 'd1']);
    const levels = await account.container({ partitionKey: { paths: ['/pk', '/sub'], kind: PartitionKeyKind.MultiHash, version: 2 } });
    for (const [pk, sub] of ['xa', 'xb', 'ya']) {
      await levels.items.create({ id: `${pk}${sub}`, pk, sub });
    }
    expect(ids(await drain(levels, beginning(['x'] as never))).toSorted()).toEqual(['xa', 'xb']);
    expect(ids(await drain(levels, beginning(['x', 'b'] as never)))).toEqual(['xb']);
  });

  feature('change-feed.pages', 'pages are as large as asked for, and 304 says that there is nothing new', async ({ account }) => {
    const container = await account.container();
    await fill(container, 'a', 5);
    const iterator = container.items.getChangeFeedIterator<Item>({ ...beginning('a' as never), maxItemCount: 2 });
    const sizes: number[] = [];
    for await (const page of iterator.getAsyncIterator()) {
      sizes.push(page.count);
      if (page.statusCode === 304) {
        break;
      }
      expect(page.requestCharge).toBeGreaterThan(0);
      expect(page.sessionToken).toMatch(/^0:-1#5$/u);
    }
    expect(sizes).toEqual([2, 2, 1, 0]);
    const headers = { 'a-im': 'Incremental feed' };
    const all = await account.send('GET', `/${container.url}/docs`, { headers });
    expect([all.status, all.headers.get('x-ms-item-count')]).toEqual([200, '5']);
    const nothing = await account.send('GET', `/${container.url}/docs`, {
      headers: { ...headers, 'if-none-match': all.headers.get('etag') as string },
    });
    expect([nothing.status, nothing.body]).toEqual([304, undefined]);
    expect(nothing.headers.get('etag')).toBeTruthy();
  });

  feature('change-feed.all-versions', 'every version and every delete comes, in order', async ({ account }) => {
    const container = await account.container({ changeFeedPolicy: { retentionDuration: 10 } } as never);
    const start = container.items.getChangeFeedIterator<Version>({ ...ALL_VERSIONS, changeFeedStartFrom: ChangeFeedStartFrom.Now() });
    expect((await start.readNext()).statusCode).toBe(304);
    await container.items.create({ id: '1', pk: 'a', n: 1 });
    await container.items.upsert({ id: '1', pk: 'a', n: 2 });
    await container.item('1', 'a').patch([{ op: 'incr', path: '/n', value: 1 }]);
    await container.item('1', 'a').delete();
    const { result, continuationToken } = await start.readNext();
    expect(result.map(({ metadata }) => metadata.operationType)).toEqual(['create', 'replace', 'replace', 'delete']);
    expect(result.map(({ current }) => current?.n)).toEqual([1, 2, 3, undefined]);
    const positions = result.map(({ metadata }) => metadata.lsn as number);
    expect(positions).toEqual(positions.toSorted((left, right) => left - right));
    const removed = result[3] as Version;
    expect(removed.previous ?? removed.metadata).toMatchObject({ id: '1' });
    await container.items.create({ id: '2', pk: 'b' });
    const { items } = await drain<Version>(container, {
      ...ALL_VERSIONS,
      changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuationToken),
    });
    expect(items.map(({ current }) => current?.id)).toEqual(['2']);
  });

  feature('change-feed.retention', 'all versions are there where a policy keeps them, and not from the beginning', async ({ account }) => {
    const plain = await account.container();
    const read = (container: Container, headers: Record<string, string>) =>
      account.send('GET', `/${container.url}/docs`, {
        headers: { 'a-im': 'Full-Fidelity Feed', 'x-ms-cosmos-changefeed-wire-format-version': '2021-09-15', ...headers },
      });
    expect((await read(plain, { 'if-none-match': '*' })).status).toBe(400);
    const kept = await account.container({ changeFeedPolicy: { retentionDuration: 10 } } as never);
    expect(await read(kept, {})).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('You must read the change feed from within the retention period') as string },
    });
    expect((await read(kept, { 'if-none-match': '*' })).status).toBe(304);
  });

  feature(['change-feed.expiry', 'ttl.everywhere'], 'an expired document is a delete that says why', async ({ own }) => {
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const account = await own({}, runtime);
    const container = await account.container({ defaultTtl: 10, changeFeedPolicy: { retentionDuration: 60 } } as never);
    const feed = container.items.getChangeFeedIterator<Version>({ ...ALL_VERSIONS, changeFeedStartFrom: ChangeFeedStartFrom.Now() });
    await feed.readNext();
    await container.items.create({ id: '1', pk: 'a' });
    await runtime.advance(12_000);
    expect((await container.item('1', 'a').read()).statusCode).toBe(404);
    const { result } = await feed.readNext();
    expect(result.map(({ metadata }) => metadata.operationType)).toEqual(['create', 'delete']);
    expect(result[1]?.metadata.timeToLiveExpired).toBe(true);
  });
});
