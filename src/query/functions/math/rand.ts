import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';

/** Chance. */
export const rand: FunctionEntry = defineFunction({
  name: 'RAND',
  family: 'math',
  parameters: [],
  result: 'number',
  summary: 'A random number from 0 on and below 1, another one at each call.',
  examples: [['RAND() >= 0 AND RAND() < 1', true]],
  deterministic: false,
  bind: (context) => () => context.random(),
});
