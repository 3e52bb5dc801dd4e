import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur32 } from '../../../src/query/functions/string/hash.ts';
import { callFunction, testCases, testUndefined } from './function-cases.ts';

describe('string functions', () => {
  testUndefined(['LENGTH', 'LOWER', 'UPPER', 'REVERSE', 'LTRIM', 'RTRIM', 'TRIM'], [[undefined], [null], [1], [true], [['a']], [{}]]);
  testUndefined(
    ['CONCAT', 'CONTAINS', 'ENDSWITH', 'STARTSWITH', 'STRINGEQUALS', 'INDEX_OF', 'LASTINDEXOF', 'STRINGSPLIT', 'TRIM', 'LTRIM'],
    [
      ['a', null],
      [null, 'a'],
      ['a', 1],
      [undefined, 'a'],
      ['a', undefined],
      [null, null],
    ],
  );
  testUndefined(
    ['CONTAINS', 'ENDSWITH', 'STARTSWITH', 'STRINGEQUALS'],
    [
      ['a', 'a', undefined],
      ['a', 'a', null],
      ['a', 'a', 1],
    ],
  );
  testUndefined(
    ['LEFT', 'RIGHT', 'REPLICATE'],
    [
      ['abc', 1.5],
      ['abc', '1'],
      ['abc', null],
      [1, 1],
      ['abc', undefined],
    ],
  );

  testCases([
    ['CONCAT', ['a', 'b', 'c'], 'abc'],
    ['CONTAINS', ['river bank', 'bank'], true],
    ['CONTAINS', ['river bank', 'Bank'], false],
    ['CONTAINS', ['river bank', 'Bank', true], true],
    ['CONTAINS', ['river bank', ''], true],
    ['CONTAINS', ['ΟΔΟΣ', 'οδός'.slice(0, 2), true], true],
    ['CONTAINS_ALL_CS', ['red green blue', 'red', 'blue'], true],
    ['CONTAINS_ALL_CS', ['red green blue', 'Red', 'blue'], false],
    ['CONTAINS_ALL_CI', ['red green blue', 'Red', 'BLUE'], true],
    ['CONTAINS_ALL_CI', ['red green blue', 'red', undefined], undefined],
    ['CONTAINS_ALL_CI', ['red green blue', 'pink', undefined], false],
    ['CONTAINS_ALL_CI', ['red green blue', 'red', 5], undefined],
    ['CONTAINS_ALL_CI', [undefined, 'red'], undefined],
    ['CONTAINS_ANY_CS', ['red green blue', 'pink', 'blue'], true],
    ['CONTAINS_ANY_CS', ['red green blue', 'pink', 'Blue'], false],
    ['CONTAINS_ANY_CI', ['red green blue', 'pink', 'Blue'], true],
    ['CONTAINS_ANY_CI', ['red green blue', undefined, 'blue'], true],
    ['CONTAINS_ANY_CI', ['red green blue', undefined, 'pink'], undefined],
    ['CONTAINS_ANY_CI', [null, 'red'], undefined],
    ['ENDSWITH', ['notes.TXT', '.txt'], false],
    ['ENDSWITH', ['notes.TXT', '.txt', true], true],
    ['INDEX_OF', ['banana', 'an'], 1],
    ['INDEX_OF', ['banana', 'an', 2], 3],
    ['INDEX_OF', ['banana', 'x'], -1],
    ['INDEX_OF', ['banana', 'an', 1.5], undefined],
    ['LASTINDEXOF', ['banana', 'an'], 3],
    ['LASTINDEXOF', ['banana', 'an', 4], 3],
    ['LASTINDEXOF', ['banana', 'an', 3], 1],
    ['LASTINDEXOF', ['banana', 'an', 0], -1],
    ['LEFT', ['abc', 2], 'ab'],
    ['LEFT', ['abc', 9], 'abc'],
    ['LEFT', ['abc', -1], ''],
    ['LENGTH', ['abc'], 3],
    ['LENGTH', ['😀'], 2],
    ['LOWER', ['ÀB'], 'àb'],
    ['LTRIM', ['  a '], 'a '],
    ['LTRIM', ['xxyax', 'yx'], 'ax'],
    ['LTRIM', ['abc', ''], 'abc'],
    ['REPLACE', ['a.b.c', '.', '$&'], 'a$&b$&c'],
    ['REPLACE', ['abc', '', 'x'], undefined],
    ['REPLACE', ['abc', 'b', undefined], undefined],
    ['REPLICATE', ['ab', 3], 'ababab'],
    ['REPLICATE', ['ab', 0], ''],
    ['REPLICATE', ['ab', -1], undefined],
    ['REPLICATE', ['', 1e15], ''],
    ['REPLICATE', ['ab', 5001], undefined],
    ['REVERSE', ['abc'], 'cba'],
    ['RIGHT', ['abc', 2], 'bc'],
    ['RIGHT', ['abc', 9], 'abc'],
    ['RIGHT', ['abc', 0], ''],
    ['RTRIM', [' a  '], ' a'],
    ['RTRIM', ['xaxy', 'yx'], 'xa'],
    ['STARTSWITH', ['Anna', 'an'], false],
    ['STARTSWITH', ['Anna', 'an', true], true],
    ['STRINGEQUALS', ['a', 'A'], false],
    ['STRINGEQUALS', ['straße', 'STRASSE', true], false],
    ['STRINGEQUALS', ['é', 'É', true], true],
    ['STRINGJOIN', [['a', 'b'], '-'], 'a-b'],
    ['STRINGJOIN', [[], '-'], ''],
    ['STRINGJOIN', [['a', 1], '-'], undefined],
    ['STRINGJOIN', [['a'], undefined], undefined],
    ['STRINGSPLIT', ['a,b,', ','], ['a', 'b', '']],
    ['STRINGSPLIT', ['ab', ''], ['ab']],
    ['STRINGSPLIT', ['', ','], ['']],
    ['SUBSTRING', ['abcdef', 1, 3], 'bcd'],
    ['SUBSTRING', ['abcdef', 4, 30], 'ef'],
    ['SUBSTRING', ['abcdef', 6, 1], ''],
    ['SUBSTRING', ['abcdef', -1, 2], ''],
    ['SUBSTRING', ['abcdef', 1, 0], ''],
    ['SUBSTRING', ['abcdef', 1.5, 1], undefined],
    ['SUBSTRING', [null, 1, 1], undefined],
    ['TRIM', [' a b '], 'a b'],
    ['TRIM', ['--a-b--', '-'], 'a-b'],
    ['TRIM', ['---', '-'], ''],
    ['UPPER', ['straße'], 'STRAßE'],
  ]);

  test('ignoring case does not depend on neighbours: a final sigma equals one within a word', () => {
    expect(callFunction('CONTAINS', ['ΟΔΟΣΑ', 'οδοσ', true])).toBe(true);
    expect(callFunction('CONTAINS', ['ΟΔΟΣΑ', 'οδος', true])).toBe(true);
  });
});

