import type { Container, OperationInput } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { serve, type Served } from './served.ts';

async function todos(): Promise<Served & { readonly container: Container }> {
  const served = await serve();
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'todos', partitionKey: '/owner' });
  return { ...served, container };
}

const statuses = (result: readonly { statusCode: number }[] | undefined): number[] => (result ?? []).map(({ statusCode }) => statusCode);

describe('batch', () => {
  test('takes effect as a whole', async () => {
    const { container } = await todos();
    await container.items.create({ id: 'old', owner: 'ada', n: 1 });
    const response = await container.items.batch(
      [
        { operationType: 'Create', resourceBody: { id: '1', owner: 'ada' } },
        { operationType: 'Upsert', resourceBody: { id: '2', owner: 'ada' } },
        { operationType: 'Replace', id: 'old', resourceBody: { id: 'old', owner: 'ada', n: 2 } },
        { operationType: 'Patch', id: 'old', resourceBody: { operations: [{ op: 'incr', path: '/n', value: 5 }] } },
        { operationType: 'Read', id: 'old' },
        { operationType: 'Delete', id: '1' },
      ],
      'ada',
    );
    expect(response.code).toBe(200);
    expect(statuses(response.result)).toEqual([201, 201, 200, 200, 200, 204]);
    expect(response.result?.[4]?.resourceBody).toMatchObject({ id: 'old', n: 7 });
    expect(response.headers['x-ms-session-token']).toMatch(/^0:-1#\d+$/u);
    expect((await container.item('1', 'ada').read()).statusCode).toBe(404);
  });

  test('with triggers is refused, since none would run, and so is a bulk request', async () => {
    const { container, send } = await todos();
    const operations = [{ operationType: 'Create' as const, resourceBody: { id: 'new', owner: 'ada' } }];
    await expect(container.items.batch(operations, 'ada', { preTriggerInclude: ['check'] })).rejects.toThrow(/runs no triggers/u);
    await expect(container.items.batch(operations, 'ada', { postTriggerInclude: ['a', 'b'] })).rejects.toThrow(/runs no triggers/u);
    const headers = { 'x-ms-cosmos-is-batch-request': 'true', 'x-ms-documentdb-post-trigger-include': 'check' };
    const response = await send('POST', '/dbs/app/colls/todos/docs', { headers, body: JSON.stringify(operations) });
    expect([response.status, (await response.json()) as unknown]).toMatchObject([400, { message: expect.stringContaining('triggers') }]);
    expect((await container.item('new', 'ada').read()).statusCode).toBe(404);
  });

  test('one operation that fails undoes the others, which are answered with 424', async () => {
    const { container } = await todos();
    const { etag } = await container.items.create({ id: 'old', owner: 'ada' });
    await container.items.upsert({ id: 'old', owner: 'ada', n: 2 });
    const cases: [OperationInput, number][] = [
      [{ operationType: 'Create', resourceBody: { id: 'old', owner: 'ada' } }, 409],
      [{ operationType: 'Delete', id: 'none' } as OperationInput, 404],
      [{ operationType: 'Replace', id: 'old', ifMatch: etag, resourceBody: { id: 'old', owner: 'ada' } }, 412],
      [{ operationType: 'Delete', id: 'old', ifMatch: etag } as unknown as OperationInput, 412],
    ];
    for (const [operation, status] of cases) {
      const first: OperationInput = { operationType: 'Create', resourceBody: { id: 'new', owner: 'ada' } };
      const response = await container.items.batch([first, operation, { operationType: 'Read', id: 'old' } as OperationInput], 'ada');
      expect([response.code, statuses(response.result)]).toEqual([207, [424, status, 424]]);
    }
    expect((await container.item('new', 'ada').read()).statusCode).toBe(404);
  });

  test('an operation on another partition key refuses all', async () => {
    const { container } = await todos();
    const operations: OperationInput[] = [{ operationType: 'Create', resourceBody: { id: '1', owner: 'bob' } }];
    await expect(container.items.batch(operations, 'ada')).rejects.toThrow(/different partition key value/u);
  });

  test('has 1 to 100 operations that can be read', async () => {
    const { send } = await todos();
    const headers = {
      'x-ms-cosmos-is-batch-request': 'True',
      'x-ms-cosmos-batch-atomic': 'True',
      'x-ms-documentdb-partitionkey': '["ada"]',
    };
    const read = { operationType: 'Read', id: '1' };
    const bodies: unknown[] = [[], {}, [1], [{}], [{ operationType: 'Read' }], [{ operationType: 'Create' }], Array(101).fill(read)];
    for (const body of [...bodies, [{ ...read, ifNoneMatch: 1 }], [{ operationType: 'Patch', id: '1', resourceBody: 'x' }]]) {
      const response = await send('POST', '/dbs/app/colls/todos/docs', { headers, body: JSON.stringify(body) });
      expect(response.status).toBe(400);
    }
  });

  test('may ask for an answer without documents', async () => {
    const { container } = await todos();
    const operations: OperationInput[] = [{ operationType: 'Create', resourceBody: { id: '1', owner: 'ada' } }];
    const response = await container.items.batch(operations, 'ada', { contentResponseOnWriteEnabled: false });
    expect(response.result?.[0]).not.toHaveProperty('resourceBody');
    expect(response.result?.[0]?.eTag).toMatch(/^".+"$/u);
  });
});

describe('bulk', () => {
  test('each operation stands alone, in the order given', async () => {
    const { container } = await todos();
    await container.items.create({ id: 'old', owner: 'bob' });
    const response = await container.items.executeBulkOperations([
      { operationType: 'Create', partitionKey: 'ada', resourceBody: { id: '1', owner: 'ada' } },
      { operationType: 'Create', partitionKey: 'bob', resourceBody: { id: 'old', owner: 'bob' } },
      { operationType: 'Upsert', partitionKey: 'cy', resourceBody: { id: '1', owner: 'cy' } },
      { operationType: 'Read', partitionKey: 'bob', id: 'old' },
      { operationType: 'Read', partitionKey: 'bob', id: 'none' },
      { operationType: 'Patch', partitionKey: 'bob', id: 'old', resourceBody: [{ op: 'add', path: '/n', value: 1 }] },
      { operationType: 'Delete', partitionKey: 'bob', id: 'old' },
    ]);
    expect(response.map(({ response: done, error }) => done?.statusCode ?? error?.code)).toEqual([201, 409, 201, 200, 404, 200, 204]);
  });

  test('2,500 operations on many keys', async () => {
    const { container } = await todos();
    const operations = Array.from({ length: 2500 }, (_, index) => ({
      operationType: 'Create' as const,
      partitionKey: `o${index % 37}`,
      resourceBody: { id: `d${index}`, owner: `o${index % 37}`, n: index },
    }));
    const response = await container.items.executeBulkOperations(operations);
    expect(response.every(({ response: done }) => done?.statusCode === 201)).toBe(true);
    expect((await container.item('d36', 'o36').read()).resource).toMatchObject({ n: 36 });
  });

  test('may end at the first failure', async () => {
    const { container } = await todos();
    const operations: OperationInput[] = [
      { operationType: 'Create', resourceBody: { id: '1', owner: 'ada' } },
      { operationType: 'Create', resourceBody: { id: '1', owner: 'ada' } },
      { operationType: 'Create', resourceBody: { id: '2', owner: 'ada' } },
    ];
    expect(statuses(await container.items.bulk(operations, { continueOnError: false }))).toEqual([201, 409, 424]);
    expect((await container.item('2', 'ada').read()).statusCode).toBe(404);
  });

  test('a range that is not there is answered with 410, a foreign key and a bad operation with their own code', async () => {
    const { send } = await todos();
    const headers = { 'x-ms-cosmos-is-batch-request': 'true', 'x-ms-cosmos-batch-atomic': 'false' };
    const path = '/dbs/app/colls/todos/docs';
    const create = { operationType: 'Create', partitionKey: '["ada"]', resourceBody: { id: '1', owner: 'bob' } };
    const gone = await send('POST', path, {
      headers: { ...headers, 'x-ms-documentdb-partitionkeyrangeid': '7' },
      body: JSON.stringify([create]),
    });
    expect([gone.status, gone.headers.get('x-ms-substatus')]).toEqual([410, '1002']);
    const operations = [create, { operationType: 'Nothing' }, { operationType: 'Read', id: '1' }];
    const response = await send('POST', path, { headers, body: JSON.stringify(operations) });
    expect(await response.json()).toMatchObject([{ statusCode: 400, subStatusCode: 1001 }, { statusCode: 400 }, { statusCode: 400 }]);
  });
});
