import { check, checkAborts, checkEqual } from '../checks.ts';
import type { ConformanceContext } from './conformance-context.ts';

const WATCH = { pollIntervalMs: 20 };

/** Watching a query. */
export function watchSuite({ test, withStore }: ConformanceContext): void {
  test('watch yields the result, and again whenever it differs', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'a', pk: 'p', n: 1 });
      const iterator = store.watch<number>('SELECT VALUE c.n FROM c ORDER BY c.n', WATCH)[Symbol.asyncIterator]();
      checkEqual((await iterator.next()).value, [1], 'the first result');
      await store.create({ id: 'b', pk: 'q', n: 2 });
      checkEqual((await iterator.next()).value, [1, 2], 'after a create');
      await store.upsert({ id: 'a', pk: 'p', n: 1, other: true });
      await store.delete('b', 'q');
      checkEqual((await iterator.next()).value, [1], 'after a change that does not show and a delete');
      await iterator.return?.(undefined);
    }));

  test('watch sees what another store on the container writes', () =>
    withStore(async ({ store, openStore }) => {
      const other = await openStore();
      const iterator = store.watch<number>('SELECT VALUE c.n FROM c', { ...WATCH, partitionKey: 'p' })[Symbol.asyncIterator]();
      checkEqual((await iterator.next()).value, [], 'the first result');
      await other.create({ id: 'elsewhere', pk: 'q', n: 7 });
      await other.create({ id: 'a', pk: 'p', n: 1 });
      checkEqual((await iterator.next()).value, [1], 'after the other store wrote');
      await iterator.return?.(undefined);
    }));

  test('watch ends with the reason of its signal, and when its store closes', () =>
    withStore(async ({ store, openStore }) => {
      const controller = new AbortController();
      const aborted = store.watch('SELECT * FROM c', { ...WATCH, signal: controller.signal })[Symbol.asyncIterator]();
      await aborted.next();
      const next = aborted.next();
      const reason = new Error('enough');
      controller.abort(reason);
      await checkAborts(next, reason, 'the iteration');

      const closing = await openStore();
      const iterator = closing.watch('SELECT * FROM c', WATCH)[Symbol.asyncIterator]();
      await iterator.next();
      const last = iterator.next();
      await closing.close();
      check((await last).done === true, 'the iteration to end');
    }));
}
