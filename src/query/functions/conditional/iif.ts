import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';

/**
 * Follows the rule that arguments must be defined for its condition only, so that a missing property in the branch not taken does not make the
 * call undefined.
 */
function evaluate(condition: Argument, whenTrue: Argument, otherwise: Argument): Argument {
  return condition === undefined ? undefined : condition === true ? whenTrue : otherwise;
}

/** The conditional function. */
export const iif: FunctionEntry = defineFunction({
  name: 'IIF',
  family: 'conditional',
  parameters: [required('condition', 'boolean', 'decides'), required('whenTrue', 'any'), required('otherwise', 'any')],
  result: 'any',
  summary: 'The second argument where the condition is true, the third where it is anything else that is defined.',
  examples: [
    ["IIF(c.volcanic, 'hot', 'cold')", 'hot'],
    ["IIF(42, 'yes', 'no')", 'no'],
    ["IIF(c.missing, 'yes', 'no')", undefined],
  ],
  sqlite: 'exact',
  undefinedArguments: 'pass',
  evaluate,
});
