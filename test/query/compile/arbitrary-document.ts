import fc from 'fast-check';
import { setOwn, type JsonObject, type JsonValue } from '../../../src/core/json.ts';

const OTHERS: readonly JsonValue[] = [null, true, false];
const NUMBERS: readonly number[] = '0 1 -1 2 3 0.5 -0.5 1.5 2.5 -2.5 0.1 10 100 1e21 -1e21 1e-7 1e308 -1e308 5e-324 0.49999999999999994'
  .split(' ')
  .map(Number)
  .concat(2147483647, 2147483648, -2147483649, 9007199254740991, 9007199254740992, 2 ** 62, 2 ** 63, -(2 ** 63), 2 ** 64);
const TEXTS: readonly string[] =
  'a A ab abc Abc b ba é É ß ſ K i̇ 😀 \uff5e a😀b aéb \ud7ff \u{10ffff} [ { [1] ["a"] {"a":1} true 1 0 null % _ a%b a_b a*b ? [a]'
    .split(' ')
    .concat('', ' a ', '\ta\n', '\u00a0a', 'x\u0000y', "it's", 'a"b', 'a\\b', '\n', '\u007f', '2020-01-01T00:00:00Z');
const PRIMITIVES: readonly JsonValue[] = [...OTHERS, ...NUMBERS, ...TEXTS];

/** Names of properties, those that SQL or a JSON path could stumble over among them. */
export const KEYS: readonly string[] = 'a b n s list o id a b list o it\'s q"q b\\s é 😀 __proto__ constructor 10 0 $ a.b [0] # type value'
  .split(' ')
  .concat('a b', '', 'x\ny', 'a\u0000');

const primitive: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PRIMITIVES) },
  { weight: 1, arbitrary: fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => (value === 0 ? 0 : value)) },
  { weight: 1, arbitrary: fc.integer({ min: -5, max: 5 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'A'), maxLength: 4 }) },
);

function toObject(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  const object = {};
  for (const [key, value] of entries) {
    setOwn(object, key, value);
  }
  return object;
}

const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'n', 's', 'list', 'o') },
  { weight: 1, arbitrary: fc.constantFrom(...KEYS) },
);

/** JSON values of all types, from a small pool, so that equal ones meet. */
export const arbitraryValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: primitive },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map(toObject) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<JsonValue>([], {}, [1], ['a'], [1, 'a', null, true], [[1]], { a: 1, b: 2 }, { b: 2, a: 1 }, [
        { a: 1, b: 2 },
      ]),
    },
  ),
})).value;

/** Numbers and strings of the pool. */
export const arbitraryNumber: fc.Arbitrary<number> = fc.oneof(fc.constantFrom(...NUMBERS), fc.integer({ min: -3, max: 3 }));
export const arbitraryText: fc.Arbitrary<string> = fc.constantFrom(...TEXTS);

function mostly<T extends JsonValue>(usual: fc.Arbitrary<T>): fc.Arbitrary<JsonValue | undefined> {
  return fc.oneof(
    { weight: 7, arbitrary: usual as fc.Arbitrary<JsonValue> },
    { weight: 2, arbitrary: arbitraryValue },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

/** Documents without `id` and system properties: `n` is mostly a number, `s` a string, `list` an array, `o` an object, the others anything. */
export const arbitraryBody: fc.Arbitrary<JsonObject> = fc
  .record({
    n: mostly(arbitraryNumber),
    s: mostly(arbitraryText),
    a: mostly(primitive),
    b: mostly(primitive),
    list: mostly(fc.array(arbitraryValue, { maxLength: 4 })),
    o: mostly(fc.array(fc.tuple(key, arbitraryValue), { maxLength: 3 }).map(toObject)),
    more: fc.array(fc.tuple(key, arbitraryValue), { maxLength: 2 }),
  })
  .map(({ more, ...usual }) =>
    toObject([...Object.entries(usual).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined), ...more]),
  );
