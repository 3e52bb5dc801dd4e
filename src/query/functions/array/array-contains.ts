import { equalValues } from '../../../core/json-order.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry, ScalarFunction } from '../function-entry.ts';
import { optional, required, rest } from '../parameter.ts';

function holds(array: readonly JsonValue[], needle: JsonValue): boolean {
  return array.some((item) => equalValues(item, needle));
}

/** Whether every property of `part` is in `whole` with an equal value; values below the first level are compared whole. */
function includesMembers(whole: JsonValue, part: JsonObject): boolean {
  return isJsonObject(whole) && Object.keys(part).every((key) => Object.hasOwn(whole, key) && equalValues(whole[key], part[key]));
}

function contains(array: readonly JsonValue[], needle: JsonValue, partial = false): Argument {
  return partial && isJsonObject(needle) ? array.some((item) => includesMembers(item, needle)) : holds(array, needle);
}

/**
 * Three-valued AND (`decisive` false) or OR (`decisive` true) over "the array holds this needle".
 *
 * One needle decides whatever the others are; else an undefined one leaves the answer undefined.
 */
function containsMany(decisive: boolean): ScalarFunction {
  return (array, ...needles) => {
    if (!Array.isArray(array)) {
      return undefined;
    }
    if (needles.some((needle) => needle !== undefined && holds(array, needle) === decisive)) {
      return decisive;
    }
    return needles.includes(undefined) ? undefined : !decisive;
  };
}

/** Whether an array holds a value, all or any of several. Values are compared deeply. */
export const arrayContains: readonly FunctionEntry[] = [
  defineFunction({
    name: 'ARRAY_CONTAINS',
    family: 'array',
    parameters: [required('array', 'array'), required('needle', 'any'), optional('partial', 'boolean')],
    result: 'boolean',
    summary: 'Whether the array holds the value; with `partial`, an element that has all properties of an object will do.',
    examples: [
      ["ARRAY_CONTAINS(c.tags, 'inner')", true],
      ['ARRAY_CONTAINS([{a: 1, b: 2}], {a: 1})', false],
      ['ARRAY_CONTAINS([{a: 1, b: 2}], {a: 1}, true)', true],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
    compute: contains,
  }),
  defineFunction({
    name: 'ARRAY_CONTAINS_ALL',
    family: 'array',
    parameters: [required('array', 'array'), required('needle', 'any'), rest('needles', 'any')],
    result: 'boolean',
    summary: 'Whether the array holds every value; undefined where one is undefined and no other is missing.',
    examples: [
      ["ARRAY_CONTAINS_ALL(c.tags, 'inner', 'large')", true],
      ["ARRAY_CONTAINS_ALL(c.tags, 'inner', c.missing)", undefined],
      ["ARRAY_CONTAINS_ALL(c.tags, 'methane', c.missing)", false],
    ],
    sqlite: 'exact',
    undefinedArguments: 'pass',
    evaluate: containsMany(false),
  }),
  defineFunction({
    name: 'ARRAY_CONTAINS_ANY',
    family: 'array',
    parameters: [required('array', 'array'), required('needle', 'any'), rest('needles', 'any')],
    result: 'boolean',
    summary: 'Whether the array holds at least one of the values; undefined where one is undefined and no other is found.',
    examples: [
      ["ARRAY_CONTAINS_ANY(c.tags, 'methane', 'sulfur')", true],
      ["ARRAY_CONTAINS_ANY(c.tags, 'methane', c.missing)", undefined],
      ["ARRAY_CONTAINS_ANY([], 'methane')", false],
    ],
    sqlite: 'exact',
    undefinedArguments: 'pass',
    evaluate: containsMany(true),
  }),
];
