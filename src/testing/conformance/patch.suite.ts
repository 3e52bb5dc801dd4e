import type { ErrorCode } from '../../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { PatchOperation } from '../../store/operations.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkNotSupported, withoutSystem, type ConformanceContext, type Item } from './conformance-context.ts';

type Case = readonly [name: string, before: JsonObject, operations: readonly PatchOperation[], after: JsonObject];

const set = (path: string, value: JsonValue): PatchOperation => ({ op: 'set', path, value });
const add = (path: string, value: JsonValue): PatchOperation => ({ op: 'add', path, value });
const replace = (path: string, value: JsonValue): PatchOperation => ({ op: 'replace', path, value });
const remove = (path: string): PatchOperation => ({ op: 'remove', path });
const incr = (path: string, value: number): PatchOperation => ({ op: 'incr', path, value });
const move = (from: string, path: string): PatchOperation => ({ op: 'move', from, path });

const CASES: readonly Case[] = [
  ['add creates a member', { a: 1 }, [add('/b', 2)], { a: 1, b: 2 }],
  ['add replaces a member that is there', { a: 1 }, [add('/a', 2)], { a: 2 }],
  ['add inserts into an array', { a: [1, 3] }, [add('/a/1', 2)], { a: [1, 2, 3] }],
  ['add at the length of an array appends', { a: [1] }, [add('/a/1', 2)], { a: [1, 2] }],
  ['add at - appends', { a: [1] }, [add('/a/-', 2)], { a: [1, 2] }],
  ['set creates a member', { a: 1 }, [set('/b', { c: [] })], { a: 1, b: { c: [] } }],
  ['set replaces a member', { a: { b: 1, c: 2 } }, [set('/a/b', null)], { a: { b: null, c: 2 } }],
  ['set replaces an element of an array', { a: [1, 2, 3] }, [set('/a/1', 9)], { a: [1, 9, 3] }],
  ['replace replaces what is there', { a: 1, b: [1, 2] }, [replace('/a', 'x'), replace('/b/0', 'y')], { a: 'x', b: ['y', 2] }],
  ['remove removes a member and an element', { a: 1, b: [1, 2, 3] }, [remove('/a'), remove('/b/1')], { b: [1, 3] }],
  ['incr adds, also negative and fractional', { a: 1, b: [1] }, [incr('/a', 2.5), incr('/b/0', -3)], { a: 3.5, b: [-2] }],
  ['incr creates a missing number', {}, [incr('/n', 5)], { n: 5 }],
  [
    'operations apply in order, each to the result of the one before',
    {},
    [set('/a', {}), set('/a/b', 1), incr('/a/b', 1)],
    { a: { b: 2 } },
  ],
  [
    '~1 and ~0 stand for / and ~',
    { 'a/b': 1, 'c~d': 1, '~1': 1 },
    [set('/a~1b', 2), set('/c~0d', 2), set('/~01', 2)],
    { 'a/b': 2, 'c~d': 2, '~1': 2 },
  ],
  [
    'a name may be anything',
    { '': { x: 1 }, '10': 1 },
    [set('//x', 2), set('/10', 2), set('/a b', 1)],
    { '10': 2, '': { x: 2 }, 'a b': 1 },
  ],
  [
    'ten operations are allowed',
    {},
    Array.from({ length: 10 }, (_, index) => set(`/k${index}`, index)),
    Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${index}`, index])),
  ],
];

const MOVES: readonly Case[] = [
  ['move takes a value to another name', { a: { x: 1 } }, [move('/a', '/b')], { b: { x: 1 } }],
  ['move replaces what is at the target', { a: 1, b: 2 }, [move('/a', '/b')], { b: 1 }],
  ['move takes an element out of an array', { a: [1, 2], o: {} }, [move('/a/0', '/o/first')], { a: [2], o: { first: 1 } }],
  ['move inserts into an array', { a: [1, 3], v: 2 }, [move('/v', '/a/1')], { a: [1, 2, 3] }],
];

const REFUSED: readonly (readonly [string, unknown])[] = [
  ['replace of a missing member', [replace('/missing', 1)]],
  ['remove of a missing member', [remove('/missing')]],
  ['a path whose parent is missing', [set('/missing/a', 1)]],
  ['a path through a number', [set('/n/a', 1)]],
  ['an index behind the end', [add('/list/9', 1)]],
  ['an index that is no number', [set('/list/x', 1)]],
  ['remove behind the end of an array', [remove('/list/3')]],
  ['incr of a text', [incr('/text', 1)]],
  ['incr beyond what a number holds', [incr('/huge', 1.7e308)]],
  ['incr by a text', [{ op: 'incr', path: '/n', value: '1' }]],
  ['an unknown operation', [{ op: 'copy', from: '/n', path: '/m' }]],
  ['a path without a slash', [{ op: 'set', path: 'n', value: 1 }]],
  ['a missing path', [{ op: 'set', value: 1 }]],
  ['a missing value', [{ op: 'set', path: '/n' }]],
  ['no operation', []],
  ['eleven operations', Array.from({ length: 11 }, () => set('/n', 1))],
  ['something that is no array', { op: 'set' }],
  ['the id', [set('/id', 'y')]],
  ['the partition key', [set('/pk', 'q')]],
  ['the etag', [set('/_etag', '"mine"')]],
  ['a valid operation before a refused one', [set('/n', 2), remove('/missing')]],
];

const BASE: Item = { id: 'x', pk: 'p', n: 1, text: 't', list: [1, 2, 3], huge: 1.7e308 };

/** Patches. */
export function patchSuite({ test, withStore }: ConformanceContext): void {
  const apply = ([name, before, operations, after]: Case): void => {
    test(name, () =>
      withStore(async ({ store }) => {
        const { etag } = await store.create({ id: 'x', pk: 'p', ...before });
        if (operations.some((operation) => operation.op === 'move') && !store.capabilities.patchMove) {
          await checkNotSupported(() => store.patch('x', 'p', operations), 'patchMove');
          return;
        }
        const result = await store.patch('x', 'p', operations);
        checkEqual(withoutSystem(result.document), { id: 'x', pk: 'p', ...after }, 'the document that the patch gave');
        checkEqual((await store.read('x', 'p'))?.document, result.document, 'the document read');
        check(!result.created && result.etag !== etag, 'created to be false and the etag to be new');
      }),
    );
  };
  CASES.forEach(apply);
  MOVES.forEach(apply);

  for (const [what, operations] of REFUSED) {
    test(`a patch with ${what} is refused and changes nothing`, () =>
      withStore(async ({ store }) => {
        const { document } = await store.create(BASE);
        await checkRejects(store.patch('x', 'p', operations as readonly PatchOperation[]), 'INVALID_PATCH', 'the patch');
        checkEqual((await store.read('x', 'p'))?.document, document, 'the document, etag included');
      }));
  }

  test('a patch needs a document', () =>
    withStore(async ({ store }) => {
      await checkRejects(store.patch('x', 'p', [set('/n', 1)]), 'NOT_FOUND', 'a patch of nothing');
      await checkRejects(store.patch('x', 'p', [set('/n', 1)], { condition: 'from c where c.n = 1' }), 'NOT_FOUND', 'with a condition');
    }));

  test('a patch cannot make a document larger than 2 MB', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'x', pk: 'p', text: 'x'.repeat(1024 * 1024) });
      await checkRejects(store.patch('x', 'p', [set('/more', 'x'.repeat(1024 * 1024))]), 'TOO_LARGE', 'the patch');
    }));

  conditionSuite({ test, withStore });
}

function conditionSuite({ test, withStore }: Pick<ConformanceContext, 'test' | 'withStore'>): void {
  const conditions: readonly (readonly [string, ErrorCode | undefined])[] = [
    ['from c where c.n = 1', undefined],
    ['FROM c WHERE c.n > 0 AND IS_STRING(c.text)', undefined],
    ['from item where item.list[1] = 2', undefined],
    ['from c where c.n = 2', 'PRECONDITION_FAILED'],
    ['from c where c.missing = 1', 'PRECONDITION_FAILED'],
    ['from c where c.n =', 'QUERY_SYNTAX'],
  ];
  for (const [condition, code] of conditions) {
    test(`a patch with the condition "${condition}" ${code === undefined ? 'applies' : `is refused with ${code}`}`, () =>
      withStore(async ({ store }) => {
        await store.create(BASE);
        const call = store.patch('x', 'p', [incr('/n', 10)], { condition });
        if (code === undefined) {
          await call;
        } else {
          await checkRejects(call, code, 'the patch');
        }
        checkEqual((await store.read('x', 'p'))?.document['n'], code === undefined ? 11 : 1, 'the value afterwards');
      }));
  }

  test('a condition and ifMatch must both hold', () =>
    withStore(async ({ store }) => {
      const { etag } = await store.create(BASE);
      const condition = 'from c where c.n = 1';
      await checkRejects(store.patch('x', 'p', [set('/n', 2)], { condition, ifMatch: '"other"' }), 'PRECONDITION_FAILED', 'a wrong etag');
      await checkRejects(
        store.patch('x', 'p', [set('/n', 2)], { condition: 'from c where c.n = 9', ifMatch: etag }),
        'PRECONDITION_FAILED',
        'a false condition',
      );
      await store.patch('x', 'p', [set('/n', 2)], { condition, ifMatch: etag });
    }));
}