describe('what stands around a delimiter', () => {
  testUndefined(
    ['SUBSTRINGBEFORE', 'SUBSTRINGAFTER', 'LASTSUBSTRINGBEFORE', 'LASTSUBSTRINGAFTER'],
    [
      ['a', 'b'],
      ['', 'b'],
      ['a', null],
      [null, 'a'],
      ['a', 1],
      [undefined, 'a'],
    ],
  );
  testCases([
    ['SUBSTRINGBEFORE', ['a::b::c', '::'], 'a'],
    ['SUBSTRINGAFTER', ['a::b::c', '::'], 'b::c'],
    ['LASTSUBSTRINGBEFORE', ['a::b::c', '::'], 'a::b'],
    ['LASTSUBSTRINGAFTER', ['a::b::c', '::'], 'c'],
    ['SUBSTRINGBEFORE', ['a', 'a'], ''],
    ['SUBSTRINGAFTER', ['a', 'a'], ''],
    ['SUBSTRINGAFTER', ['aaa', 'aa'], 'a'],
    ['LASTSUBSTRINGBEFORE', ['aaa', 'aa'], 'a'],
    ['SUBSTRINGAFTER', ['ab', ''], 'ab'],
    ['LASTSUBSTRINGBEFORE', ['ab', ''], 'ab'],
    ['LASTSUBSTRINGAFTER', ['ab', ''], ''],
    ['SUBSTRINGBEFORE', ['😀-x', '-'], '😀'],
  ]);

  test('makes the text again together with the delimiter', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 6 }), fc.string({ maxLength: 2 }), fc.string({ maxLength: 6 }), (left, delimiter, right) => {
        const text = left + delimiter + right;
        for (const which of ['', 'LAST']) {
          const before = callFunction(`${which}SUBSTRINGBEFORE`, [text, delimiter]);
          const after = callFunction(`${which}SUBSTRINGAFTER`, [text, delimiter]);
          expect(`${before as string}${delimiter}${after as string}`).toBe(text);
        }
      }),
    );
  });
});

describe('HASH', () => {
  test.each([
    ['', 0],
    ['hello', 0x248bfa47],
    ['hello, world', 0x149bbb7f],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ])('is MurmurHash3 of 32 bits: %s', (text, expected) => {
    expect(murmur32(new TextEncoder().encode(text))).toBe(expected);
  });

  test('is the same for equal values and differs between types', () => {
    expect(callFunction('HASH', [-0])).toBe(callFunction('HASH', [0]));
    expect(callFunction('HASH', [[{ a: 1, b: [2] }]])).toBe(callFunction('HASH', [[{ b: [2], a: 1 }]]));
    const values = [null, true, false, 1, '1', [1], { a: 1 }, '', [], {}].map((value) => callFunction('HASH', [value]));
    expect(new Set(values).size).toBe(values.length);
    expect(callFunction('HASH', [undefined])).toBeUndefined();
  });

  testUndefined(
    ['HASH'],
    [
      ['a', 0],
      ['a', -3],
      ['a', 1.5],
      ['a', '2'],
    ],
  );

  test('spreads values over the buckets of a modulus', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 5000; index += 1) {
      const bucket = callFunction('HASH', [`id-${index}`, 10]) as number;
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(400);
    expect(Math.max(...counts)).toBeLessThan(600);
  });
});
