import type { JsonObject } from '../../core/json.ts';
import { SYSTEM_PROPERTY_NAMES } from '../../store/document.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { withoutSystem, type ConformanceContext, type Item } from './conformance-context.ts';

const NUMBERS: readonly number[] = [
  0,
  1,
  -1,
  0.1,
  0.1 + 0.2,
  1e308,
  -1e308,
  Number.MAX_VALUE,
  5e-324,
  -5e-324,
  2.2250738585072014e-308,
  2 ** 53,
  -(2 ** 53),
  2 ** 53 + 2,
  2 ** 63,
  1e21,
  1e-7,
  123456789012345680000,
];

const STRINGS: readonly string[] = [
  '',
  ' ',
  'nul\u0000nul',
  '\u0000',
  '\u0001\u001f\u007f\u0080',
  '\u2028\u2029',
  '\ufeff bom',
  '\ufffd\uffff',
  '😀 👩‍👩‍👧 \u{10ffff}',
  'é e\u0301',
  '"\\/\b\f\n\r\t',
  '\\ud800',
  '2024-02-29T00:00:00Z',
  "'); DROP TABLE documents; --",
];

/** Every key here is written through JSON text, as a program that parses a body would have it. */
const KEYS_TEXT =
  '{"id":"keys","pk":"p","zeta":1,"__proto__":{"polluted":true},"constructor":"c","prototype":null,"hasOwnProperty":1,"toString":"t","10":"ten","2":"two",' +
  '"01":"text","-1":"minus","":"empty","a.b":1,"$set":1,"a b":1,"nul\\u0000key":1,"\\u0000":2,"\ud83d\ude00":3,"\\"quoted\\"":4,"back\\\\slash":5,"é":6,"alpha":7}';

function nested(depth: number): JsonObject {
  let value: JsonObject = { end: true };
  for (let level = 1; level < depth; level += 1) {
    value = { in: value };
  }
  return value;
}

