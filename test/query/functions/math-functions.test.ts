import { describe, expect, test } from 'vitest';
import { callFunction, testCases, testUndefined } from './function-cases.ts';

const UNARY = [
  'ABS',
  'ACOS',
  'ASIN',
  'ATAN',
  'CEILING',
  'COS',
  'COT',
  'DEGREES',
  'EXP',
  'FLOOR',
  'LOG',
  'LOG10',
  'NUMBERBIN',
  'RADIANS',
  'ROUND',
  'SIGN',
  'SIN',
  'SQRT',
  'SQUARE',
  'TAN',
  'TRUNC',
];

describe('mathematical functions', () => {
  testUndefined(UNARY, [[undefined], [null], ['1'], [true], [[1]], [{ n: 1 }]]);
  testUndefined(
    ['ATN2', 'POWER', 'LOG', 'NUMBERBIN'],
    [
      [1, null],
      [null, 1],
      [undefined, 1],
      [1, undefined],
      [1, '2'],
    ],
  );

  testCases([
    ['ABS', [-7.5], 7.5],
    ['ACOS', [0], Math.PI / 2],
    ['ASIN', [1], Math.PI / 2],
    ['ATAN', [1], Math.PI / 4],
    ['ATN2', [1, -1], (3 * Math.PI) / 4],
    ['CEILING', [-1.2], -1],
    ['COS', [0], 1],
    ['COT', [Math.PI / 4], 1],
    ['DEGREES', [Math.PI], 180],
    ['EXP', [1], Math.E],
    ['FLOOR', [-1.2], -2],
    ['LOG', [Math.E], 1],
    ['LOG', [8, 2], 3],
    ['LOG', [0], Number.NEGATIVE_INFINITY],
    ['LOG10', [1000], 3],
    ['LOG10', [-1], Number.NaN],
    ['NUMBERBIN', [48.9], 48],
    ['NUMBERBIN', [48.9, 20], 40],
    ['NUMBERBIN', [-1, 20], -20],
    ['NUMBERBIN', [48.9, 0], undefined],
    ['NUMBERBIN', [48.9, -20], 60],
    ['PI', [], Math.PI],
    ['POWER', [2, -1], 0.5],
    ['RADIANS', [180], Math.PI],
    ['RAND', [], 0.5],
    ['ROUND', [3.5], 4],
    ['ROUND', [-3.5], -4],
    ['ROUND', [-3.4999], -3],
    ['ROUND', [0.49999999999999994], 0],
    ['ROUND', [9007199254740991], 9007199254740991],
    ['SIGN', [-0.1], -1],
    ['SIGN', [0], 0],
    ['SIN', [Math.PI / 2], 1],
    ['SQRT', [81], 9],
    ['SQRT', [-1], Number.NaN],
    ['SQUARE', [-3], 9],
    ['TAN', [Math.PI / 4], 1],
    ['TRUNC', [-2.9], -2],
  ]);
});

describe('64-bit integer functions', () => {
  const BINARY = [
    'INTADD',
    'INTBITAND',
    'INTBITLEFTSHIFT',
    'INTBITOR',
    'INTBITRIGHTSHIFT',
    'INTBITXOR',
    'INTDIV',
    'INTMOD',
    'INTMUL',
    'INTSUB',
  ];
  testUndefined(BINARY, [
    [1.5, 1],
    [1, 1.5],
    [null, 1],
    [1, '1'],
    [undefined, 1],
    [1, Number.POSITIVE_INFINITY],
    [1e300, 1],
  ]);
  testUndefined(['INTBITNOT'], [[0.5], [null], ['1'], [Number.NaN]]);

  testCases([
    ['INTADD', [40, 2], 42],
    ['INTADD', [2 ** 62, 2 ** 62], -(2 ** 63)],
    ['INTBITAND', [12, 10], 8],
    ['INTBITLEFTSHIFT', [1, 40], 2 ** 40],
    ['INTBITLEFTSHIFT', [1, 64], undefined],
    ['INTBITNOT', [7], -8],
    ['INTBITOR', [12, 10], 14],
    ['INTBITRIGHTSHIFT', [-16, 2], -4],
    ['INTBITRIGHTSHIFT', [16, -1], undefined],
    ['INTBITXOR', [12, 10], 6],
    ['INTDIV', [-7, 2], -3],
    ['INTDIV', [7, 0], undefined],
    ['INTMOD', [-7, 2], -1],
    ['INTMOD', [7, 0], undefined],
    ['INTMUL', [-3, 5], -15],
    ['INTSUB', [3, 5], -2],
  ]);

  test('bitwise operations keep 64 bits, where the operators keep 32', () => {
    expect(callFunction('INTBITOR', [2 ** 40, 1])).toBe(2 ** 40 + 1);
  });
});
