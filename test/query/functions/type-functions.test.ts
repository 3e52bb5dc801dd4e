import { describe, expect, test } from 'vitest';
import type { Argument } from '../../../src/query/functions/function-entry.ts';
import { callFunction, testCases, testUndefined } from './function-cases.ts';

const SAMPLES: readonly (readonly [name: string, value: Argument])[] = [
  ['undefined', undefined],
  ['null', null],
  ['boolean', false],
  ['integer', 12],
  ['fraction', 1.5],
  ['infinity', Number.POSITIVE_INFINITY],
  ['string', 'x'],
  ['array', []],
  ['object', {}],
];

const HOLDS: Readonly<Record<string, readonly string[]>> = {
  IS_ARRAY: ['array'],
  IS_BOOL: ['boolean'],
  IS_BOOLEAN: ['boolean'],
  IS_DEFINED: ['null', 'boolean', 'integer', 'fraction', 'infinity', 'string', 'array', 'object'],
  IS_FINITE_NUMBER: ['integer', 'fraction'],
  IS_INTEGER: ['integer'],
  IS_NULL: ['null'],
  IS_NUMBER: ['integer', 'fraction', 'infinity'],
  IS_OBJECT: ['object'],
  IS_PRIMITIVE: ['null', 'boolean', 'integer', 'fraction', 'infinity', 'string'],
  IS_STRING: ['string'],
  IS_DATETIME: [],
};

describe('type checks are never undefined', () => {
  for (const [name, holds] of Object.entries(HOLDS)) {
    test(`${name} holds for ${holds.join(', ') || 'none of the samples'}`, () => {
      for (const [type, value] of SAMPLES) {
        expect(callFunction(name, [value]), type).toBe(holds.includes(type));
      }
    });
  }

  testCases([
    ['IS_INTEGER', [2 ** 63], true],
    ['IS_INTEGER', [-(2 ** 63)], true],
    ['IS_INTEGER', [2 ** 64], false],
    ['IS_INTEGER', [Number.NaN], false],
    ['IS_DATETIME', ['2031-02-28'], true],
    ['IS_DATETIME', ['2031-02-29'], false],
    ['IS_DATETIME', ['2032-02-29Z'], true],
    ['IS_DATETIME', ['2031-02-28 23:59:59'], true],
    ['IS_DATETIME', ['2031-02-28T24:00:00Z'], false],
    ['IS_DATETIME', ['2031-02-28T10:00:00.1234567Z'], true],
    ['IS_DATETIME', ['2031-02-28T10:00:00.12345678Z'], false],
    ['IS_DATETIME', ['2031-02-28T10'], false],
    ['IS_DATETIME', ['2031-02-28T10:00:00.'], false],
    ['IS_DATETIME', ['31-02-28'], false],
  ]);
});

describe('conversions', () => {
  testUndefined(
    ['STRINGTOARRAY', 'STRINGTOBOOLEAN', 'STRINGTONULL', 'STRINGTONUMBER', 'STRINGTOOBJECT'],
    [[undefined], [null], [1], [true], [['1']], [{}], [''], ['nonsense'], ['"text"']],
  );

  testCases([
    ['STRINGTOARRAY', [' [1, "a", null] '], [1, 'a', null]],
    ['STRINGTOARRAY', ["['a']"], undefined],
    ['STRINGTOARRAY', ['{}'], undefined],
    ['STRINGTOBOOLEAN', [' true\n'], true],
    ['STRINGTOBOOLEAN', ['True'], undefined],
    ['STRINGTONULL', ['  null'], null],
    ['STRINGTONULL', ['NULL'], undefined],
    ['STRINGTONUMBER', [' -1.5e2 '], -150],
    ['STRINGTONUMBER', ['0x10'], undefined],
    ['STRINGTONUMBER', ['.5'], undefined],
    ['STRINGTONUMBER', ['01'], undefined],
    ['STRINGTONUMBER', ['1e999'], undefined],
    ['STRINGTONUMBER', ['NaN'], undefined],
    ['STRINGTOOBJECT', ['{"a": {"b": [1]}}'], { a: { b: [1] } }],
    ['STRINGTOOBJECT', ['[]'], undefined],
    ['STRINGTOOBJECT', ['{a: 1}'], undefined],
    ['TOSTRING', ['as is'], 'as is'],
    ['TOSTRING', [1.5], '1.5'],
    ['TOSTRING', [Number.NaN], 'NaN'],
    ['TOSTRING', [Number.NEGATIVE_INFINITY], '-Infinity'],
    ['TOSTRING', [null], 'null'],
    ['TOSTRING', [false], 'false'],
    ['TOSTRING', [[1, 'a']], '[1,"a"]'],
    ['TOSTRING', [{ b: 1, a: null }], '{"b":1,"a":null}'],
    ['TOSTRING', [undefined], undefined],
  ]);

  test('an object read from text keeps a member named __proto__', () => {
    const value = callFunction('STRINGTOOBJECT', ['{"__proto__": 1}']);
    expect(Object.keys(value as object)).toEqual(['__proto__']);
  });
});
