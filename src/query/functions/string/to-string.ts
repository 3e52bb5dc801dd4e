import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';

function toText(value: Argument): Argument {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return String(value);
    default:
      return JSON.stringify(value);
  }
}

/** Any value as text. */
export const toString: FunctionEntry = defineFunction({
  name: 'TOSTRING',
  aliases: ['TO_STRING'],
  family: 'string',
  parameters: [required('value', 'any')],
  result: 'string',
  summary: 'The value as JSON text without blanks; a string as it is.',
  examples: [
    ["TOSTRING('as it is')", 'as it is'],
    ['TOSTRING(1.50)', '1.5'],
    ['TOSTRING({b: 1, a: [true, null]})', '{"b":1,"a":[true,null]}'],
    ['TOSTRING(9223372036854775807)', '9223372036854775807'],
    ['TOSTRING(NaN)', 'NaN'],
  ],
  compute: toText,
  ofExactInteger: String,
});
