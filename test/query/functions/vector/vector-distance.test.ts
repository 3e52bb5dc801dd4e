import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { vectorDistance, readVector } from '../../../../src/query/functions/vector/vector-distance.ts';

const number = fc.double({ min: -1000, max: 1000, noNaN: true });
const pair = fc
  .integer({ min: 1, max: 20 })
  .chain((length) =>
    fc.tuple(fc.array(number, { minLength: length, maxLength: length }), fc.array(number, { minLength: length, maxLength: length })),
  );

const products = (left: readonly number[], right: readonly number[]): number[] => left.map((value, index) => value * (right[index] ?? 0));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const close = (value: number | undefined, expected: number): void => {
  expect(Math.abs((value ?? Number.NaN) - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
};

describe('the distance of two vectors', () => {
  test('agrees with the plain formulas', () => {
    fc.assert(
      fc.property(pair, ([left, right]) => {
        close(vectorDistance(left, right, 'dotproduct'), sum(products(left, right)));
        close(vectorDistance(left, right, 'euclidean'), Math.hypot(...left.map((value, index) => value - (right[index] ?? 0))));
        const lengths = Math.hypot(...left) * Math.hypot(...right);
        if (lengths > 1e-100) {
          close(vectorDistance(left, right, 'cosine'), sum(products(left, right)) / lengths);
        }
      }),
      { seed: 31 },
    );
  });

  test('has the last digit that the service has', () => {
    expect(vectorDistance([1, 2, 3], [2, 3, 4], 'cosine')).toBe(0.9925833339709302);
  });

  test.each(['cosine', 'dotproduct', 'euclidean'] as const)(
    '%s is undefined for vectors of two lengths, and for an overflow',
    (distance) => {
      expect(vectorDistance([1, 2], [1, 2, 3], distance)).toBeUndefined();
      expect(vectorDistance([1e200, 1], [-1e200, 1], distance)).toBeUndefined();
    },
  );

  test('has no cosine where one is all zeros', () => {
    expect(vectorDistance([0, 0], [1, 2], 'cosine')).toBeUndefined();
    expect(vectorDistance([0, 0], [1, 2], 'dotproduct')).toBe(0);
  });

  test.each([[undefined], [null], ['1,2'], [1], [{}], [[]], [['1']], [[1, null]], [[[1, 2]]], [[1, true]]])('%j is no vector', (value) => {
    expect(readVector(value)).toBeUndefined();
  });
});
