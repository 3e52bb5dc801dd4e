import type { FunctionEntry } from '../function-entry.ts';
import { oneNumber } from './one-number.ts';

/** The size and the sign of numbers. */
export const signs: readonly FunctionEntry[] = [
  oneNumber('ABS', Math.abs, {
    summary: 'The number without its sign.',
    examples: [
      ['ABS(-7.5)', 7.5],
      ["ABS('-7.5')", undefined],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
  }),
  oneNumber('SIGN', Math.sign, {
    summary: '-1 below 0, 0 for it and 1 above.',
    examples: [
      ['SIGN(-0.1)', -1],
      ['SIGN(0)', 0],
      ['SIGN(12)', 1],
    ],
    sqlite: 'exact',
  }),
];
