import type { Container, FeedOptions } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import { serve } from './served.ts';

/** A container of several ranges. */
async function items(options: Partial<ServerOptions>): Promise<Container> {
  const { database } = await (await serve(options)).client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'items', partitionKey: { paths: ['/id'] }, throughput: 25_100 });
  for (let n = 0; n < 20; n += 1) {
    await container.items.create({ id: String(n), n: (n * 7) % 20, kind: `k${n % 3}`, text: 'x'.repeat(n * 10) });
  }
  const { resources: ranges } = await container.readPartitionKeyRanges().fetchAll();
  expect(ranges.length).toBeGreaterThan(2);
  return container;
}

interface Run {
  readonly charge: number;
  readonly count: number;
}

async function fetchAll(container: Container, query: string, options: FeedOptions): Promise<Run> {
  const { requestCharge, resources } = await container.items.query<unknown>(query, options).fetchAll();
  return { charge: requestCharge, count: resources.length };
}

async function fetchEach(container: Container, query: string, options: FeedOptions): Promise<Run> {
  const iterator = container.items.query<unknown>(query, options);
  let [charge, count] = [0, 0];
  while (iterator.hasMoreResults()) {
    const { requestCharge, resources } = await iterator.fetchNext();
    charge += requestCharge;
    count += (resources ?? []).length;
  }
  return { charge, count };
}

const QUERIES = [
  'SELECT * FROM root r',
  'SELECT * FROM root r WHERE r.n > 5 ORDER BY r.n DESC',
  'SELECT VALUE r.id FROM root r WHERE LOWER(r.kind) = "k1"',
  'SELECT VALUE COUNT(1) FROM root r',
  'SELECT r.kind, COUNT(1) AS n FROM root r GROUP BY r.kind',
];

describe.each(['memory', 'sqlite'])('charges on %s', (store) => {
  test('are within 10 % of each other, however a query is run', async () => {
    const backend = store === 'sqlite' ? await openSqliteBackend({ path: ':memory:' }) : undefined;
    const container = await items(backend === undefined ? {} : { backend });
    for (const query of QUERIES) {
      const whole = await fetchAll(container, query, { maxItemCount: 1000 });
      const runs: FeedOptions[] = [
        { maxItemCount: 4 },
        { maxItemCount: 2, maxDegreeOfParallelism: -1, forceQueryPlan: true },
        { maxItemCount: 4, maxDegreeOfParallelism: 3, bufferItems: true, forceQueryPlan: true },
      ];
      for (const options of runs) {
        for (const run of [await fetchAll(container, query, options), await fetchEach(container, query, options)]) {
          const what = `${query} ${JSON.stringify(options)}: ${run.charge} and ${whole.charge}`;
          expect(run.count, what).toBe(whole.count);
          expect(Math.abs(run.charge - whole.charge) / whole.charge, what).toBeLessThan(0.1);
        }
      }
    }
  });
});
