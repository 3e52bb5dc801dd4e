import { ChangeFeedStartFrom } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { refusal, scene } from './scene.ts';

describe('what the official client does when it is told to come again', () => {
  test('waits after 429 as long as it is told, and succeeds', async () => {
    const { container, inject, rules } = await scene();
    inject({ operation: 'read-document', count: 2, effect: { kind: 'status', status: 429, subStatus: 3200, retryAfterMs: 7 } });
    const { resource, headers } = await container.item('a', 'a').read<{ id: string }>();
    expect(resource?.id).toBe('a');
    expect([headers['x-ms-throttle-retry-count'], headers['x-ms-throttle-retry-wait-time-ms']]).toEqual([2, 14]);
    expect(rules()).toEqual([{ seen: 3, fired: 2 }]);
  });

  test('gives up on 429 after the tries that it is allowed, and tells the sub-status', async () => {
    const { container, inject, rules, ids } = await scene({
      client: { connectionPolicy: { retryOptions: { maxRetryAttemptCount: 3, maxWaitTimeInSeconds: 30 } } },
    });
    inject({ operation: 'create-document', effect: { kind: 'status', status: 429, subStatus: 3200, retryAfterMs: 1 } });
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toEqual({ code: 429, substatus: 3200 });
    expect(rules()).toEqual([{ seen: 4, fired: 4 }]);
    expect(await ids()).toEqual(['a', 'b', 'c']);
  });

  test('repeats a read after 503 once, and a write never', async () => {
    const { container, inject, rules, ids } = await scene();
    const effect = { kind: 'status', status: 503 } as const;
    inject({ operation: 'read-document', count: 1, effect }, { operation: ['create-document', 'upsert-document'], effect });
    expect((await container.item('a', 'a').read<{ id: string }>()).resource?.id).toBe('a');
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toMatchObject({ code: 503 });
    expect(await refusal(container.items.upsert({ id: 'd', key: 'd' }))).toMatchObject({ code: 503 });
    expect(rules()).toEqual([
      { seen: 2, fired: 1 },
      { seen: 2, fired: 2 },
    ]);
    expect(await ids()).toEqual(['a', 'b', 'c']);
  });

  test('leaves 449 to the application', async () => {
    const { container, inject, rules } = await scene();
    inject({ operation: 'replace-document', count: 1, effect: { kind: 'status', status: 449 } });
    const replace = (): Promise<unknown> => container.item('a', 'a').replace({ id: 'a', key: 'a', n: 1 });
    expect(await refusal(replace())).toMatchObject({ code: 449 });
    await replace();
    expect(rules()).toEqual([{ seen: 2, fired: 1 }]);
  });

  test('reads the ranges again after 410 in a change feed, and gives every document once', async () => {
    const { container, inject, rules } = await scene({ server: { partitions: 3 } });
    inject(
      { operation: 'read-change-feed', skip: 1, count: 1, effect: { kind: 'status', status: 410, subStatus: 1002 } },
      { operation: 'list-partition-ranges', effect: { kind: 'delay', delayMs: 0 } },
    );
    const feed = container.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning() });
    const found: string[] = [];
    for (let page = 0; page < 6; page += 1) {
      found.push(...((await feed.readNext()).result as { id: string }[]).map(({ id }) => id));
    }
    expect(found.toSorted()).toEqual(['a', 'b', 'c']);
    const [gone, ranges] = rules();
    expect(gone?.fired).toBe(1);
    expect(ranges?.seen).toBe(2);
  });
});

