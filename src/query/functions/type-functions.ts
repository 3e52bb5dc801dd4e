import { isJsonObject } from '../../core/json.ts';
import { parseDateTime } from './date-time.ts';
import { scalar, type Argument, type FunctionEntry, type ScalarFunction } from './function-entry.ts';

const INT64_LIMIT = 2 ** 63;

/** A test that has an answer for undefined too. */
function test(name: string, holds: (value: Argument) => boolean, aliases: readonly string[] = []): FunctionEntry {
  return scalar('type', name, [1, 1], holds, { aliases, indexUse: 'precise', undefinedArguments: 'pass' });
}

/** 64-bit integers; 2^63 counts, because the largest one reads as that double. */
function isInteger(value: Argument): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= INT64_LIMIT;
}

function isBoolean(value: Argument): boolean {
  return typeof value === 'boolean';
}

function isPrimitive(value: Argument): boolean {
  return value === null || (value !== undefined && typeof value !== 'object');
}

const JSON_NUMBER = /^[ \t\r\n]*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?[ \t\r\n]*$/;

/** The text as strict JSON, where it is a value that `accept` wants; else undefined. */
function parsed(accept: (value: Argument) => boolean): ScalarFunction {
  return (text) => {
    if (typeof text !== 'string') {
      return undefined;
    }
    try {
      const value = JSON.parse(text) as Argument;
      return accept(value) ? value : undefined;
    } catch {
      // Text that is no JSON is an answer here, not a failure.
      return undefined;
    }
  };
}

function stringToNumber(text: Argument): Argument {
  if (typeof text !== 'string' || !JSON_NUMBER.test(text)) {
    return undefined;
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

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

/** Type checks, which are never undefined, and conversions from and to text. */
export const typeFunctions: readonly FunctionEntry[] = [
  test('IS_ARRAY', Array.isArray),
  test('IS_BOOL', isBoolean),
  test('IS_BOOLEAN', isBoolean),
  scalar('type', 'IS_DATETIME', [1, 1], (value) => typeof value === 'string' && parseDateTime(value) !== undefined, {
    undefinedArguments: 'pass',
  }),
  test('IS_DEFINED', (value) => value !== undefined),
  test('IS_FINITE_NUMBER', (value) => typeof value === 'number' && Number.isFinite(value)),
  test('IS_INTEGER', isInteger),
  test('IS_NULL', (value) => value === null),
  test('IS_NUMBER', (value) => typeof value === 'number'),
  test('IS_OBJECT', isJsonObject),
  test('IS_PRIMITIVE', isPrimitive),
  test('IS_STRING', (value) => typeof value === 'string'),
  scalar('string', 'STRINGTOARRAY', [1, 1], parsed(Array.isArray), { aliases: ['STRING_TO_ARRAY'] }),
  scalar('string', 'STRINGTOBOOLEAN', [1, 1], parsed(isBoolean), { aliases: ['STRING_TO_BOOLEAN'] }),
  scalar(
    'type',
    'STRINGTONULL',
    [1, 1],
    parsed((value) => value === null),
    { aliases: ['STRING_TO_NULL'] },
  ),
  scalar('type', 'STRINGTONUMBER', [1, 1], stringToNumber, { aliases: ['STRING_TO_NUMBER'] }),
  scalar('type', 'STRINGTOOBJECT', [1, 1], parsed(isJsonObject), { aliases: ['STRING_TO_OBJECT'] }),
  scalar('string', 'TOSTRING', [1, 1], toText, { aliases: ['TO_STRING'] }),
];
