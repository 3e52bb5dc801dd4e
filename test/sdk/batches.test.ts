import { BulkOperationType, type OperationInput } from '@azure/cosmos';
import { expect } from 'vitest';
import { recorded } from './support/recorded.ts';
import { sdkSuite } from './support/sdk-suite.ts';

const create = (id: string, pk: string, more: object = {}): OperationInput => ({
  operationType: 'Create',
  resourceBody: { id, pk, ...more } as never,
});
const statuses = (outcomes: readonly { readonly statusCode?: unknown }[] | undefined): unknown[] =>
  (outcomes ?? []).map(({ statusCode }) => statusCode);

sdkSuite((feature) => {
  feature('batches.atomic', 'a batch does everything and says what became of each', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: 'old', pk: 'a', n: 1 });
    const { code, result, headers } = await container.items.batch(
      [
        create('1', 'a'),
        { operationType: 'Upsert', resourceBody: { id: '2', pk: 'a' } },
        { operationType: 'Replace', id: 'old', resourceBody: { id: 'old', pk: 'a', n: 2 } },
        { operationType: 'Patch', id: 'old', resourceBody: { operations: [{ op: 'incr', path: '/n', value: 5 }] } },
        { operationType: 'Read', id: 'old' } as OperationInput,
        { operationType: 'Delete', id: '1' },
      ],
      'a',
    );
    expect([code, statuses(result)]).toEqual([200, [201, 201, 200, 200, 200, 204]]);
    expect(result?.[4]?.resourceBody).toMatchObject({ id: 'old', n: 7 });
    expect(result?.every(({ requestCharge }) => (requestCharge as number) > 0)).toBe(true);
    expect(result?.[0]?.eTag).toMatch(/^".+"$/u);
    const sum = (result ?? []).reduce((total, { requestCharge }) => total + Number(requestCharge), 0);
    expect(Number(headers['x-ms-request-charge'])).toBeCloseTo(sum, 1);
    expect(headers['x-ms-session-token']).toMatch(/^0:-1#\d+$/u);
    const hundred = Array.from({ length: 100 }, (_, index) => create(`h${index}`, 'b'));
    expect(statuses((await container.items.batch(hundred, 'b')).result)).toEqual(hundred.map(() => 201));
  });

  feature('batches.failures', 'one operation that fails undoes all', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: 'old', pk: 'a' });
    const failed = await container.items.batch([create('new', 'a'), create('old', 'a'), create('newer', 'a')], 'a');
    expect([failed.code, statuses(failed.result)]).toEqual([207, [424, 409, 424]]);
    expect((await container.item('new', 'a').read()).statusCode).toBe(404);
    await expect(container.items.batch([create('1', 'b')], 'a')).rejects.toThrow(
      'One or more operations within the batch request have a different partition key value than the request',
    );
    await expect(
      container.items.batch(
        Array.from({ length: 101 }, (_, index) => create(`h${index}`, 'a')),
        'a',
      ),
    ).rejects.toThrow();
    const large = Array.from({ length: 3 }, (_, index) => create(`l${index}`, 'a', { text: 'x'.repeat(900_000) }));
    await expect(container.items.batch(large, 'a')).rejects.toThrow(/too large/u);
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'a' }).fetchAll()).resources).toEqual([1]);
  });

  feature('batches.etags', 'conditions hold within a batch', async ({ account }) => {
    const container = await account.container();
    const { etag } = await container.items.create({ id: '1', pk: 'a' });
    const replace = (ifMatch: string): OperationInput => ({
      operationType: 'Replace',
      id: '1',
      ifMatch,
      resourceBody: { id: '1', pk: 'a', n: 1 },
    });
    const first = await container.items.batch([replace(etag)], 'a');
    expect(statuses(first.result)).toEqual([200]);
    expect(statuses((await container.items.batch([create('2', 'a'), replace(etag)], 'a')).result)).toEqual([424, 412]);
    const removal = { operationType: 'Delete', id: '1', ifMatch: etag } as unknown as OperationInput;
    expect(statuses((await container.items.batch([removal], 'a')).result)).toEqual([412]);
    expect(statuses((await container.items.batch([{ ...removal, ifMatch: first.result?.[0]?.eTag } as never], 'a')).result)).toEqual([204]);
  });

  feature('bulk.operations', 'bulk takes every kind of operation on any keys and answers in order', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: 'old', pk: 'b', n: 1 });
    const operations: OperationInput[] = [
      { operationType: BulkOperationType.Create, partitionKey: 'a', resourceBody: { id: '1', pk: 'a' } },
      { operationType: BulkOperationType.Upsert, partitionKey: 'c', resourceBody: { id: '1', pk: 'c' } },
      { operationType: BulkOperationType.Read, partitionKey: 'b', id: 'old' } as OperationInput,
      { operationType: BulkOperationType.Replace, partitionKey: 'b', id: 'old', resourceBody: { id: 'old', pk: 'b', n: 2 } },
      {
        operationType: BulkOperationType.Patch,
        partitionKey: 'b',
        id: 'old',
        resourceBody: [{ op: 'incr', path: '/n', value: 1 }],
      } as never,
      { operationType: BulkOperationType.Delete, partitionKey: 'b', id: 'old' },
    ];
    const outcomes = await container.items.executeBulkOperations(operations);
    expect(outcomes.map(({ response, error }) => response?.statusCode ?? error?.code)).toEqual([201, 201, 200, 200, 200, 204]);
    expect(outcomes[4]?.response?.resourceBody).toMatchObject({ n: 3 });
    await container.items.create({ id: 'old', pk: 'b', n: 1 });
    await container.item('1', 'a').delete();
    expect(statuses(await container.items.bulk(operations))).toEqual([201, 200, 200, 200, 200, 204]);
  });

  feature('bulk.ranges', 'two thousand operations over several ranges', async ({ own }) => {
    const account = await own({ partitions: 4 });
    const { options, exchanges } = recorded();
    const container = await account.container({}, account.connect(options));
    const operations = Array.from({ length: 2000 }, (_, index) => ({
      operationType: 'Create' as const,
      partitionKey: `p${index % 50}`,
      resourceBody: { id: String(index), pk: `p${index % 50}`, n: index },
    }));
    const outcomes = await container.items.executeBulkOperations(operations);
    expect(outcomes.every(({ response }) => response?.statusCode === 201)).toBe(true);
    expect(outcomes.map(({ operationInput }) => (operationInput as (typeof operations)[number]).resourceBody.n)).toEqual(
      operations.map((_, n) => n),
    );
    const ranges = new Set(exchanges.map(({ sent }) => sent['x-ms-documentdb-partitionkeyrangeid']).filter((id) => id !== undefined));
    expect(ranges.size).toBe(4);
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([2000]);
  });

  feature('bulk.errors', 'each operation fails alone, and the first failure ends a bulk that asks for it', async ({ own }) => {
    const account = await own();
    const container = await account.container();
    const outcomes = await container.items.executeBulkOperations([
      { operationType: 'Create', partitionKey: 'a', resourceBody: { id: '1', pk: 'a' } },
      { operationType: 'Create', partitionKey: 'a', resourceBody: { id: '1', pk: 'a' } },
      { operationType: 'Delete', partitionKey: 'a', id: 'none' },
      { operationType: 'Replace', partitionKey: 'a', id: '1', ifMatch: '"stale"', resourceBody: { id: '1', pk: 'a' } },
      { operationType: 'Create', partitionKey: 'a', resourceBody: { id: '2', pk: 'a' } },
    ]);
    expect(outcomes.map(({ response, error }) => response?.statusCode ?? error?.code)).toEqual([201, 409, 404, 412, 201]);
    const ends = await container.items.bulk([create('3', 'a'), create('3', 'a'), create('4', 'a')], { continueOnError: false });
    expect(statuses(ends)).toEqual([201, 409, 424]);
    account.server.chaos.replace({
      rules: [{ operation: 'execute-bulk', count: 1, effect: { kind: 'status', status: 429, subStatus: 3200, retryAfterMs: 5 } }],
    });
    const again = await container.items.executeBulkOperations([
      { operationType: 'Create', partitionKey: 'a', resourceBody: { id: '5', pk: 'a' } },
    ]);
    expect(again[0]?.response?.statusCode).toBe(201);
    expect(account.server.chaos.report().rules[0]?.fired).toBe(1);
    account.server.chaos.clear();
    // The client believes in the range that there was.
    await account.server.partitions.split({ database: container.database.id, container: container.id });
    const moved = await container.items.executeBulkOperations(
      Array.from({ length: 20 }, (_, index) => ({
        operationType: 'Create' as const,
        partitionKey: `m${index}`,
        resourceBody: { id: '1', pk: `m${index}` },
      })),
    );
    expect(moved.every(({ response }) => response?.statusCode === 201)).toBe(true);
  });
});
