import type { Container } from '@azure/cosmos';
import { PartitionKeyKind } from '@azure/cosmos';
import { expect } from 'vitest';
import { effectivePartitionKey } from '../../src/store/effective-partition-key.ts';
import type { RawAnswer } from './support/account.ts';
import { recorded } from './support/recorded.ts';
import { sdkSuite, type Sdk } from './support/sdk-suite.ts';

interface Plan {
  readonly partitionedQueryExecutionInfoVersion: number;
  readonly queryInfo: Readonly<Record<string, unknown>>;
  readonly queryRanges: readonly { readonly min: string; readonly max: string }[];
  readonly hybridSearchQueryInfo?: Readonly<Record<string, unknown>>;
}

async function plan(container: Container, query: string): Promise<Plan> {
  return (await container.getQueryPlan(query)).result as unknown as Plan;
}

const sendQuery = (account: Sdk['account'], container: Container, query: string, headers = {}): Promise<RawAnswer> =>
  account.send('POST', `/${container.url}/docs`, {
    headers: { 'content-type': 'application/query+json', 'x-ms-documentdb-isquery': 'true', ...headers },
    body: { query, parameters: [] },
  });

const FILTER = '{documentdb-formattableorderbyquery-filter}';

sdkSuite((feature) => {
  feature(['plans.refusal', 'errors.sub-statuses'], 'what the gateway leaves to clients is refused with its plan', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a', n: 1 });
    for (const query of [
      'SELECT * FROM c ORDER BY c.n',
      'SELECT TOP 1 * FROM c',
      'SELECT * FROM c OFFSET 0 LIMIT 1',
      'SELECT DISTINCT c.n FROM c',
      'SELECT VALUE COUNT(1) FROM c',
      'SELECT c.n FROM c GROUP BY c.n',
    ]) {
      const refused = await sendQuery(account, container, query, { 'x-ms-documentdb-query-enablecrosspartition': 'true' });
      expect([refused.status, refused.headers.get('x-ms-substatus')]).toEqual([400, '1004']);
      const info = JSON.parse((refused.body as { additionalErrorInfo: string }).additionalErrorInfo) as Plan;
      expect(info).toEqual(await plan(container, query));
      for (const scope of [{ 'x-ms-documentdb-partitionkey': '["a"]' }, { 'x-ms-documentdb-partitionkeyrangeid': '0' }]) {
        expect((await sendQuery(account, container, query, scope)).status).toBe(200);
      }
    }
    expect((await sendQuery(account, container, 'SELECT * FROM c WHERE c.n = 1')).status).toBe(200);
  });

  feature('plans.shape', 'a plan tells how to merge and what to send', async ({ account }) => {
    const container = await account.container();
    const base = {
      distinctType: 'None',
      hasSelectValue: false,
      hasNonStreamingOrderBy: false,
      aggregates: [],
      orderBy: [],
      groupByExpressions: [],
    };
    expect(await plan(container, 'SELECT * FROM c')).toMatchObject({ partitionedQueryExecutionInfoVersion: 2, queryInfo: base });
    const ordered = await plan(container, 'SELECT TOP 2 c.id FROM c WHERE c.k = "x" ORDER BY c.n DESC');
    expect(ordered.queryInfo).toMatchObject({ ...base, top: 2, orderBy: ['Descending'], orderByExpressions: ['c.n'] });
    const { rewrittenQuery } = ordered.queryInfo as { rewrittenQuery: string };
    for (const part of ['TOP 2', 'c._rid', 'orderByItems', 'payload', FILTER]) {
      expect(rewrittenQuery).toContain(part);
    }
    expect((await plan(container, 'SELECT * FROM c OFFSET 3 LIMIT 4')).queryInfo).toMatchObject({ offset: 3, limit: 4 });
    expect((await plan(container, 'SELECT * FROM c OFFSET 3 LIMIT 4')).queryInfo['rewrittenQuery']).toContain('OFFSET 0 LIMIT 7');
    expect((await plan(container, 'SELECT DISTINCT c.k FROM c')).queryInfo).toMatchObject({ distinctType: 'Unordered' });
    expect((await plan(container, 'SELECT DISTINCT VALUE c.k FROM c ORDER BY c.k')).queryInfo).toMatchObject({
      distinctType: 'Ordered',
      hasSelectValue: true,
    });
    for (const [call, name] of [
      ['COUNT(1)', 'Count'],
      ['SUM(c.n)', 'Sum'],
      ['AVG(c.n)', 'Average'],
      ['MIN(c.n)', 'Min'],
      ['MAX(c.n)', 'Max'],
    ]) {
      expect((await plan(container, `SELECT VALUE ${call} FROM c`)).queryInfo).toMatchObject({ aggregates: [name], hasSelectValue: true });
    }
    expect((await plan(container, 'SELECT c.t, COUNT(1) AS n FROM c GROUP BY c.t')).queryInfo).toMatchObject({
      groupByExpressions: ['c.t'],
      groupByAliases: ['t', 'n'],
      groupByAliasToAggregateType: { t: null, n: 'Count' },
    });
  });

  feature('plans.ranges', 'a plan names the part of the hash space that can have rows', async ({ account }) => {
    const container = await account.container();
    const definition = { paths: ['/pk'], kind: 'Hash', version: 2 } as const;
    const point = (key: string): object => {
      const epk = effectivePartitionKey([key], definition);
      return { min: epk, max: epk, isMinInclusive: true, isMaxInclusive: true };
    };
    expect((await plan(container, 'SELECT * FROM c')).queryRanges).toEqual([
      { min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false },
    ]);
    expect((await plan(container, "SELECT * FROM c WHERE c.pk = 'a' AND c.n > 1")).queryRanges).toEqual([point('a')]);
    const several = (await plan(container, "SELECT * FROM c WHERE c.pk IN ('a', 'b', 'c')")).queryRanges;
    expect(several).toHaveLength(3);
    expect(several).toEqual(expect.arrayContaining([point('a'), point('b'), point('c')]));
    expect(several.map(({ min }) => min)).toEqual(several.map(({ min }) => min).toSorted());
    const levels = await account.container({ partitionKey: { paths: ['/a', '/b'], kind: PartitionKeyKind.MultiHash, version: 2 } });
    const [prefix] = (await plan(levels, "SELECT * FROM c WHERE c.a = 'x'")).queryRanges;
    expect(prefix?.min).toMatch(/^[0-9A-F]{32}$/u);
    expect(prefix?.max.startsWith(prefix.min)).toBe(true);
  });

  feature('plans.direct', 'with the option every query is answered at once', async ({ own }) => {
    const account = await own({ crossPartitionQueries: 'answer', partitions: 3 });
    const { options, exchanges } = recorded();
    const container = await account.container({}, account.connect(options));
    for (const n of [3, 1, 2]) {
      await container.items.create({ id: String(n), pk: `p${n}`, n, mixed: n === 2 ? 'text' : n });
    }
    exchanges.splice(0);
    const ask = async (query: string): Promise<unknown[]> => (await container.items.query<unknown>(query).fetchAll()).resources;
    expect(await ask('SELECT VALUE c.n FROM c ORDER BY c.n')).toEqual([1, 2, 3]);
    // The SDK's own merge cannot sort what differs in type.
    expect(await ask('SELECT VALUE c.mixed FROM c ORDER BY c.mixed')).toEqual([1, 3, 'text']);
    expect(await ask('SELECT VALUE SUM(c.n) FROM c')).toEqual([6]);
    expect(await ask('SELECT TOP 1 VALUE c.id FROM c ORDER BY c.n DESC')).toEqual(['3']);
    expect(exchanges.every(({ status }) => status === 200)).toBe(true);
    expect(exchanges.some(({ sent }) => sent['x-ms-documentdb-partitionkeyrangeid'] !== undefined)).toBe(false);
  });
});
