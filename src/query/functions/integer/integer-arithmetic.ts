import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { TWO_INTEGERS } from './two-integers.ts';

/**
 * Arithmetic on 64-bit integers, wrapping around on overflow.
 *
 * Undefined unless every argument is a whole number in range. Literals and the results of other functions of this kind are exact over the
 * whole range; a number of a document, and the number that leaves the query, is a double like all others.
 */
export const integerArithmetic: readonly FunctionEntry[] = [
  defineFunction({
    name: 'INTADD',
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The sum of two 64-bit integers.',
    examples: [
      ['INTADD(40, 2)', 42],
      ['INTADD(9223372036854775807, 1)', -9223372036854775808],
      ['INTADD(40, 0.5)', undefined],
    ],
    compute: (left, right) => left + right,
  }),
  defineFunction({
    name: 'INTDIV',
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The quotient of two 64-bit integers without its fraction; undefined for a division by 0.',
    examples: [
      ['INTDIV(-7, 2)', -3],
      ['INTDIV(7, 0)', undefined],
      ['INTDIV(9223372036854775807, 9223372036854775806)', 1],
    ],
    compute: (left, right) => (right === 0n ? undefined : left / right),
  }),
  defineFunction({
    name: 'INTMOD',
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'What is left of a division of two 64-bit integers, with the sign of the first; undefined for a division by 0.',
    examples: [
      ['INTMOD(-7, 2)', -1],
      ['INTMOD(9223372036854775807, 10)', 7],
      ['INTMOD(7, 0)', undefined],
    ],
    compute: (left, right) => (right === 0n ? undefined : left % right),
  }),
  defineFunction({
    name: 'INTMUL',
    aliases: ['INTMULTIPLY'],
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The product of two 64-bit integers.',
    examples: [
      ['INTMUL(-3, 5)', -15],
      ['INTMOD(INTMUL(3037000499, 3037000499), 1000)', 1],
    ],
    compute: (left, right) => left * right,
  }),
  defineFunction({
    name: 'INTSUB',
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The difference of two 64-bit integers.',
    examples: [
      ['INTSUB(3, 5)', -2],
      ['INTSUB(9007199254740993, 9007199254740992)', 1],
    ],
    compute: (left, right) => left - right,
  }),
];
