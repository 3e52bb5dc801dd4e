import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { rowsOf, valueOf } from './run-query.ts';

const U = undefined;

describe('three-valued logic', () => {
  /** `1` stands for every value that is no boolean: it counts as undefined. */
  const OPERANDS = ['true', 'false', 'undefined', '1', 'null', '"true"'] as const;
  const truth = (text: string): boolean | undefined => (text === 'true' ? true : text === 'false' ? false : U);

  test('AND is false when a side is false, true when both are true, else undefined', () => {
    for (const left of OPERANDS) {
      for (const right of OPERANDS) {
        const [a, b] = [truth(left), truth(right)];
        const expected = a === false || b === false ? false : a === true && b === true ? true : U;
        expect(valueOf(`(${left} AND ${right})`), `${left} AND ${right}`).toBe(expected);
        expect(rowsOf(`SELECT VALUE 1 FROM c WHERE ${left} AND ${right}`, [{}]).length).toBe(expected === true ? 1 : 0);
      }
    }
  });

  test('OR is true when a side is true, false when both are false, else undefined', () => {
    for (const left of OPERANDS) {
      for (const right of OPERANDS) {
        const [a, b] = [truth(left), truth(right)];
        const expected = a === true || b === true ? true : a === false && b === false ? false : U;
        expect(valueOf(`(${left} OR ${right})`), `${left} OR ${right}`).toBe(expected);
        expect(rowsOf(`SELECT VALUE 1 FROM c WHERE ${left} OR ${right}`, [{}]).length).toBe(expected === true ? 1 : 0);
      }
    }
  });

  test('NOT turns booleans around and leaves all else undefined', () => {
    expect(OPERANDS.map((operand) => valueOf(`NOT ${operand}`))).toEqual([false, true, U, U, U, U]);
  });

  test('WHERE keeps a row only when its condition is exactly true', () => {
    for (const condition of ['1', '"true"', 'null', 'undefined', 'c.a', '{}', 'NOT c.missing']) {
      expect(rowsOf(`SELECT * FROM c WHERE ${condition}`, [{ a: 'x' }])).toEqual([]);
    }
  });

  test('a condition decides by exactly true, and ?? by undefined only', () => {
    expect(valueOf('(true ? 1 : 2)')).toBe(1);
    expect(['false', 'undefined', 'null', '1'].map((text) => valueOf(`(${text} ? 1 : 2)`))).toEqual([2, 2, 2, 2]);
    expect(valueOf('(undefined ?? 1)')).toBe(1);
    expect(valueOf('(null ?? 1)')).toBe(null);
    expect(valueOf('(false ?? 1)')).toBe(false);
    expect(valueOf('(c.a ?? c.b ?? 3)', { b: 2 })).toBe(2);
  });
});

describe('comparison', () => {
  const VALUES: readonly (JsonValue | undefined)[] = [U, null, false, true, 0, 1, 'a', 'b', [1], { a: 1 }];
  const text = (value: JsonValue | undefined): string => (value === U ? 'undefined' : JSON.stringify(value));

  test('= and != are defined across types, and undefined only for undefined', () => {
    for (const [i, left] of VALUES.entries()) {
      for (const [j, right] of VALUES.entries()) {
        const expected = i === 0 || j === 0 ? U : i === j;
        expect(valueOf(`(${text(left)} = ${text(right)})`)).toBe(expected);
        expect(valueOf(`(${text(left)} != ${text(right)})`)).toBe(expected === U ? U : !expected);
      }
    }
  });

  test('the order operators want two primitives of one type', () => {
    const type = (value: JsonValue | undefined): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
    const primitive = ['null', 'boolean', 'number', 'string'];
    for (const [i, left] of VALUES.entries()) {
      for (const [j, right] of VALUES.entries()) {
        const defined = type(left) === type(right) && primitive.includes(type(left));
        const pair = [text(left), text(right)];
        expect(valueOf(`(${pair.join(' < ')})`), pair.join(' < ')).toBe(defined ? i < j : U);
        expect(valueOf(`(${pair.join(' <= ')})`), pair.join(' <= ')).toBe(defined ? i <= j : U);
        expect(valueOf(`(${pair.join(' > ')})`), pair.join(' > ')).toBe(defined ? i > j : U);
        expect(valueOf(`(${pair.join(' >= ')})`), pair.join(' >= ')).toBe(defined ? i >= j : U);
      }
    }
  });

  test('strings are compared by code point, case by case', () => {
    expect(valueOf('("\uff5e" < "\u{1f600}")')).toBe(true);
    expect(valueOf('("Z" < "a")')).toBe(true);
    expect(valueOf('("é" = "e")')).toBe(false);
  });

  test('equality is deep, minds no order of keys, and knows one zero', () => {
    expect(valueOf('({"a": 1, "b": [2]} = {"b": [2], "a": 1})')).toBe(true);
    expect(valueOf('([1, 2] = [2, 1])')).toBe(false);
    expect(valueOf('(0 = -0)')).toBe(true);
    expect(valueOf('(c.a = c.b)', { a: { x: [1, { y: null }] }, b: { x: [1, { y: null }] } })).toBe(true);
  });

  test('BETWEEN is two comparisons', () => {
    expect(valueOf('(5 BETWEEN 1 AND 5)')).toBe(true);
    expect(valueOf('(6 BETWEEN 1 AND 5)')).toBe(false);
    expect(valueOf('("b" BETWEEN "a" AND "c")')).toBe(true);
    expect(valueOf('(5 NOT BETWEEN 1 AND 5)')).toBe(false);
    expect(valueOf('(5 BETWEEN 1 AND "z")')).toBe(U);
    expect(valueOf('(0 BETWEEN 1 AND "z")')).toBe(false);
    expect(valueOf('(c.x NOT BETWEEN 1 AND 2)')).toBe(U);
  });
});

