import { systemRuntime } from '../../core/runtime.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkContent, checkNotSupported, settleAll, withoutSystem, type ConformanceContext } from './conformance-context.ts';

/** Transactions of reads, queries and writes on one partition key. */
export function transactSuite({ test, withStore }: ConformanceContext): void {
  const supported = (work: (store: DocumentStore) => Promise<void>): Promise<void> =>
    withStore(async ({ store }) => {
      if (store.capabilities.transact) {
        await work(store);
      } else {
        await checkNotSupported(() => store.transact('p', () => Promise.resolve()), 'transact');
      }
    });

  test('a transaction sees its own writes and takes effect as a whole', () =>
    supported(async (store) => {
      await store.create({ id: 'old', pk: 'p', n: 1 });
      await store.create({ id: 'old', pk: 'q', n: 100 });
      const result = await store.transact('p', async (transaction) => {
        await transaction.create({ id: 'new', pk: 'p', n: 2 });
        await transaction.patch('old', [{ op: 'incr', path: '/n', value: 10 }]);
        await transaction.upsert({ id: 'gone', pk: 'p', n: 3 });
        const { etag } = await transaction.replace({ id: 'gone', pk: 'p', n: 4 });
        const sums = await transaction.query<number>('SELECT VALUE SUM(c.n) FROM c');
        await transaction.delete('gone', { ifMatch: etag });
        const rows = await transaction.query<number>('SELECT VALUE c.n FROM c ORDER BY c.n');
        return { sums, rows, old: withoutSystem((await transaction.read('old'))?.document), gone: await transaction.read('gone') };
      });
      checkEqual(result, { sums: [17], rows: [2, 11], old: { id: 'old', pk: 'p', n: 11 }, gone: undefined }, 'what the transaction saw');
      await checkContent(
        store,
        [
          { id: 'old', pk: 'p', n: 11 },
          { id: 'new', pk: 'p', n: 2 },
          { id: 'old', pk: 'q', n: 100 },
        ],
        'the documents',
      );
    }));

  test('a session that others are told while a transaction is open is served, also when it is undone', () =>
    supported(async (store) => {
      await store.create({ id: 'x', pk: 'q' });
      const told: Promise<string | undefined>[] = [];
      await settleAll([
        store.transact('p', async (transaction) => {
          await transaction.create({ id: 'y', pk: 'p' });
          await transaction.create({ id: 'z', pk: 'p' });
          await transaction.delete('z');
          // Where everything goes through one connection these wait for the end of the transaction, so they are not waited for here.
          told.push(
            store.read('x', 'q').then((found) => found?.session),
            store
              .query('SELECT * FROM c')
              .nextPage()
              .then((page) => page?.session),
            store
              .changes()
              .nextPage()
              .then(({ session }) => session),
          );
          for (let turn = 0; turn < 20; turn += 1) {
            await transaction.read('y');
          }
          throw new Error('no');
        }),
      ]);
      const sessions = await Promise.all(told);
      checkEqual(sessions.length, 3, 'the answers of outside');
      // The next write looks what there is, and finds nothing of what was undone.
      await store.upsert({ id: 'x', pk: 'q' });
      for (const session of sessions) {
        check((await store.read('x', 'q', { session })) !== undefined, 'the document, read with the session that was told');
      }
    }));

  test('a transaction that rejects is undone, and its reason comes through', () =>
    supported(async (store) => {
      const { document } = await store.create({ id: 'x', pk: 'p', n: 1 });
      const { cursor } = await store.changes({ from: 'now' }).nextPage();
      const reason = new Error('no');
      const [result] = await settleAll([
        store.transact('p', async (transaction) => {
          await transaction.replace({ id: 'x', pk: 'p', n: 2 });
          await transaction.create({ id: 'y', pk: 'p' });
          await transaction.delete('x');
          throw reason;
        }),
      ]);
      check(result?.status === 'rejected' && result.reason === reason, 'the reason of the function');
      checkEqual((await store.read('x', 'p'))?.document, document, 'the document of before');
      check((await store.read('y', 'p')) === undefined, 'nothing to be created');
      checkEqual((await store.changes({ from: { cursor } }).nextPage()).changes, [], 'the change feed');
    }));

  test('a refused write can be caught within a transaction and leaves nothing behind', () =>
    supported(async (store) => {
      await store.create({ id: 'x', pk: 'p', n: 1 });
      await store.transact('p', async (transaction) => {
        await checkRejects(transaction.create({ id: 'x', pk: 'p', n: 2 }), 'CONFLICT', 'create');
        await checkRejects(transaction.replace({ id: 'no', pk: 'p' }), 'NOT_FOUND', 'replace');
        await checkRejects(transaction.replace({ id: 'x', pk: 'p' }, { ifMatch: '"no"' }), 'PRECONDITION_FAILED', 'a stale etag');
        await checkRejects(transaction.create({ id: 'y', pk: 'q' }), 'PARTITION_KEY_MISMATCH', 'another partition key');
        await checkRejects(transaction.create({ id: 'a/b', pk: 'p' }), 'INVALID_ID', 'an id with a slash');
        await transaction.create({ id: 'y', pk: 'p' });
      });
      await checkContent(
        store,
        [
          { id: 'x', pk: 'p', n: 1 },
          { id: 'y', pk: 'p' },
        ],
        'the documents',
      );
    }));

  test('transactions on the same documents run one after the other', () =>
    supported(async (store) => {
      await store.create({ id: 'x', pk: 'p', n: 0 });
      await Promise.all(
        Array.from({ length: 10 }, () =>
          store.transact('p', async (transaction) => {
            const n = Number((await transaction.read('x'))?.document['n']);
            await systemRuntime.yieldTask();
            await transaction.replace({ id: 'x', pk: 'p', n: n + 1 });
          }),
        ),
      );
      checkEqual((await store.read('x', 'p'))?.document['n'], 10, 'the sum');
    }));

  test('nobody sees a transaction that is undone, and writers outside are not lost', () =>
    supported(async (store) => {
      await store.create({ id: 'x', pk: 'p', n: 1 });
      const outside: Promise<unknown>[] = [];
      await settleAll([
        store.transact('p', async (transaction) => {
          await transaction.replace({ id: 'x', pk: 'p', n: 666 });
          outside.push(
            store.read('x', 'p').then((found) => found?.document['n']),
            store.query('SELECT VALUE c.n FROM c WHERE c.id = "x"').toArray(),
            store.create({ id: 'y', pk: 'p', n: 5 }),
          );
          await systemRuntime.yieldTask();
          throw new Error('undo');
        }),
      ]);
      const [read, queried] = await Promise.all(outside);
      checkEqual([read, queried], [1, [1]], 'what a reader saw');
      await checkContent(
        store,
        [
          { id: 'x', pk: 'p', n: 1 },
          { id: 'y', pk: 'p', n: 5 },
        ],
        'the documents',
      );
    }));

  test('a transaction reads a query page by page, also on from a page of outside, and sees what it wrote in between', () =>
    supported(async (store) => {
      const page = { query: 'SELECT VALUE c.n FROM c WHERE c.n >= @from', parameters: [{ name: '@from', value: 1 }] };
      for (const n of [0, 1, 2, 3]) {
        await store.create({ id: `d${n}`, pk: 'p', n });
      }
      await store.create({ id: 'other', pk: 'q', n: 1 });
      const first = await store.query<number>(page, { partitionKey: 'p', maxItemCount: 1 }).nextPage();
      const { second, left } = await store.transact('p', async (transaction) => {
        const next = await transaction.queryPage<number>(page, { maxItemCount: 1, continuation: first?.continuation });
        await transaction.replace({ id: 'd3', pk: 'p', n: 30 });
        const last = await transaction.queryPage<number>(page, { maxItemCount: 1, continuation: next.continuation });
        await transaction.create({ id: 'd4', pk: 'p', n: 4 });
        check(next.requestUnits > 0 && next.documentsScanned > 0, 'a charge and a count of the page');
        check((await transaction.delete('d4')).requestUnits > 0, 'a charge of a delete');
        return { second: [...next.items, ...last.items], left: last.continuation };
      });
      checkEqual([first?.items, second], [[1], [2, 30]], 'the pages');
      const rest = left === undefined ? [] : await store.query(page, { partitionKey: 'p', continuation: left }).toArray();
      checkEqual(rest, [], 'the rest, outside the transaction');
      await checkRejects(
        store.transact('q', (transaction) => transaction.queryPage(page, { continuation: first?.continuation })),
        'INVALID_CONTINUATION',
        'a continuation of another partition key',
      );
    }));

  test('a call on a transaction that has ended is refused', () =>
    supported(async (store) => {
      const leaked = await store.transact('p', (transaction) => Promise.resolve(transaction));
      await checkRejects(leaked.create({ id: 'x', pk: 'p' }), 'CLOSED', 'create');
      await checkRejects(leaked.read('x'), 'CLOSED', 'read');
      await checkRejects(leaked.query('SELECT * FROM c'), 'CLOSED', 'query');
      await checkRejects(leaked.queryPage('SELECT * FROM c'), 'CLOSED', 'queryPage');
      await checkContent(store, [], 'the documents');
    }));
}
