import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { oneNumber } from './one-number.ts';

function logarithm(value: number, base?: number): number {
  return base === undefined ? Math.log(value) : Math.log(value) / Math.log(base);
}

/**
 * Powers, roots and logarithms over IEEE doubles.
 *
 * They give NaN or an infinity where the arithmetic does; a query whose result holds one fails, one that only compares with it does not.
 */
export const powers: readonly FunctionEntry[] = [
  oneNumber('EXP', Math.exp, {
    summary: 'e to the power of the number.',
    examples: [
      ['EXP(0)', 1],
      ['EXP(1)', Math.E],
    ],
  }),
  defineFunction({
    name: 'LOG',
    family: 'math',
    parameters: [required('value', 'number'), optional('base', 'number')],
    result: 'number',
    summary: 'The logarithm to a base, the natural one without it.',
    examples: [
      ['LOG(EXP(3))', 3],
      ['LOG(8, 2)', 3],
      ['LOG(0) < 0', true],
    ],
    compute: logarithm,
  }),
  oneNumber('LOG10', Math.log10, {
    summary: 'The logarithm to the base 10.',
    examples: [
      ['LOG10(1000)', 3],
      ["LOG10('1000')", undefined],
    ],
  }),
  defineFunction({
    name: 'POWER',
    family: 'math',
    parameters: [required('base', 'number'), required('exponent', 'number')],
    result: 'number',
    summary: 'The first number to the power of the second.',
    examples: [
      ['POWER(2, -1)', 0.5],
      ['POWER(2, null)', undefined],
    ],
    compute: (base, exponent) => base ** exponent,
  }),
  oneNumber('SQRT', Math.sqrt, {
    summary: 'The square root; not a number below 0.',
    examples: [
      ['SQRT(81)', 9],
      ['IS_FINITE_NUMBER(SQRT(-1))', false],
    ],
    sqlite: 'superset',
  }),
  oneNumber('SQUARE', (value) => value * value, {
    summary: 'The number times itself.',
    examples: [['SQUARE(-3)', 9]],
    sqlite: 'exact',
  }),
];