describe('arithmetic', () => {
  const CASES: readonly (readonly [text: string, expected: JsonValue | undefined])[] = [
    ['1 + 2 * 3', 7],
    ['7 % 3', 1],
    ['-7 % 3', -1],
    ['7.5 % 2', 1.5],
    ['5 / 2', 2.5],
    ['1 / 0 > 1e308', true],
    ['"a" + "b"', U],
    ['"a" || "b"', 'ab'],
    ['"a" || 1', U],
    ['1 + null', U],
    ['1 + undefined', U],
    ['true + 1', U],
    ['-c.n', -4],
    ['+c.n', 4],
    ['+"4"', U],
    ['-null', U],
    ['~5', -6],
    ['~5.9', -6],
    ['5 & 6', 4],
    ['5 | 6', 7],
    ['5 ^ 6', 3],
    ['1 << 33', 2],
    ['-8 >> 1', -4],
    ['-1 >>> 28', 15],
    ['4294967297 | 0', 1],
    ['5 & "6"', U],
    ['NaN = NaN', false],
    ['NaN != NaN', true],
  ];
  for (const [text, expected] of CASES) {
    test(`${text} is ${JSON.stringify(expected) ?? 'undefined'}`, () => {
      expect(valueOf(`(${text})`, { n: 4 })).toBe(expected);
    });
  }
});

describe('IN', () => {
  test('is undefined for an undefined needle, else whether an item is equal', () => {
    expect(valueOf('(1 IN (1, 2))')).toBe(true);
    expect(valueOf('(1 IN ("1", 2))')).toBe(false);
    expect(valueOf('(null IN (null))')).toBe(true);
    expect(valueOf('(1 IN (undefined, null))')).toBe(false);
    expect(valueOf('(c.x IN (1))')).toBe(U);
    expect(valueOf('(c.x NOT IN (1))')).toBe(U);
    expect(valueOf('(1 NOT IN (2))')).toBe(true);
    expect(valueOf('([1] IN ([1], 2))')).toBe(true);
    expect(valueOf('(c.x IN (c.y, @p))', { x: { a: 1 }, y: 2 }, { values: { '@p': { a: 1 } } })).toBe(true);
  });

  test('says the same of long lists, where constants go into a set', () => {
    const items = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? String(index) : `"${index}"`)).join(', ');
    const list = `(${items}, null, true, -0, NaN, c.y, [7])`;
    const at = (needle: string): unknown => valueOf(`(${needle} IN ${list})`, { y: 1000 });
    expect(['2', '"3"', '"2"', '3', 'null', 'false', '0', 'NaN', '1000', '[7]', '[8]', 'c.z'].map(at)).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      false,
      true,
      true,
      false,
      U,
    ]);
  });
});

describe('long texts', () => {
  test('chains of 20,000 operators neither overflow the stack nor change their meaning', () => {
    const repeat = (piece: string, count: number): string => Array.from({ length: count }, () => piece).join('');
    expect(valueOf(`(1${repeat(' + 1', 20_000)})`)).toBe(20_001);
    expect(valueOf(`("a"${repeat(' || "b"', 20_000)})`)).toHaveLength(20_001);
    expect(rowsOf(`SELECT VALUE 1 FROM c WHERE c.n = 0${repeat(' OR c.n = 1', 20_000)} OR c.n = 2`, [{ n: 2 }, { n: 3 }])).toEqual([1]);
    expect(rowsOf(`SELECT VALUE 1 FROM c WHERE c.n = 2${repeat(' AND c.n = 2', 20_000)}`, [{ n: 2 }])).toEqual([1]);
    expect(valueOf(`(c.n IN (${repeat('1, ', 20_000)}2))`, { n: 2 })).toBe(true);
    expect(valueOf(`(1${repeat(' = 1', 5000)})`)).toBe(false);
  });

  test('a chain that mixes AND and OR keeps its precedence', () => {
    expect(valueOf('(false AND false OR true)')).toBe(true);
    expect(valueOf('(true OR true AND false)')).toBe(true);
    expect(valueOf('((true OR true) AND false)')).toBe(false);
  });
});