/** What was written is what is read. */
export function valuesSuite({ test, withStore }: ConformanceContext): void {
  const roundTrip = (name: string, item: () => Item): void => {
    test(name, () =>
      withStore(async ({ store }) => {
        const written = item();
        const result = await store.create(written);
        const read = await store.read(written.id, 'p');
        checkEqual(withoutSystem(read?.document), written, 'the document read');
        checkEqual(result.document, read?.document, 'the document that the write gave, against the one read');
        if (store.capabilities.propertyOrder) {
          checkEqual(Object.keys(read?.document ?? {}), [...Object.keys(written), ...SYSTEM_PROPERTY_NAMES], 'the property order');
        }
      }),
    );
  };

  roundTrip('every number that a double holds comes back', () => ({ id: 'numbers', pk: 'p', NUMBERS }));
  roundTrip('every string comes back, NUL and separators included', () => ({ id: 'strings', pk: 'p', STRINGS }));
  roundTrip('null, booleans, empty arrays and empty objects come back', () => ({
    id: 'empty',
    pk: 'p',
    values: [null, true, false, [], {}, [[]], [{}], { a: [] }],
    nothing: null,
  }));
  roundTrip(
    'keys that mean something to JavaScript, look like numbers or hold odd characters come back',
    () => JSON.parse(KEYS_TEXT) as Item,
  );
  roundTrip('properties come back in the order they were written in', () => ({
    id: 'order',
    pk: 'p',
    z: 1,
    a: { y: 1, b: 2 },
    m: [{ q: 1, c: 2 }],
    B: 1,
    Ä: 1,
  }));
  roundTrip('a document may be nested 128 levels deep', () => ({ id: 'deep', pk: 'p', in: nested(127) }));
  roundTrip('the id may stand anywhere', () => ({ pk: 'p', before: 1, id: 'last' }));

  test('a document nested deeper than 128 levels is refused', () =>
    withStore(async ({ store }) => {
      await checkRejects(store.create({ id: 'deep', pk: 'p', in: nested(128) }), 'INVALID_DOCUMENT', 'level 129');
    }));

  test('minus zero is stored as zero', () =>
    withStore(async ({ store }) => {
      const result = await store.create({ id: 'zero', pk: 'p', a: -0, b: [-0, { c: -0 }] });
      const read = await store.read('zero', 'p');
      checkEqual(withoutSystem(read?.document), { id: 'zero', pk: 'p', a: 0, b: [0, { c: 0 }] }, 'the document read');
      checkEqual(withoutSystem(result.document), withoutSystem(read?.document), 'the document that the write gave');
    }));

  test('of duplicate keys in a body the last wins', () =>
    withStore(async ({ store }) => {
      await store.create(JSON.parse('{"id":"twice","pk":"p","n":1,"o":{"k":"first","k":"last"},"n":2}') as Item);
      checkEqual(
        withoutSystem((await store.read('twice', 'p'))?.document),
        { id: 'twice', pk: 'p', n: 2, o: { k: 'last' } },
        'the document',
      );
    }));

  test('members that are undefined are absent, and toJSON is heeded', () =>
    withStore(async ({ store }) => {
      const when = new Date(86400000);
      await store.create({ id: 'x', pk: 'p', gone: undefined, in: { gone: undefined, kept: 1 }, when } as unknown as Item);
      checkEqual(
        withoutSystem((await store.read('x', 'p'))?.document),
        { id: 'x', pk: 'p', in: { kept: 1 }, when: '1970-01-02T00:00:00.000Z' },
        'the document',
      );
    }));

  for (const [what, value] of [
    ['NaN', Number.NaN],
    ['an infinite number', Number.POSITIVE_INFINITY],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Map', new Map([['a', 1]])],
    ['undefined in an array', [undefined]],
    ['a lone high surrogate', 'x\ud83d'],
    ['a lone low surrogate', '\ude00x'],
    ['a key with a lone surrogate', { '\ud800': 1 }],
  ] as const) {
    test(`a document with ${what} is refused and nothing is stored`, () =>
      withStore(async ({ store }) => {
        const item = { id: 'x', pk: 'p', in: { bad: value } } as unknown as Item;
        await checkRejects(store.create(item), 'INVALID_DOCUMENT', 'create');
        await checkRejects(store.upsert(item), 'INVALID_DOCUMENT', 'upsert');
        check((await store.read('x', 'p')) === undefined, 'nothing to be stored');
      }));
  }

  test('anything but an object is refused as a document', () =>
    withStore(async ({ store }) => {
      for (const value of [null, undefined, 'text', 7, true, ['x']]) {
        await checkRejects(store.create(value as unknown as Item), 'INVALID_DOCUMENT', `create of ${JSON.stringify(value)}`);
      }
    }));

  test('a document of 2 MB is stored, and one byte more is refused', () =>
    withStore(async ({ store }) => {
      const empty = JSON.stringify({ id: 'big', pk: 'p', text: '' }).length;
      const ascii = 'x'.repeat(2 * 1024 * 1024 - empty);
      await store.create({ id: 'big', pk: 'p', text: ascii });
      check((await store.read('big', 'p'))?.document['text'] === ascii, 'the 2 MB to come back');
      await checkRejects(store.upsert({ id: 'big', pk: 'p', text: `${ascii}x` }), 'TOO_LARGE', 'one byte more');
      await checkRejects(
        store.upsert({ id: 'big', pk: 'p', text: `${ascii.slice(0, -1)}é` }),
        'TOO_LARGE',
        'as many characters, one byte more',
      );
    }));

  test('what a store gave or took is nobody else’s: changing it changes nothing stored', () =>
    withStore(async ({ store }) => {
      const list = [1];
      const result = await store.create({ id: 'x', pk: 'p', list });
      list.push(2);
      (result.document as unknown as { list: number[] }).list.push(3);
      const first = await store.read('x', 'p');
      check(first !== undefined, 'the document');
      (first.document as unknown as { list: number[] }).list.push(4);
      checkEqual((await store.read('x', 'p'))?.document['list'], [1], 'the list stored');
    }));

  test('system properties are the store’s: a caller’s values for them are ignored', () =>
    withStore(async ({ store }) => {
      const own = { _rid: 'mine', _self: 'mine', _etag: 'mine', _attachments: 'mine', _ts: 1 };
      const result = await store.create({ id: 'x', pk: 'p', ...own, _other: 'kept' });
      checkEqual(withoutSystem(result.document), { id: 'x', pk: 'p', _other: 'kept' }, 'the caller’s part');
      check(result.etag === result.document._etag && result.ts === result.document._ts, 'etag and ts to be those of the document');
      check(/^".+"$/u.test(result.etag), 'an etag in quotes');
      check(result.ts > 1 && Number.isInteger(result.ts), 'a time in whole seconds');
      const again = await store.replace(result.document as unknown as Item);
      checkEqual(again.document._rid, result.document._rid, '_rid after a replace');
      check(again.etag !== result.etag, 'another etag after a replace with the same content');
    }));
}
