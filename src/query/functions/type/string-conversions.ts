import { isJsonObject } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry, FunctionExample, ResultKind } from '../function-entry.ts';
import { required } from '../parameter.ts';

const JSON_NUMBER = /^[ \t\r\n]*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?[ \t\r\n]*$/;

/** The text as strict JSON, where it is a value that `accept` wants; else undefined. */
function parsed(accept: (value: Argument) => boolean): (text: string) => Argument {
  return (text) => {
    try {
      const value = JSON.parse(text) as Argument;
      return accept(value) ? value : undefined;
    } catch {
      // Text that is no JSON is an answer here, not a failure.
      return undefined;
    }
  };
}

function toNumber(text: string): Argument {
  const value = JSON_NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function conversion(
  name: string,
  alias: string,
  family: 'string' | 'type',
  result: ResultKind,
  summary: string,
  examples: readonly FunctionExample[],
  compute: (text: string) => Argument,
): FunctionEntry {
  return defineFunction({ name, aliases: [alias], family, parameters: [required('text', 'string')], result, summary, examples, compute });
}

/** Values from JSON text. Blanks around it are allowed, nothing else that JSON does not allow. */
export const stringConversions: readonly FunctionEntry[] = [
  conversion(
    'STRINGTOARRAY',
    'STRING_TO_ARRAY',
    'string',
    'array',
    'The array that a text holds as JSON.',
    [
      ['STRINGTOARRAY(\'[1, "a", null]\')', [1, 'a', null]],
      ['STRINGTOARRAY("[\'a\']")', undefined],
    ],
    parsed(Array.isArray),
  ),
  conversion(
    'STRINGTOBOOLEAN',
    'STRING_TO_BOOLEAN',
    'string',
    'boolean',
    'The boolean that a text holds as JSON.',
    [
      ["STRINGTOBOOLEAN(' true ')", true],
      ["STRINGTOBOOLEAN('True')", undefined],
    ],
    parsed((value) => typeof value === 'boolean'),
  ),
  conversion(
    'STRINGTONULL',
    'STRING_TO_NULL',
    'type',
    'null',
    'Null, where the text is `null`.',
    [
      ["STRINGTONULL(' null')", null],
      ["STRINGTONULL('NULL')", undefined],
    ],
    parsed((value) => value === null),
  ),
  conversion(
    'STRINGTONUMBER',
    'STRING_TO_NUMBER',
    'type',
    'number',
    'The number that a text holds as JSON.',
    [
      ["STRINGTONUMBER(' -1.5e2 ')", -150],
      ["STRINGTONUMBER('0x10')", undefined],
    ],
    toNumber,
  ),
  conversion(
    'STRINGTOOBJECT',
    'STRING_TO_OBJECT',
    'type',
    'object',
    'The object that a text holds as JSON.',
    [
      ['STRINGTOOBJECT(\'{"a": {"b": [1]}}\')', { a: { b: [1] } }],
      ["STRINGTOOBJECT('{a: 1}')", undefined],
    ],
    parsed(isJsonObject),
  ),
];
