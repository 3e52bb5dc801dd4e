import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, compareStrings, compareValues, equalValues, typeRank } from '../../src/core/json-order.ts';
import type { JsonValue } from '../../src/core/json.ts';

const ORDERED: readonly (JsonValue | undefined)[] = [
  undefined,
  null,
  false,
  true,
  -1e308,
  -1,
  -5e-324,
  0,
  5e-324,
  1,
  1.5,
  1e308,
  '',
  '\u0000',
  '1',
  'A',
  'a',
  'a\u0000',
  'aa',
  'é',
  '\ue000',
  '\uffff',
  '😀',
  [],
  [null],
  [1],
  [1, 1],
  ['a'],
  [[]],
  {},
  { a: 1 },
  { a: 1, b: 0 },
  { a: 2 },
  { b: 0 },
];

const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<JsonValue>(null, true, false, 0, -0, 1, '', 'a', '10'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '10', 'é'), tie('value'), { maxKeys: 3 }) as fc.Arbitrary<JsonValue>,
  ),
})).value;
const optional = fc.option(json, { nil: undefined, freq: 10 });

describe('the order of JSON values', () => {
  test('goes undefined, null, booleans, numbers, strings, arrays, objects, and by value within each', () => {
    for (const [left, a] of ORDERED.entries()) {
      for (const [right, b] of ORDERED.entries()) {
        expect(Math.sign(compareValues(a, b)), `${JSON.stringify(a)} against ${JSON.stringify(b)}`).toBe(Math.sign(left - right));
      }
    }
    expect(ORDERED.map(typeRank)).toEqual(ORDERED.map(typeRank).toSorted((left, right) => left - right));
  });

  test('is antisymmetric and transitive', () => {
    fc.assert(
      fc.property(optional, optional, optional, (a, b, c) => {
        expect(Math.sign(compareValues(a, b))).toBe(0 - Math.sign(compareValues(b, a)) || 0);
        if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) {
          expect(compareValues(a, c)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('says equal exactly where equality and the canonical text do', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const equal = equalValues(a, b);
        expect(compareValues(a, b) === 0).toBe(equal);
        expect(canonicalJson(a) === canonicalJson(b)).toBe(equal);
        expect(equalValues(a, JSON.parse(JSON.stringify(a)) as JsonValue)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('the order of members, absent members and the sign of zero do not matter', () => {
    expect(equalValues({ a: 1, b: -0 }, { b: 0, a: 1 })).toBe(true);
    expect(equalValues({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(canonicalJson({ b: -0, a: 1, c: undefined })).toBe('{"a":1,"b":0}');
  });

  test('nothing is coerced', () => {
    for (const [a, b] of [
      [1, '1'],
      [0, false],
      [null, undefined],
      [[1], 1],
      [[], {}],
      ['a', 'A'],
      [{ a: 1 }, { a: 1, b: null }],
    ] as const) {
      expect(equalValues(a, b)).toBe(false);
    }
  });
});

describe('compareStrings', () => {
  test('is the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 6 }), (a, b) => {
        expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 1000 },
    );
  });

  test('puts characters beyond U+FFFF behind all others, unlike the operator <', () => {
    const [beyond, within] = ['😀', '～'] as string[] as [string, string];
    expect(compareStrings(beyond, within)).toBeGreaterThan(0);
    expect(beyond < within).toBe(true);
  });
});
