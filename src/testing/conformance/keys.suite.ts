import type { JsonObject } from '../../core/json.ts';
import type { PartitionKeyComponent, PartitionKeyInput } from '../../store/partition-key.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkContent, withoutSystem, type ConformanceContext, type Item } from './conformance-context.ts';

const KEYS: readonly PartitionKeyComponent[] = [
  'a',
  'A',
  '',
  '1',
  1,
  1.5,
  -1,
  'true',
  true,
  false,
  'null',
  null,
  undefined,
  '{}',
  '[]',
  'é',
  'e\u0301',
  'a ',
  '😀',
];

const IDS: readonly string[] = [
  ' ',
  'with space',
  ' leading',
  'trailing ',
  "single ' quote",
  'double " quote',
  'back ` tick',
  '%20',
  'a%2Fb',
  'a+b&c=d?e',
  '😀 smile',
  'é',
  'e\u0301',
  'Case',
  'case',
  'tab\tand\nline',
  'nul \u0000 within',
  '__proto__',
  'constructor',
  '10',
  '-1',
  "'; DROP TABLE documents; --",
];

function itemWith(id: string, pk: PartitionKeyComponent, rest: JsonObject = {}): Item {
  return pk === undefined ? { id, ...rest } : { id, pk, ...rest };
}

/** Ids and partition keys: what they may be, and that only both together name a document. */
export function keysSuite({ test, withStore }: ConformanceContext): void {
  test('documents whose partition keys differ only in type, case or presence are different documents', () =>
    withStore(async ({ store }) => {
      const items = KEYS.map((pk, index) => itemWith('same', pk, { index }));
      for (const item of items) {
        await store.create(item);
      }
      for (const [index, pk] of KEYS.entries()) {
        const found = await store.read('same', pk);
        checkEqual(withoutSystem(found?.document), items[index], `the document of partition key ${JSON.stringify(pk)}`);
      }
      await store.delete('same', 1);
      check((await store.read('same', 1)) === undefined, 'the document of partition key 1 to be deleted');
      await checkContent(
        store,
        items.filter((item) => item['pk'] !== 1),
        'the documents after one was deleted',
      );
    }));

  test('one partition key scopes a change feed to its own documents', () =>
    withStore(async ({ store }) => {
      for (const [index, pk] of KEYS.entries()) {
        await store.create(itemWith('same', pk, { index }));
      }
      for (const [index, pk] of KEYS.entries()) {
        const page = await store.changes({ partitionKey: [pk] }).nextPage();
        checkEqual(
          page.changes.map((change) => change.document['index']),
          [index],
          `changes of partition key ${JSON.stringify(pk)}`,
        );
      }
    }));

  test('zero and minus zero are one partition key', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'zero', pk: -0 });
      check((await store.read('zero', 0)) !== undefined, 'pk -0 to be read with 0');
      await checkRejects(store.create({ id: 'zero', pk: 0 }), 'CONFLICT', 'a second document with pk 0');
    }));

  test('an id may hold any character but / \\ and #, and is case-sensitive', () =>
    withStore(async ({ store }) => {
      for (const [index, id] of IDS.entries()) {
        await store.create({ id, pk: 'p', index });
      }
      for (const [index, id] of IDS.entries()) {
        checkEqual((await store.read(id, 'p'))?.document['index'], index, `index of the document ${JSON.stringify(id)}`);
        await store.replace({ id, pk: 'p', index, replaced: true });
      }
      const many = await store.readMany(IDS.map((id) => ({ id, partitionKey: 'p' })));
      checkEqual(
        many.documents.map((document) => document?.id),
        IDS,
        'ids of readMany',
      );
      for (const id of IDS) {
        await store.delete(id, 'p');
      }
      await checkContent(store, [], 'the documents after all were deleted');
    }));

  for (const [id, why] of [
    ['a/b', 'a slash'],
    ['a\\b', 'a backslash'],
    ['a#b', 'a hash'],
    ['', 'no character'],
    ['x\ud800', 'a lone surrogate'],
  ] as const) {
    test(`an id with ${why} is refused everywhere`, () =>
      withStore(async ({ store }) => {
        await checkRejects(store.create({ id, pk: 'p' }), 'INVALID_ID', 'create');
        await checkRejects(store.upsert({ id, pk: 'p' }), 'INVALID_ID', 'upsert');
        await checkRejects(store.replace({ id, pk: 'p' }), 'INVALID_ID', 'replace');
        await checkRejects(store.read(id, 'p'), 'INVALID_ID', 'read');
        await checkRejects(store.delete(id, 'p'), 'INVALID_ID', 'delete');
        await checkRejects(store.patch(id, 'p', [{ op: 'set', path: '/a', value: 1 }]), 'INVALID_ID', 'patch');
      }));
  }

  test('an id that is missing or no string is refused', () =>
    withStore(async ({ store }) => {
      for (const id of [undefined, null, 7, true, {}, ['x']]) {
        await checkRejects(store.create({ id, pk: 'p' } as unknown as Item), 'INVALID_ID', `create with id ${JSON.stringify(id)}`);
      }
      await checkRejects(store.create({ pk: 'p' } as unknown as Item), 'INVALID_ID', 'create without id');
    }));

  test('an id has up to 1,023 bytes of UTF-8, and 1,024 are refused', () =>
    withStore(async ({ store }) => {
      for (const longest of ['x'.repeat(1023), `${'😀'.repeat(255)}xyz`, `${'é'.repeat(511)}x`]) {
        await store.create({ id: longest, pk: 'p' });
        checkEqual((await store.read(longest, 'p'))?.document.id, longest, 'an id of 1,023 bytes');
        await checkRejects(store.create({ id: `${longest}x`, pk: 'p' }), 'INVALID_ID', 'an id of 1,024 bytes');
      }
    }));

  test('a partition key that is an array, an object or not finite is refused', () =>
    withStore(async ({ store }) => {
      await checkRejects(store.create({ id: 'x', pk: ['p'] }), 'BAD_REQUEST', 'an array as partition key');
      await checkRejects(store.create({ id: 'x', pk: { p: 1 } }), 'BAD_REQUEST', 'an object as partition key');
      await checkRejects(store.read('x', Number.NaN), 'BAD_REQUEST', 'NaN as partition key');
      await checkRejects(store.read('x', {} as unknown as PartitionKeyInput), 'BAD_REQUEST', 'an object to read with');
      await checkRejects(store.read('x', 'p\udc00'), 'BAD_REQUEST', 'a lone surrogate in a partition key');
      await checkRejects(store.read('x', ['p', 'q']), 'PARTITION_KEY_MISMATCH', 'two components for one path');
    }));

  test('NUL and every other control character may be in a partition key', () =>
    withStore(async ({ store }) => {
      const keys = ['a\u0000b', 'a', '\u0000', '\u001f', '\u007f'];
      for (const pk of keys) {
        await store.create({ id: 'x', pk });
      }
      for (const pk of keys) {
        checkEqual((await store.read('x', pk))?.document['pk'], pk, `the partition key ${JSON.stringify(pk)}`);
      }
    }));

  test('a nested partition key path is followed, and anything but an object on the way counts as missing', () =>
    withStore(
      async ({ store }) => {
        await store.create({ id: '1', owner: { name: 'ada' } });
        await store.create({ id: '2', owner: 'ada' });
        await store.create({ id: '3' });
        check((await store.read('1', 'ada')) !== undefined, 'the nested value to be the partition key');
        check((await store.read('2', undefined)) !== undefined, 'a string on the way to count as missing');
        check((await store.read('3', [undefined])) !== undefined, 'an absent object to count as missing');
      },
      { partitionKey: '/owner/name' },
    ));

  hierarchySuite({ test, withStore });
}

