import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_COLLECTED_VALUES } from '../../../src/query/functions/aggregate/accumulators.ts';
import type { Argument } from '../../../src/query/functions/function-entry.ts';
import { lookupFunction } from '../../../src/query/functions/function-table.ts';

function fold(name: string, values: readonly Argument[]): Argument {
  const accumulator = lookupFunction(name)?.accumulate?.();
  for (const value of values) {
    accumulator?.add(value);
  }
  return accumulator?.result();
}

const U = undefined;

/** Input, then COUNT, SUM, AVG, MIN, MAX. */
const MATRIX: readonly (readonly [
  values: readonly Argument[],
  count: number,
  sum: Argument,
  avg: Argument,
  min: Argument,
  max: Argument,
])[] = [
  [[], 0, 0, U, U, U],
  [[U, U], 0, 0, U, U, U],
  [[U, 4, 2, U], 2, 6, 3, 2, 4],
  [[4, 'a', 2], 3, U, U, 2, 'a'],
  [[4, true], 2, U, U, true, 4],
  [[4, null], 2, U, U, null, 4],
  [[null], 1, U, U, null, null],
  [['b', 'B', false, 7, null], 5, U, U, null, 'b'],
  [[4, [1]], 2, U, U, U, U],
  [[{}, 4], 2, U, U, U, U],
];

describe('aggregates', () => {
  for (const [values, ...expected] of MATRIX) {
    test(`COUNT, SUM, AVG, MIN, MAX of ${JSON.stringify(values.map((value) => (value === U ? 'undefined' : value)))}`, () => {
      expect(['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'].map((name) => fold(name, values))).toEqual(expected);
    });
  }

  test('COUNTIF counts what is exactly true', () => {
    expect(fold('COUNTIF', [true, false, 1, 'true', U, true])).toBe(2);
  });

  test('MAKELIST keeps what is defined, MAKESET each value once, both in the order of the rows', () => {
    const values = [1, U, { a: 1, b: 2 }, 1, '1', { b: 2, a: 1 }, null, true];
    expect(fold('MAKELIST', values)).toEqual([1, { a: 1, b: 2 }, 1, '1', { b: 2, a: 1 }, null, true]);
    expect(fold('MAKESET', values)).toEqual([1, { a: 1, b: 2 }, '1', null, true]);
    expect(fold('MAKELIST', [U])).toEqual([]);
  });

  test('collecting without end is refused', () => {
    const many = Array.from({ length: MAX_COLLECTED_VALUES + 1 }, (_, index) => index);
    expect(() => fold('MAKELIST', many)).toThrow(expect.objectContaining({ code: 'QUERY_LIMIT' }));
  });

  test('a sum hardly depends on the order of the rows', () => {
    expect(fold('SUM', [1e16, 1, -1e16])).toBe(1);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 })), (cents) => {
        const exact = cents.reduce((total, value) => total + value, 0) / 100;
        const values = cents.map((value) => value / 100);
        expect(fold('SUM', values)).toBeCloseTo(exact, 6);
        expect(fold('SUM', values.toReversed())).toBeCloseTo(fold('SUM', values) as number, 8);
      }),
    );
  });
});
