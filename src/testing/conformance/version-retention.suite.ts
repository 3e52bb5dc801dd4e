import type { ChangesOptions } from '../../store/changes.ts';
import type { ContainerInput } from '../../store/container-definition.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { CONTAINER, DATABASE, type ConformanceContext } from './conformance-context.ts';
import { cursorOfNow, POLICY, readAll, recordedWith, START_MS, told } from './recorded-versions.ts';

/** For how long versions are kept, and how documents expire in their feed. */
export function versionRetentionSuite(context: ConformanceContext): void {
  const { test, withBackend } = context;
  const recorded = recordedWith(context);

  test('there is no beginning, and nothing at all without a policy', () =>
    recorded(async ({ backend, store, openStore }) => {
      await store.create({ id: 'x', pk: 'p' });
      const error = await checkRejects(store.changes({ mode: 'all' }).nextPage(), 'OUTSIDE_RETENTION', 'the beginning');
      check(error.message.startsWith('You must read the change feed from within the retention period.'), 'the words of the service');
      await backend.createContainer(DATABASE, { id: 'without', partitionKey: '/pk' });
      await backend.createContainer(DATABASE, { id: 'zero', partitionKey: '/pk', changeFeedPolicy: { retentionDuration: 0 } });
      for (const id of ['without', 'zero']) {
        const other = await openStore(id);
        await other.create({ id: 'x', pk: 'p' });
        for (const from of ['beginning', 'now', { timeMs: START_MS }] as const) {
          await checkRejects(other.changes({ mode: 'all', from }).nextPage(), 'OUTSIDE_RETENTION', `a container without a policy, ${id}`);
        }
      }
    }));

  test('recording begins and ends with the policy', () =>
    recorded(
      async ({ backend, store, openStore }, clock) => {
        const replace = (changeFeedPolicy: ContainerInput['changeFeedPolicy']): Promise<unknown> =>
          backend.replaceContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', changeFeedPolicy });
        await store.create({ id: 'x', pk: 'p', n: 1 });
        await checkRejects(store.changes({ mode: 'all', from: 'now' }).nextPage(), 'OUTSIDE_RETENTION', 'before the policy');
        await clock.advance(60_000);
        await replace({ retentionDuration: 5 });
        checkEqual((await openStore()).definition.changeFeedPolicy, { retentionDuration: 5 }, 'the policy read');
        const first = await cursorOfNow(store);
        await store.replace({ id: 'x', pk: 'p', n: 2 });
        const { changes } = await readAll(await openStore(), { from: first });
        checkEqual(
          changes.map(({ operation, previous, document }) => [operation, previous?.['n'], document['n']]),
          [['replace', 1, 2]],
          'a document from before the policy',
        );
        await checkRejects(
          store.changes({ mode: 'all', from: { timeMs: START_MS + 30_000 } }).nextPage(),
          'OUTSIDE_RETENTION',
          'a time before',
        );
        const again = await cursorOfNow(store);
        await replace(undefined);
        await checkRejects(store.changes({ mode: 'all', from: again }).nextPage(), 'OUTSIDE_RETENTION', 'after the policy');
        await store.replace({ id: 'x', pk: 'p', n: 3 });
        await replace({ retentionDuration: 5 });
        await checkRejects(store.changes({ mode: 'all', from: again }).nextPage(), 'OUTSIDE_RETENTION', 'a cursor over a gap');
        const last = await cursorOfNow(store);
        await store.delete('x', 'p');
        checkEqual((await readAll(store, { from: last })).changes.map(told), ['delete x'], 'the second recording');
      },
      { changeFeedPolicy: undefined },
    ));

  test('a retention that is no whole number of minutes is refused', () =>
    withBackend(async ({ backend }) => {
      await backend.createDatabase(DATABASE);
      for (const retentionDuration of [-1, 1.5, '5', true, 2147483648, Number.NaN]) {
        const changeFeedPolicy = { retentionDuration } as never;
        const create = backend.createContainer(DATABASE, { id: 'c', partitionKey: '/pk', changeFeedPolicy });
        await checkRejects(create, 'INVALID_CONTAINER', `the retention ${String(retentionDuration)}`);
      }
      await checkRejects(
        backend.createContainer(DATABASE, { id: 'c', partitionKey: '/pk', changeFeedPolicy: 'always' as never }),
        'INVALID_CONTAINER',
        'a policy that is no object',
      );
    }));

  test('changes are kept for the retention and no longer; a longer one brings nothing back', () =>
    recorded(async ({ backend, store }, clock) => {
      const cursors: { readonly cursor: string }[] = [];
      for (let minute = 0; minute < 15; minute += 1) {
        cursors.push(await cursorOfNow(store));
        await store.upsert({ id: 'x', pk: 'p', minute });
        await clock.advance(60_000);
      }
      const minutesFrom = async (from: ChangesOptions['from']): Promise<unknown[]> =>
        (await readAll(store, { from, maxItemCount: 4 })).changes.map(({ document }) => document['minute']);
      checkEqual(await minutesFrom(cursors[5]), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14], 'as long as the retention');
      await checkRejects(minutesFrom(cursors[4]), 'OUTSIDE_RETENTION', 'a cursor before a change that is gone');
      checkEqual(await minutesFrom({ timeMs: START_MS + 5 * 60_000 }), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14], 'a time within');
      checkEqual(await minutesFrom({ timeMs: START_MS + 13 * 60_000 + 59_000 }), [14], 'a time between two changes');
      checkEqual(await minutesFrom({ timeMs: START_MS + 60 * 60_000 }), [], 'a time to come');
      await checkRejects(minutesFrom({ timeMs: START_MS + 5 * 60_000 - 1 }), 'OUTSIDE_RETENTION', 'a time before');
      const replace = (retentionDuration: number): Promise<unknown> =>
        backend.replaceContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', changeFeedPolicy: { retentionDuration } });
      await replace(3);
      await checkRejects(minutesFrom(cursors[11]), 'OUTSIDE_RETENTION', 'a shorter retention');
      checkEqual(await minutesFrom(cursors[12]), [12, 13, 14], 'within the shorter retention');
      await replace(60);
      await checkRejects(minutesFrom(cursors[11]), 'OUTSIDE_RETENTION', 'what a shorter retention dropped');
      await checkRejects(minutesFrom({ timeMs: START_MS + 11 * 60_000 }), 'OUTSIDE_RETENTION', 'a time of what was dropped');
      checkEqual(await minutesFrom(cursors[12]), [12, 13, 14], 'what is left');
      await clock.advance(50 * 60_000);
      checkEqual(await minutesFrom(cursors[12]), [12, 13, 14], 'a longer retention');
      await replace(10);
      await replace(60);
      await checkRejects(minutesFrom(cursors[12]), 'OUTSIDE_RETENTION', 'what a retention dropped that nobody read by');
    }));

  test('an expiry is a delete in the order of its time, though nobody looked', () =>
    recorded(
      async ({ store }, clock) => {
        const start = await cursorOfNow(store);
        await store.create({ id: 'late', pk: 'p', ttl: 30 });
        await store.create({ id: 'early', pk: 'q', ttl: 10 });
        await store.create({ id: 'renewed', pk: 'p', ttl: 10 });
        await clock.advance(5000);
        const renewed = await store.patch('renewed', 'p', [{ op: 'set', path: '/n', value: 1 }]);
        await clock.advance(15_000);
        await store.create({ id: 'after', pk: 'p' });
        await clock.advance(80_000);
        const { changes, cursor } = await readAll(store, { from: start, maxItemCount: 2 });
        const expected = [
          'create late',
          'create early',
          'create renewed',
          'replace renewed',
          'expire early',
          'expire renewed',
          'create after',
          'expire late',
        ];
        checkEqual(changes.map(told), expected, 'the changes');
        checkEqual(
          changes.map(({ ts }) => ts - START_MS / 1000),
          [0, 0, 0, 5, 10, 15, 20, 30],
          'the times',
        );
        const expiry = changes[5];
        checkEqual(
          [expiry?.operation, expiry?.previous, expiry?.previousPosition],
          ['delete', renewed.document, changes[3]?.position],
          'an expiry',
        );
        checkEqual((await readAll(store, { from: { cursor } })).changes, [], 'nothing twice');
        await store.create({ id: 'more', pk: 'p' });
        checkEqual((await readAll(store, { from: { cursor } })).changes.map(told), ['create more'], 'nothing twice after a write');
        checkEqual((await readAll(store, { from: start, partitionKey: undefined })).changes.map(told), [...expected, 'create more'], 'all');
      },
      { defaultTtl: -1 },
    ));

  test('a document made where an expired one was is a delete and a create', () =>
    recorded(
      async ({ store }, clock) => {
        const start = await cursorOfNow(store);
        await store.create({ id: 'x', pk: 'p', u: 1 });
        await store.create({ id: 'y', pk: 'p', u: 2 });
        await clock.advance(10_000);
        await store.upsert({ id: 'x', pk: 'p', u: 2 });
        const { changes } = await readAll(store, { from: start });
        checkEqual(changes.map(told), ['create x', 'create y', 'expire x', 'expire y', 'create x'], 'the changes');
        if (store.capabilities.transact) {
          await clock.advance(4000);
          const behind = await cursorOfNow(store);
          await store.transact('p', async (transaction) => {
            await transaction.create({ id: 'first', pk: 'p', u: 3, ttl: 2 });
            await clock.advance(7000);
            await transaction.create({ id: 'x', pk: 'p', u: 4 });
          });
          checkEqual(
            (await readAll(store, { from: behind })).changes.map(told),
            ['create first', 'expire first', 'expire x', 'create x'],
            'within a transaction',
          );
        }
      },
      { defaultTtl: 10, uniqueKeys: [['/u']] },
    ));

  test('another default time to live lets documents expire when it is set, and brings none back', () =>
    recorded(
      async ({ backend, store }, clock) => {
        const start = await cursorOfNow(store);
        const replace = (defaultTtl: number): Promise<unknown> =>
          backend.replaceContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk', defaultTtl, ...POLICY });
        await store.create({ id: 'a', pk: 'p', ttl: 5 });
        await store.create({ id: 'b', pk: 'p' });
        await clock.advance(20_000);
        await replace(10);
        await clock.advance(20_000);
        await store.create({ id: 'c', pk: 'p' });
        await replace(1000);
        await clock.advance(100_000);
        const { changes } = await readAll(store, { from: start });
        checkEqual(changes.map(told), ['create a', 'create b', 'expire a', 'expire b', 'create c'], 'the changes');
        checkEqual(
          changes.map(({ ts }) => ts - START_MS / 1000),
          [0, 0, 5, 20, 40],
          'the times',
        );
      },
      { defaultTtl: -1 },
    ));

  test('several who read at once see the same, and each expiry once', () =>
    recorded(
      async ({ store, openStore }, clock) => {
        const start = await cursorOfNow(store);
        for (let n = 0; n < 40; n += 1) {
          await store.create({ id: `${n}`, pk: n % 3, ttl: 1 + ((n * 7) % 20) });
        }
        await clock.advance(100_000);
        const stores = [store, await openStore(), await openStore()];
        const seen = await Promise.all(stores.map((one, index) => readAll(one, { from: start, maxItemCount: 7 + index })));
        const [first = []] = seen.map(({ changes }) => changes.map(told));
        checkEqual(first.length, 80, 'the number of changes');
        checkEqual(new Set(first).size, 80, 'the number of different changes');
        for (const { changes } of seen) {
          checkEqual(changes.map(told), first, 'what one of them saw');
        }
        const times = (seen[0]?.changes ?? []).slice(40).map(({ ts }) => ts);
        checkEqual(
          times,
          times.toSorted((left, right) => left - right),
          'the times of expiry, in the order of the feed',
        );
      },
      { defaultTtl: -1 },
    ));
}
