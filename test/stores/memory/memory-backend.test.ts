import { describe, expect, test } from 'vitest';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend, type MemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { OrderLog } from '../../../src/stores/common/order-log.ts';
import { ResidentContainer } from '../../../src/stores/common/resident-container.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';

async function openStore(
  options: Parameters<typeof openMemoryBackend>[0] = {},
  defaultTtl?: number,
): Promise<{ backend: MemoryBackend; store: DocumentStore }> {
  const backend = openMemoryBackend(options);
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'items', partitionKey: '/pk', defaultTtl });
  return { backend, store: await backend.container('app', 'items') };
}

describe('memory backend', () => {
  test('two backends never give the same etag, and do not take each other’s cursors', async () => {
    const [first, second] = [await openStore(), await openStore()];
    const left = await first.store.create({ id: 'x', pk: 'p' });
    const right = await second.store.create({ id: 'x', pk: 'p' });
    expect(left.etag).not.toBe(right.etag);
    const { cursor } = await first.store.changes().nextPage();
    await expect(second.store.changes({ from: { cursor } }).nextPage()).rejects.toMatchObject({ code: 'INVALID_CONTINUATION' });
  });

  test('under one seed two runs give the same documents, etags included', async () => {
    const run = async (): Promise<unknown> => {
      const { store } = await openStore({ runtime: new SimulatedRuntime({ seed: 'twice' }) });
      await store.create({ id: 'x', pk: 'p' });
      return [(await store.replace({ id: 'x', pk: 'p', n: 1 })).document, (await store.changes().nextPage()).cursor];
    };
    expect(await run()).toEqual(await run());
  });

  test('positions have no gap, but for writes that were undone', async () => {
    const { store } = await openStore();
    await store.create({ id: 'a', pk: 'p' });
    await store.batch('p', [
      { type: 'create', document: { id: 'b', pk: 'p' } },
      { type: 'create', document: { id: 'a', pk: 'p' } },
    ]);
    const third = await store.delete('a', 'p');
    expect([third.position, third.session]).toEqual([3, '3']);
  });

  test('a write that waits for a transaction can be aborted, and is then not done', async () => {
    const { backend, store } = await openStore();
    let finish = (): void => undefined;
    const held = store.transact('p', () => new Promise<void>((resolve) => (finish = resolve)));
    const controller = new AbortController();
    const waiting = store.create({ id: 'x', pk: 'p' }, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    finish();
    await held;
    // Closing waits for the aborted call's own end.
    await store.close();
    const other = await backend.container('app', 'items');
    expect(await other.read('x', 'p')).toBeUndefined();
  });

  test('readers go on while a transaction is under way, and see what is committed', async () => {
    const { store } = await openStore();
    await store.create({ id: 'x', pk: 'p', n: 1 });
    await store.transact('p', async (transaction) => {
      await transaction.replace({ id: 'x', pk: 'p', n: 2 });
      expect((await store.read('x', 'p'))?.document['n']).toBe(1);
      expect(await store.query('SELECT VALUE c.n FROM c').toArray()).toEqual([1]);
      expect((await store.changes().nextPage()).changes).toHaveLength(1);
    });
    expect((await store.read('x', 'p'))?.document['n']).toBe(2);
  });

  test('a cursor read during a transaction does not pass what the transaction commits', async () => {
    const { store } = await openStore();
    let cursor = '';
    await store.transact('p', async (transaction) => {
      await transaction.create({ id: 'x', pk: 'p' });
      ({ cursor } = await store.changes({ from: 'now' }).nextPage());
    });
    const page = await store.changes({ from: { cursor } }).nextPage();
    expect(page.changes.map((change) => change.document.id)).toEqual(['x']);
  });

  test('what was replaced or has expired is let go of, and feeds and scans do not notice', async () => {
    const runtime = new SimulatedRuntime();
    const { store } = await openStore({ runtime }, 60);
    for (let round = 0; round < 4000; round += 1) {
      await store.upsert({ id: `${round % 10}`, pk: 'p', round });
    }
    const first = await store.changes({ maxItemCount: 5 }).nextPage();
    await runtime.advance(61_000);
    for (let round = 0; round < 3000; round += 1) {
      await store.upsert({ id: `later-${round % 4}`, pk: 'p', round, ttl: -1 });
    }
    const rest = await store.changes({ from: { cursor: first.cursor } }).nextPage();
    expect(rest.changes.map((change) => change.document['round'])).toEqual([2996, 2997, 2998, 2999]);
    expect(await store.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['later-0', 'later-1', 'later-2', 'later-3']);
  });

  test('a log of its backend’s doings goes to the logger without content', async () => {
    const lines: string[] = [];
    const { backend } = await openStore({
      logger: { log: (level, message, fields) => lines.push(`${level} ${message} ${JSON.stringify(fields)}`) },
    });
    await backend.deleteDatabase('app');
    expect(lines).toEqual([
      'debug Database created. {"database":"app"}',
      'debug Container created. {"database":"app","container":"items"}',
      'debug Database deleted. {"database":"app"}',
    ]);
  });

  test('charges follow the work: size of a document, number of documents', async () => {
    const { store } = await openStore();
    const small = await store.create({ id: 'small', pk: 'p' });
    const large = await store.create({ id: 'large', pk: 'p', text: 'x'.repeat(100_000) });
    expect(large.requestUnits).toBeGreaterThan(small.requestUnits * 5);
    const [readSmall, readLarge] = [await store.read('small', 'p'), await store.read('large', 'p')];
    expect(readSmall?.requestUnits).toBe(1);
    expect(readLarge?.requestUnits).toBeGreaterThan(8);
  });
});

describe('OrderLog', () => {
  test('finds the entry behind a number, and forgets dead entries when they are many', () => {
    const log = new OrderLog();
    for (let order = 2; order <= 6000; order += 2) {
      log.append({ order, key: `k${order}` });
    }
    expect([0, 1, 2, 3, 5999, 6000].map((order) => log.indexAfter(order))).toEqual([0, 0, 1, 1, 2999, 3000]);
    log.rewrite(2500, () => expect.unreachable());
    expect(log.size).toBe(3000);
    log.rewrite(3, (entry) => entry.order > 5994);
    expect([log.size, log.at(0)?.key, log.at(3)]).toEqual([3, 'k5996', undefined]);
  });
});

test('a container drops entries of old versions in time', async () => {
  const { backend, store } = await openStore();
  const info = await backend.readContainer('app', 'items');
  const container = new ResidentContainer(info ?? expect.unreachable(), backend.runtime, { incarnation: 'prefix' });
  expect(container.committed.size).toBe(0);
  for (let round = 0; round < 5000; round += 1) {
    await container.write(undefined, (draft) => {
      const position = container.takePosition();
      draft.put({
        key: 'k',
        id: 'k',
        partitionKey: ['p'],
        partitionKeyText: '["p"]',
        epk: '',
        ordinal: 1,
        position,
        etag: `"${position}"`,
        ts: 1,
        ttl: undefined,
        text: '{}',
        uniqueTexts: [`u${round}`],
      });
    });
  }
  expect(container.committed.size).toBeLessThan(3000);
  expect(container.rows.created.size).toBe(1);
  expect(container.uniqueOwner('u0')).toBeUndefined();
  expect(container.uniqueOwner('u4999')).toBe('k');
  await store.close();
});
