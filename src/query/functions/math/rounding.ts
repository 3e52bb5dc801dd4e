import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { oneNumber } from './one-number.ts';

/** Rounds to the nearest integer, halves away from zero. Adding a half first would round 0.49999999999999994 up. */
function roundHalfAway(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function binOf(value: number, size: number = 1): Argument {
  return size === 0 ? undefined : Math.floor(value / size) * size;
}

/** Numbers made coarser. */
export const rounding: readonly FunctionEntry[] = [
  oneNumber('CEILING', Math.ceil, {
    summary: 'The smallest whole number that is not less.',
    examples: [
      ['CEILING(1.2)', 2],
      ['CEILING(-1.2)', -1],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
  }),
  oneNumber('FLOOR', Math.floor, {
    summary: 'The greatest whole number that is not more.',
    examples: [
      ['FLOOR(1.8)', 1],
      ['FLOOR(-1.2)', -2],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
  }),
  defineFunction({
    name: 'NUMBERBIN',
    family: 'math',
    parameters: [required('value', 'number'), optional('size', 'number')],
    result: 'number',
    summary: 'The start of the bin, 1 wide unless told otherwise, that holds the number; undefined for a width of 0.',
    examples: [
      ['NUMBERBIN(48.9)', 48],
      ['NUMBERBIN(48.9, 20)', 40],
      ['NUMBERBIN(-1, 20)', -20],
      ['NUMBERBIN(48.9, 0)', undefined],
    ],
    indexUse: 'scan',
    sqlite: 'exact',
    compute: binOf,
  }),
  oneNumber('ROUND', roundHalfAway, {
    summary: 'The nearest whole number, halves away from zero.',
    examples: [
      ['ROUND(2.5)', 3],
      ['ROUND(-3.5)', -4],
      ['ROUND(0.49999999999999994)', 0],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
  }),
  oneNumber('TRUNC', Math.trunc, {
    summary: 'The number without its fraction.',
    examples: [
      ['TRUNC(2.9)', 2],
      ['TRUNC(-2.9)', -2],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
  }),
];
