import { isJsonObject } from '../../../core/json.ts';
import { parseDateTime } from '../date/date-time.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry, FunctionExample } from '../function-entry.ts';
import { isInt64 } from '../integer/int64.ts';
import { required } from '../parameter.ts';

const INT64_LIMIT = 2 ** 63;

/** 64-bit integers; 2^63 counts, because the largest one reads as that double. */
function isInteger(value: Argument): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= INT64_LIMIT;
}

function isPrimitive(value: Argument): boolean {
  return value === null || (value !== undefined && typeof value !== 'object');
}

/** A check that has an answer for undefined too: false. */
function check(
  name: string,
  holds: (value: Argument) => boolean,
  what: string,
  examples: readonly FunctionExample[],
  more: Partial<Pick<FunctionEntry, 'indexUse' | 'sqlite' | 'ofExactInteger'>> = {},
): FunctionEntry {
  return defineFunction({
    name,
    family: 'type',
    parameters: [required('value', 'any')],
    result: 'boolean',
    summary: `Whether the value is ${what}.`,
    examples,
    indexUse: 'precise',
    sqlite: 'exact',
    ...more,
    undefinedArguments: 'pass',
    evaluate: holds,
  });
}

/** Type checks. They are never undefined. */
export const typeChecks: readonly FunctionEntry[] = [
  check('IS_ARRAY', Array.isArray, 'an array', [
    ['IS_ARRAY(c.tags)', true],
    ["IS_ARRAY('[]')", false],
    ['IS_ARRAY(c.missing)', false],
  ]),
  check('IS_BOOL', (value) => typeof value === 'boolean', 'true or false', [
    ['IS_BOOL(c.volcanic)', true],
    ["IS_BOOL('true')", false],
  ]),
  check('IS_BOOLEAN', (value) => typeof value === 'boolean', 'true or false', [
    ['IS_BOOLEAN(false)', true],
    ['IS_BOOLEAN(0)', false],
  ]),
  check(
    'IS_DATETIME',
    (value) => typeof value === 'string' && parseDateTime(value) !== undefined,
    'a text that names a date, or a date and a time, in UTC',
    [
      ["IS_DATETIME('2032-02-29')", true],
      ["IS_DATETIME('2031-02-29')", false],
      ["IS_DATETIME('2031-02-28 23:59:59')", true],
      ["IS_DATETIME('28.02.2031')", false],
    ],
    { indexUse: 'none', sqlite: 'none' },
  ),
  check('IS_DEFINED', (value) => value !== undefined, 'there; null is', [
    ['IS_DEFINED(null)', true],
    ['IS_DEFINED(c.missing)', false],
  ]),
  check('IS_FINITE_NUMBER', (value) => typeof value === 'number' && Number.isFinite(value), 'a number, and neither NaN nor an infinity', [
    ['IS_FINITE_NUMBER(1.5)', true],
    ['IS_FINITE_NUMBER(1 / 0)', false],
    ["IS_FINITE_NUMBER('1.5')", false],
  ]),
  check(
    'IS_INTEGER',
    isInteger,
    'a whole number of 64 bits',
    [
      ['IS_INTEGER(12)', true],
      ['IS_INTEGER(12.5)', false],
      ['IS_INTEGER(9223372036854775807)', true],
      ['IS_INTEGER(9223372036854775808)', false],
    ],
    { ofExactInteger: isInt64 },
  ),
  check('IS_NULL', (value) => value === null, 'null', [
    ['IS_NULL(null)', true],
    ['IS_NULL(c.missing)', false],
  ]),
  check('IS_NUMBER', (value) => typeof value === 'number', 'a number', [
    ['IS_NUMBER(c.radiusKm)', true],
    ["IS_NUMBER('12')", false],
  ]),
  check('IS_OBJECT', isJsonObject, 'an object; arrays and null are none', [
    ['IS_OBJECT(c.composition)', true],
    ['IS_OBJECT([])', false],
    ['IS_OBJECT(null)', false],
  ]),
  check('IS_PRIMITIVE', isPrimitive, 'null, a boolean, a number or a string', [
    ['IS_PRIMITIVE(null)', true],
    ['IS_PRIMITIVE(c.tags)', false],
    ['IS_PRIMITIVE(c.missing)', false],
  ]),
  check('IS_STRING', (value) => typeof value === 'string', 'a string', [
    ['IS_STRING(c.planet)', true],
    ['IS_STRING(12)', false],
  ]),
];
