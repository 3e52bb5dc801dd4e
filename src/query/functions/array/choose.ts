import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { required, rest } from '../parameter.ts';

/** One of several values by its number. The others may be undefined. */
export const choose: FunctionEntry = defineFunction({
  name: 'CHOOSE',
  family: 'array',
  parameters: [required('index', 'integer'), required('first', 'any'), rest('others', 'any')],
  result: 'any',
  summary: 'The value at a position, counted from 1; undefined where there is none.',
  examples: [
    ["CHOOSE(2, 'red', 'green', 'blue')", 'green'],
    ["CHOOSE(1, 'red', c.missing)", 'red'],
    ["CHOOSE(0, 'red', 'green')", undefined],
  ],
  undefinedArguments: 'pass',
  evaluate: (index, ...choices) => (typeof index === 'number' && Number.isInteger(index) ? choices[index - 1] : undefined),
});
