import { ChangeFeedStartFrom, type Container, type FeedOptions, type SqlQuerySpec } from '@azure/cosmos';
import { checkEqual, checkResource, refusalOf, withoutSystemProperties } from './answers.ts';
import { KINDS, MAX_N, type LoadItem } from './load-item.ts';
import type { LoadWorkerOptions } from './load-worker-options.ts';
import type { PartitionModel } from './partition-model.ts';

type Check = readonly [name: string, weight: number, run: () => Promise<void>];

async function ask<T>(container: Container, query: string | SqlQuerySpec, options: FeedOptions): Promise<readonly T[]> {
  const { resources, requestCharge } = await container.items.query<T>(query, options).fetchAll();
  if (!(requestCharge > 0)) {
    throw new Error(`The query cost ${requestCharge} request units.`);
  }
  return resources;
}

const byId = (left: { readonly id: string }, right: { readonly id: string }): number => (left.id < right.id ? -1 : 1);

/** Documents in an order that a query asked for: those with equal keys may come in any. */
function checkOrdered(found: readonly unknown[], expected: readonly LoadItem[], direction: 1 | -1): void {
  const items = found.map(withoutSystemProperties) as LoadItem[];
  checkEqual('documents', items.toSorted(byId), expected.toSorted(byId));
  for (const [index, { n }] of items.entries()) {
    if (index > 0 && ((items[index - 1] as LoadItem).n - n) * direction > 0) {
      throw new Error('The documents are not in the order that was asked for.');
    }
  }
}

/** Counts and sums of `n` by kind, in the order of kinds. */
function grouped(items: readonly LoadItem[]): readonly { kind: string; count: number; sum: number }[] {
  return KINDS.toSorted().flatMap((kind) => {
    const those = items.filter((item) => item.kind === kind);
    return those.length === 0 ? [] : [{ kind, count: those.length, sum: those.reduce((sum, { n }) => sum + n, 0) }];
  });
}

/** The queries and feeds of a worker, each compared with its model. */
export function checkQueries(options: LoadWorkerOptions): readonly Check[] {
  const { container, partitions, number, draw } = options;
  const pick = (): PartitionModel => draw.pick(partitions);
  const mine = (): readonly LoadItem[] => partitions.flatMap(({ items }) => items);

  const filterAndOrder = async (): Promise<void> => {
    const { key, items } = pick();
    const low = draw.below(MAX_N);
    const high = low + draw.below(MAX_N / 4);
    const direction = draw.chance(0.5) ? 1 : -1;
    const query = {
      query: `SELECT * FROM c WHERE c.n >= @low AND c.n < @high ORDER BY c.n ${direction === 1 ? 'ASC' : 'DESC'}`,
      parameters: [
        { name: '@low', value: low },
        { name: '@high', value: high },
      ],
    };
    checkOrdered(
      await ask(container, query, { partitionKey: key }),
      items.filter(({ n }) => n >= low && n < high),
      direction,
    );
  };

  const count = async (): Promise<void> => {
    const { key, items } = pick();
    const kind = draw.pick(KINDS);
    const query = { query: 'SELECT VALUE COUNT(1) FROM c WHERE c.kind = @kind', parameters: [{ name: '@kind', value: kind }] };
    checkEqual('count', await ask(container, query, { partitionKey: key }), [items.filter((item) => item.kind === kind).length]);
  };

  const group = async (): Promise<void> => {
    const { key, items } = pick();
    const rows = await ask<{ kind: string }>(container, 'SELECT c.kind, COUNT(1) AS count, SUM(c.n) AS sum FROM c GROUP BY c.kind', {
      partitionKey: key,
    });
    checkEqual(
      'groups',
      rows.toSorted((left, right) => (left.kind < right.kind ? -1 : 1)),
      grouped(items),
    );
  };

  const pages = async (): Promise<void> => {
    const { key, items } = pick();
    const found: { id: string; revision: number }[] = [];
    let continuationToken: string | undefined;
    do {
      const page = await container.items
        .query<{ id: string; revision: number }>('SELECT c.id, c.revision FROM c', {
          partitionKey: key,
          maxItemCount: 60,
          ...(continuationToken === undefined ? {} : { continuationToken }),
        })
        .fetchNext();
      found.push(...page.resources);
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined);
    checkEqual('documents of all pages', found.toSorted(byId), items.map(({ id, revision }) => ({ id, revision })).toSorted(byId));
  };

  const acrossFilter = async (): Promise<void> => {
    const bound = draw.below(MAX_N / 20);
    const query = {
      query: 'SELECT VALUE c.id FROM c WHERE c.worker = @worker AND c.n < @bound',
      parameters: [
        { name: '@worker', value: number },
        { name: '@bound', value: bound },
      ],
    };
    checkEqual(
      'ids across partition keys',
      (await ask<string>(container, query, { maxItemCount: 200 })).toSorted(),
      mine()
        .filter(({ n }) => n < bound)
        .map(({ id }) => id)
        .toSorted(),
    );
  };

  const acrossTop = async (): Promise<void> => {
    const query = {
      query: 'SELECT TOP 10 VALUE c.n FROM c WHERE c.worker = @worker ORDER BY c.n DESC',
      parameters: [{ name: '@worker', value: number }],
    };
    checkEqual(
      'largest across partition keys',
      await ask<number>(container, query, {}),
      mine()
        .map(({ n }) => n)
        .toSorted((left, right) => right - left)
        .slice(0, 10),
    );
  };

  const acrossCount = async (): Promise<void> => {
    const query = { query: 'SELECT VALUE COUNT(1) FROM c WHERE c.worker = @worker', parameters: [{ name: '@worker', value: number }] };
    checkEqual('count across partition keys', await ask<number>(container, query, {}), [mine().length]);
  };

  const refused = async (): Promise<void> => {
    const wrong = container.items.query('SELECT * FROM c WHERE NOSUCHFUNCTION(c.n)', { partitionKey: pick().key }).fetchAll();
    options.counts.refused(await refusalOf(wrong, 400));
  };

  const feed = async (): Promise<void> => {
    const { key, items } = pick();
    const found = new Map<string, unknown>();
    let changeFeedStartFrom: ChangeFeedStartFrom = ChangeFeedStartFrom.Beginning(key);
    for (;;) {
      const iterator = container.items.getChangeFeedIterator<{ id: string }[]>({ changeFeedStartFrom, maxItemCount: 100 });
      const page = await iterator.readNext();
      if (page.statusCode === 304) {
        break;
      }
      for (const document of page.result as unknown as readonly { id: string }[]) {
        if (found.has(document.id)) {
          throw new Error(`The feed of a partition key that nobody writes gave ${document.id} twice.`);
        }
        found.set(document.id, document);
      }
      changeFeedStartFrom = ChangeFeedStartFrom.Continuation(page.continuationToken);
    }
    checkEqual('documents in the feed', Array.from(found.keys()).toSorted(), items.map(({ id }) => id).toSorted());
    for (const item of items) {
      checkResource(found.get(item.id), item);
    }
  };

  return [
    ['query: filter and ORDER BY', 6, filterAndOrder],
    ['query: COUNT', 4, count],
    ['query: GROUP BY', 2, group],
    ['query: in pages', 2, pages],
    ['query across keys: filter', 1, acrossFilter],
    ['query across keys: TOP and ORDER BY', 1, acrossTop],
    ['query across keys: COUNT', 1, acrossCount],
    ['query that is refused', 1, refused],
    ['feed of a key', 2, feed],
  ];
}