function hierarchySuite({ test, withStore }: Pick<ConformanceContext, 'test' | 'withStore'>): void {
  for (const paths of [
    ['/tenant', '/user'],
    ['/tenant', '/user', '/session'],
  ]) {
    test(`a hierarchical partition key of ${paths.length} paths takes all its levels together`, () =>
      withStore(
        async ({ store }) => {
          const values: readonly PartitionKeyComponent[] = ['a', 'b', 1, null, undefined];
          const keys = values.flatMap((tenant) => values.map((user) => [tenant, user, 's'].slice(0, paths.length)));
          for (const [index, key] of keys.entries()) {
            const members = paths.map((path, level) => [path.slice(1), key[level]] as const).filter(([, value]) => value !== undefined);
            await store.create({ id: 'same', index, ...Object.fromEntries(members) });
          }
          for (const [index, key] of keys.entries()) {
            checkEqual((await store.read('same', key))?.document['index'], index, `document of key ${JSON.stringify(key)}`);
          }
          await checkRejects(store.read('same', ['a']), 'PARTITION_KEY_MISMATCH', 'a read with a prefix');
          const prefixed: number[] = [];
          for await (const change of store.changes({ partitionKey: ['a'] })) {
            prefixed.push(Number(change.document['index']));
          }
          checkEqual(
            prefixed.sort((left, right) => left - right),
            [0, 1, 2, 3, 4],
            'changes under the prefix ["a"]',
          );
        },
        { partitionKey: paths },
      ));
  }
}
