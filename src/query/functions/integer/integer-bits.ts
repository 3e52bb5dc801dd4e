import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { required, type Parameter } from '../parameter.ts';
import { TWO_INTEGERS } from './two-integers.ts';

const BITS = 64n;

const VALUE_AND_SHIFT: readonly [Parameter<'int64', 'required'>, Parameter<'int64', 'required'>] = [
  required('value', 'int64'),
  required('by', 'int64'),
];

/** Shifting by a negative amount, or by 64 and more, has no documented meaning and gives undefined. */
function shift(compute: (value: bigint, by: bigint) => bigint): (value: bigint, by: bigint) => bigint | undefined {
  return (value, by) => (by < 0n || by >= BITS ? undefined : compute(value, by));
}

/** Bits of 64-bit integers, where the operators `&`, `|`, `^`, `~`, `<<` and `>>` keep 32. */
export const integerBits: readonly FunctionEntry[] = [
  defineFunction({
    name: 'INTBITAND',
    aliases: ['INTBITWISEAND'],
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The bits that both integers have.',
    examples: [
      ['INTBITAND(12, 10)', 8],
      ['INTMOD(INTBITAND(9223372036854775807, 9007199254740993), 10)', 3],
    ],
    compute: (left, right) => left & right,
  }),
  defineFunction({
    name: 'INTBITLEFTSHIFT',
    aliases: ['INTBITWISELEFTSHIFT'],
    family: 'integer',
    parameters: VALUE_AND_SHIFT,
    result: 'int64',
    summary: 'The bits moved to the left, by 0 to 63.',
    examples: [
      ['INTBITLEFTSHIFT(1, 40)', 1099511627776],
      ['INTBITLEFTSHIFT(1, 64)', undefined],
    ],
    compute: shift((value, by) => value << by),
  }),
  defineFunction({
    name: 'INTBITNOT',
    aliases: ['INTBITWISENOT'],
    family: 'integer',
    parameters: [required('value', 'int64')],
    result: 'int64',
    summary: 'Every bit inverted.',
    examples: [
      ['INTBITNOT(7)', -8],
      ['INTBITNOT(0.5)', undefined],
    ],
    compute: (value) => ~value,
  }),
  defineFunction({
    name: 'INTBITOR',
    aliases: ['INTBITWISEOR'],
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The bits that one of the integers has, or both.',
    examples: [
      ['INTBITOR(12, 10)', 14],
      ['INTBITOR(1099511627776, 1)', 1099511627777],
    ],
    compute: (left, right) => left | right,
  }),
  defineFunction({
    name: 'INTBITRIGHTSHIFT',
    aliases: ['INTBITWISERIGHTSHIFT'],
    family: 'integer',
    parameters: VALUE_AND_SHIFT,
    result: 'int64',
    summary: 'The bits moved to the right, by 0 to 63; the sign stays.',
    examples: [
      ['INTBITRIGHTSHIFT(-16, 2)', -4],
      ['INTBITRIGHTSHIFT(16, -1)', undefined],
    ],
    compute: shift((value, by) => value >> by),
  }),
  defineFunction({
    name: 'INTBITXOR',
    aliases: ['INTBITWISEXOR'],
    family: 'integer',
    parameters: TWO_INTEGERS,
    result: 'int64',
    summary: 'The bits that exactly one of the integers has.',
    examples: [
      ['INTBITXOR(12, 10)', 6],
      ['INTBITXOR(12, null)', undefined],
    ],
    compute: (left, right) => left ^ right,
  }),
];
