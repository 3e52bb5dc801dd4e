import { checkEqual, checkRejects } from '../checks.ts';
import { codesOf } from './batch.suite.ts';
import { checkContent, settleAll, type ConformanceContext } from './conformance-context.ts';

/** Unique keys: values that no two documents of one partition key may share. */
export function uniqueKeysSuite({ test, withStore }: ConformanceContext): void {
  test('a unique value is taken within its partition key only', () =>
    withStore(
      async ({ store }) => {
        await store.create({ id: '1', pk: 'p', email: 'a@x' });
        await checkRejects(store.create({ id: '2', pk: 'p', email: 'a@x' }), 'CONFLICT', 'create');
        await checkRejects(store.upsert({ id: '2', pk: 'p', email: 'a@x' }), 'CONFLICT', 'upsert');
        await store.create({ id: '2', pk: 'q', email: 'a@x' });
        await store.create({ id: '2', pk: 'p', email: 'A@x' });
        await checkRejects(store.replace({ id: '2', pk: 'p', email: 'a@x' }), 'CONFLICT', 'replace');
        await checkRejects(store.patch('2', 'p', [{ op: 'set', path: '/email', value: 'a@x' }]), 'CONFLICT', 'patch');
        checkEqual((await store.read('2', 'p'))?.document['email'], 'A@x', 'the value after the refusals');
      },
      { uniqueKeys: [['/email']] },
    ));

  test('a document may be written again with its own value, and a value given up is free', () =>
    withStore(
      async ({ store }) => {
        await store.create({ id: '1', pk: 'p', u: 1 });
        await store.replace({ id: '1', pk: 'p', u: 1, n: 1 });
        await store.replace({ id: '1', pk: 'p', u: 2 });
        await store.create({ id: '2', pk: 'p', u: 1 });
        await checkRejects(store.replace({ id: '1', pk: 'p', u: 1 }), 'CONFLICT', 'taking it back');
        await store.delete('2', 'p');
        await store.replace({ id: '1', pk: 'p', u: 1 });
      },
      { uniqueKeys: [['/u']] },
    ));

  test('values of several paths are unique together, of several keys each by itself', () =>
    withStore(
      async ({ store }) => {
        await store.create({ id: '1', pk: 'p', name: { first: 'Ada', last: 'King' }, badge: 1 });
        await store.create({ id: '2', pk: 'p', name: { first: 'Ada', last: 'Byron' }, badge: 2 });
        await checkRejects(store.create({ id: '3', pk: 'p', name: { first: 'Ada', last: 'King' }, badge: 3 }), 'CONFLICT', 'the name');
        await checkRejects(store.create({ id: '3', pk: 'p', name: { first: 'Joe', last: 'King' }, badge: 2 }), 'CONFLICT', 'the badge');
      },
      { uniqueKeys: [['/name/first', '/name/last'], ['/badge']] },
    ));

  test('values differ by type, and a missing value counts as null', () =>
    withStore(
      async ({ store }) => {
        for (const [index, u] of [1, '1', true, 'true', null].entries()) {
          await store.create({ id: `${index}`, pk: 'p', u });
        }
        await checkRejects(store.create({ id: 'missing', pk: 'p' }), 'CONFLICT', 'a missing value beside null');
        await store.create({ id: 'missing', pk: 'q' });
        await checkRejects(store.create({ id: 'null', pk: 'q', u: null }), 'CONFLICT', 'null beside a missing value');
      },
      { uniqueKeys: [['/u']] },
    ));

  test('a batch may pass a value on, and one that breaks a unique key is undone', () =>
    withStore(
      async ({ store }) => {
        await store.create({ id: '1', pk: 'p', u: 1 });
        const passed = await store.batch('p', [
          { type: 'replace', document: { id: '1', pk: 'p', u: 2 } },
          { type: 'create', document: { id: '2', pk: 'p', u: 1 } },
        ]);
        checkEqual(codesOf(passed), ['ok', 'ok'], 'passing the value on');
        const broken = await store.batch('p', [
          { type: 'delete', id: '1' },
          { type: 'create', document: { id: '3', pk: 'p', u: 1 } },
        ]);
        checkEqual(codesOf(broken), ['FAILED_DEPENDENCY', 'CONFLICT'], 'breaking it');
        await checkContent(
          store,
          [
            { id: '1', pk: 'p', u: 2 },
            { id: '2', pk: 'p', u: 1 },
          ],
          'the documents',
        );
      },
      { uniqueKeys: [['/u']] },
    ));

  test('of concurrent creates with one unique value exactly one succeeds', () =>
    withStore(
      async ({ store }) => {
        const results = await settleAll(Array.from({ length: 10 }, (_, index) => store.create({ id: `${index}`, pk: 'p', u: 'same' })));
        checkEqual(results.filter((result) => result.status === 'fulfilled').length, 1, 'creates that succeeded');
      },
      { uniqueKeys: [['/u']] },
    ));
}
