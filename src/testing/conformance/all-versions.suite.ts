import type { ChangesOptions } from '../../store/changes.ts';
import { effectivePartitionKey } from '../../store/effective-partition-key.ts';
import { check, checkAborts, checkEqual, checkRejects } from '../checks.ts';
import { CONTAINER, DATABASE, settleAll, withoutSystem, type ConformanceContext, type Item } from './conformance-context.ts';
import { cursorOfNow, readAll, recordedWith, START_MS, told } from './recorded-versions.ts';

/** The change feed of all versions and deletes. */
export function allVersionsSuite(context: ConformanceContext): void {
  const { test } = context;
  const recorded = recordedWith(context);

  test('every create, replace and delete comes in commit order, with the document before and after it', () =>
    recorded(async ({ store }, clock) => {
      const start = await cursorOfNow(store);
      const first = await store.create({ id: 'x', pk: 'p', n: 1 });
      await store.create({ id: 'y', pk: 'q' });
      await clock.advance(5000);
      const second = await store.replace({ id: 'x', pk: 'p', n: 2 });
      const third = await store.patch('x', 'p', [{ op: 'set', path: '/n', value: 3 }]);
      await clock.advance(5000);
      const gone = await store.delete('x', 'p');
      const again = await store.upsert({ id: 'x', pk: 'p', n: 4 });
      const { changes } = await readAll(store, { from: start });
      checkEqual(changes.map(told), ['create x', 'create y', 'replace x', 'replace x', 'delete x', 'create x'], 'the changes');
      const ofX = changes.filter(({ document }) => document.id === 'x');
      checkEqual(
        ofX.map(({ document, operation }) => (operation === 'delete' ? undefined : document)),
        [first.document, second.document, third.document, undefined, again.document],
        'the documents after each change',
      );
      checkEqual(
        ofX.map(({ previous }) => previous),
        [undefined, first.document, second.document, third.document, undefined],
        'the documents before each change',
      );
      checkEqual(
        ofX.map(({ previousPosition }) => previousPosition),
        [undefined, ofX[0]?.position, ofX[1]?.position, ofX[2]?.position, undefined],
        'the positions of the versions before',
      );
      const seconds = START_MS / 1000;
      checkEqual(
        changes.map(({ ts }) => ts - seconds),
        [0, 0, 5, 5, 10, 10],
        'the times',
      );
      const positions = changes.map(({ position }) => position ?? 0);
      check(
        positions.every((position, index) => position > (positions[index - 1] ?? 0)),
        'rising positions',
      );
      if (store.capabilities.positions) {
        checkEqual(ofX[3]?.position, gone.position, 'the position of the delete');
      }
      const { _rid, _self, _etag, _attachments } = third.document;
      checkEqual(ofX[3]?.document, { id: 'x', pk: 'p', _rid, _self, _etag, _attachments, _ts: seconds + 10 }, 'what is left of x');
    }));

  test('what the latest-version feed leaves out is there, and that feed is as ever', () =>
    recorded(async ({ store }) => {
      const start = await cursorOfNow(store);
      for (let n = 0; n < 5; n += 1) {
        await store.upsert({ id: 'x', pk: 'p', n });
      }
      const { changes } = await readAll(store, { from: start });
      checkEqual(
        changes.map(({ document }) => document['n']),
        [0, 1, 2, 3, 4],
        'all versions',
      );
      const latest = (await store.changes().nextPage()).changes;
      checkEqual(
        latest.map(({ document, operation, ts }) => [document['n'], operation, ts === document._ts]),
        [[4, undefined, true]],
        'the latest version',
      );
    }));

  test('what is left of a deleted document shows each kind of partition key', () =>
    recorded(
      async ({ store }) => {
        const start = await cursorOfNow(store);
        const keys: readonly { readonly a?: { readonly b: string | number | boolean }; readonly last?: string | null }[] = [
          { a: { b: 'text' } },
          { a: { b: 7 }, last: null },
          { a: { b: true }, last: 'z' },
          { last: 'only' },
          {},
        ];
        for (const [index, key] of keys.entries()) {
          await store.create({ id: `${index}`, ...key } as Item);
          await store.delete(`${index}`, [key.a?.b, key.last]);
        }
        const { changes } = await readAll(store, { from: start });
        checkEqual(
          changes.filter(({ operation }) => operation === 'delete').map(({ document }) => withoutSystem(document)),
          [
            { id: '0', a: { b: 'text' } },
            { id: '1', a: { b: 7 }, last: null },
            { id: '2', a: { b: true }, last: 'z' },
            { id: '3', last: 'only' },
            { id: '4' },
          ],
          'what is left',
        );
      },
      { partitionKey: ['/a/b', '/last'] },
    ));

  test('batches, bulks and transactions are there as far as they took effect', () =>
    recorded(async ({ store }) => {
      const start = await cursorOfNow(store);
      await store.batch('p', [
        { type: 'create', document: { id: 'a', pk: 'p' } },
        { type: 'upsert', document: { id: 'a', pk: 'p', n: 1 } },
        { type: 'create', document: { id: 'b', pk: 'p' } },
        { type: 'delete', id: 'a' },
      ]);
      await store.batch('p', [
        { type: 'create', document: { id: 'never', pk: 'p' } },
        { type: 'create', document: { id: 'b', pk: 'p' } },
      ]);
      await store.bulk([
        { type: 'create', document: { id: 'c', pk: 'q' } },
        { type: 'create', document: { id: 'c', pk: 'q' } },
        { type: 'patch', id: 'c', partitionKey: 'q', operations: [{ op: 'set', path: '/n', value: 1 }] },
        { type: 'delete', id: 'missing', partitionKey: 'q' },
      ]);
      await checkRejects(store.create({ id: 'c', pk: 'q' }), 'CONFLICT', 'a refused write');
      const expected = ['create a', 'replace a', 'create b', 'delete a', 'create c', 'replace c'];
      if (store.capabilities.transact) {
        await store.transact('t', async (transaction) => {
          await transaction.create({ id: 'd', pk: 't' });
          await transaction.replace({ id: 'd', pk: 't', n: 1 });
        });
        await settleAll([
          store.transact('t', async (transaction) => {
            await transaction.delete('d');
            throw new Error('undone');
          }),
        ]);
        expected.push('create d', 'replace d');
      }
      checkEqual((await readAll(store, { from: start })).changes.map(told), expected, 'the changes');
    }));

  test('pages, scopes and cursors: what is asked for comes exactly once, and a cursor is bound to mode and scope', () =>
    recorded(
      async ({ store }) => {
        const keys = [
          ['a', 1],
          ['a', 2],
          ['b', 1],
        ] as const;
        const middle = effectivePartitionKey(keys[1], store.definition.partitionKey);
        const scopes: readonly ChangesOptions[] = [
          {},
          { partitionKey: ['a', 1] },
          { partitionKey: ['a'] },
          { range: { min: '', max: middle } },
          { range: { min: middle, max: 'FF' } },
          { partitionKey: ['a'], range: { min: middle, max: 'FF' } },
        ];
        const starts: { readonly cursor: string }[] = [];
        for (const scope of scopes) {
          starts.push(await cursorOfNow(store, scope));
        }
        const expected: string[] = [];
        for (let n = 0; n < 12; n += 1) {
          const [pk, sub] = keys[n % 3] as (typeof keys)[number];
          const id = `${n % 5}`;
          const { created } = await store.upsert({ id, pk, sub, n });
          expected.push(`${created ? 'create' : 'replace'} ${id} ${pk}${sub}`);
          if (n % 4 === 3) {
            await store.delete(id, [pk, sub]);
            expected.push(`delete ${id} ${pk}${sub}`);
          }
        }
        const isBehind = (at: number): boolean => effectivePartitionKey(keys[at] ?? [], store.definition.partitionKey) >= middle;
        const members: readonly ((key: string) => boolean)[] = [
          () => true,
          (key) => key === 'a1',
          (key) => key.startsWith('a'),
          (key) => !isBehind(keys.findIndex(([pk, sub]) => key === `${pk}${sub}`)),
          (key) => isBehind(keys.findIndex(([pk, sub]) => key === `${pk}${sub}`)),
          (key) => key.startsWith('a') && isBehind(keys.findIndex(([pk, sub]) => key === `${pk}${sub}`)),
        ];
        for (const [index, scope] of scopes.entries()) {
          for (const maxItemCount of [1, 2, 100]) {
            const { changes } = await readAll(store, { ...scope, from: starts[index], maxItemCount });
            checkEqual(
              changes.map((change) => `${told(change)} ${change.document['pk'] as string}${change.document['sub'] as number}`),
              expected.filter((line) => members[index]?.(line.split(' ')[2] as string) === true),
              `scope ${index} in pages of ${maxItemCount}`,
            );
          }
        }
        const [whole, ofKey] = starts as [{ cursor: string }, { cursor: string }];
        const refused = (options: ChangesOptions, what: string): Promise<unknown> =>
          checkRejects(store.changes(options).nextPage(), 'INVALID_CONTINUATION', what);
        await refused({ mode: 'latest', from: whole }, 'a cursor of all versions for the latest ones');
        await refused({ mode: 'all', from: { cursor: (await store.changes().nextPage()).cursor } }, 'the other way around');
        await refused({ mode: 'all', from: whole, partitionKey: ['a', 1] }, 'a cursor of the container for one key');
        await refused({ mode: 'all', from: ofKey }, 'a cursor of one key for the container');
        await refused({ mode: 'all', from: { cursor: 'garbage' } }, 'garbage');
      },
      { partitionKey: ['/pk', '/sub'] },
    ));

  test('a signal ends the reading', () =>
    recorded(async ({ store }) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const start = await cursorOfNow(store);
      await store.create({ id: 'x', pk: 'p' });
      const feed = store.changes({ mode: 'all', from: start, signal: controller.signal });
      controller.abort(reason);
      await checkAborts(feed.nextPage(), reason, 'a page');
    }));

  test('what was recorded is there again when the data is opened anew', () =>
    recorded(
      async ({ store, opened }, clock) => {
        const start = await cursorOfNow(store);
        await store.create({ id: 'x', pk: 'p' });
        await store.replace({ id: 'x', pk: 'p', n: 1 });
        await store.create({ id: 'y', pk: 'p', ttl: 5 });
        const before = await readAll(store, { from: start });
        if (opened.reopen === undefined) {
          return;
        }
        await clock.advance(60_000);
        const backend = await opened.reopen();
        const again = await backend.container(DATABASE, CONTAINER);
        const { changes } = await readAll(again, { from: start });
        checkEqual(changes.slice(0, 3), before.changes, 'the changes from before');
        checkEqual(changes.slice(3).map(told), ['expire y'], 'what expired meanwhile');
        checkEqual((await readAll(again, { from: { cursor: before.cursor } })).changes, changes.slice(3), 'behind the last cursor');
      },
      { defaultTtl: -1 },
    ));
}