describe('what the official client does when no answer comes', () => {
  test('repeats a read that took longer than its patience', async () => {
    const { container, inject, rules } = await scene({ client: { connectionPolicy: { requestTimeout: 500 } } });
    inject({ operation: 'read-document', count: 1, effect: { kind: 'delay', delayMs: 60_000 } });
    expect((await container.item('a', 'a').read<{ id: string }>()).resource?.id).toBe('a');
    expect(rules()).toEqual([{ seen: 2, fired: 1 }]);
  });

  test('does not repeat such a write; the server does not begin it any more', async () => {
    const { container, inject, ids, served } = await scene({ client: { connectionPolicy: { requestTimeout: 500 } } });
    inject({ operation: 'create-document', count: 1, effect: { kind: 'delay', delayMs: 60_000 } });
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toMatchObject({ code: 'TimeoutError' });
    // The server notices that the client has gone before it answers another one.
    await container.read();
    await served.server.close();
    expect(await ids()).toEqual(['a', 'b', 'c']);
  });

  test('repeats a read whose connection was cut, before it was carried out or in the middle of its answer', async () => {
    const { container, inject, rules } = await scene();
    for (const at of ['request', 'answer'] as const) {
      inject({ operation: 'read-document', count: 1, effect: { kind: 'cut', at } });
      const read = container.item('a', 'a').read<{ id: string }>();
      if (at === 'request') {
        expect((await read).resource?.id).toBe('a');
      } else {
        // Half an answer is no connection error to it.
        await refusal(read);
        expect((await container.item('a', 'a').read<{ id: string }>()).resource?.id).toBe('a');
      }
      expect(rules()).toEqual([{ seen: 2, fired: 1 }]);
    }
  });

  test('does not repeat a write whose connection was cut before it was carried out, and nothing was written', async () => {
    const { container, inject, ids } = await scene();
    inject({ operation: 'create-document', count: 1, effect: { kind: 'cut', at: 'request' } });
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toMatchObject({ code: 'ECONNRESET' });
    expect(await ids()).toEqual(['a', 'b', 'c']);
    await container.items.create({ id: 'd', key: 'd' });
  });

  test('an answer that is dropped leaves the write applied: the application that repeats its create meets 409', async () => {
    const { container, inject, ids } = await scene();
    const writes = [
      { operation: 'create-document', write: () => container.items.create({ id: 'd', key: 'd' }) },
      { operation: 'patch-document', write: () => container.item('a', 'a').patch([{ op: 'incr', path: '/n', value: 1 }]) },
      {
        operation: 'execute-batch',
        write: () => container.items.batch([{ operationType: 'Create', resourceBody: { id: 'e', key: 'e' } }], 'e'),
      },
      { operation: 'delete-document', write: () => container.item('b', 'b').delete() },
    ] as const;
    await container.item('a', 'a').replace({ id: 'a', key: 'a', n: 0 });
    inject(...writes.map(({ operation }) => ({ operation, count: 1, effect: { kind: 'drop' } }) as const));
    for (const { write } of writes) {
      await refusal(write());
    }
    expect(await ids()).toEqual(['a', 'c', 'd', 'e']);
    expect((await container.item('a', 'a').read<{ n: number }>()).resource?.n).toBe(1);
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toMatchObject({ code: 409 });
    expect(await refusal(container.item('b', 'b').delete())).toMatchObject({ code: 404 });
  });

  test('a status after the write leaves it applied as well, and a write that fails by itself says why', async () => {
    const { container, inject, ids } = await scene();
    inject({ operation: '*-document', method: 'POST', effect: { kind: 'status', status: 408, applied: true } });
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toMatchObject({ code: 408 });
    expect(await refusal(container.items.create({ id: 'd', key: 'd' }))).toMatchObject({ code: 409 });
    expect(await ids()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('takes a slow answer whole, and half an answer for no JSON', async () => {
    const { container, inject } = await scene();
    inject(
      { operation: 'read-document', count: 1, effect: { kind: 'slow', durationMs: 50 } },
      { operation: 'read-document', count: 1, effect: { kind: 'truncate' } },
    );
    const read = (): Promise<{ resource?: { id: string } | undefined }> => container.item('a', 'a').read<{ id: string }>();
    expect((await read()).resource?.id).toBe('a');
    await expect(read()).rejects.toThrow(/JSON/u);
    expect((await read()).resource?.id).toBe('a');
  });
});
