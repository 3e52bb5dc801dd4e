import type { JsonValue } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { required, type Parameter } from '../parameter.ts';
import { valueKey } from '../value-key.ts';

type Items = ReadonlyMap<string, JsonValue>;

const TWO_ARRAYS: readonly [Parameter<'array', 'required'>, Parameter<'array', 'required'>] = [
  required('first', 'array'),
  required('second', 'array'),
];

/** The distinct elements in the order of their first appearance. */
function distinct(array: readonly JsonValue[]): Items {
  const items = new Map<string, JsonValue>();
  for (const item of array) {
    const key = valueKey(item);
    if (!items.has(key)) {
      items.set(key, item);
    }
  }
  return items;
}

function pick(from: Items, keep: (key: string) => boolean): JsonValue[] {
  const picked: JsonValue[] = [];
  for (const [key, value] of from) {
    if (keep(key)) {
      picked.push(value);
    }
  }
  return picked;
}

function overSets(
  compute: (left: Items, right: Items) => JsonValue,
): (left: readonly JsonValue[], right: readonly JsonValue[]) => Argument {
  return (left, right) => compute(distinct(left), distinct(right));
}

/** Arrays as sets: duplicates count once, elements are compared deeply. An intersection has the order of the second array. */
export const setFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'SETDIFFERENCE',
    aliases: ['SET_DIFFERENCE'],
    family: 'array',
    parameters: TWO_ARRAYS,
    result: 'array',
    summary: 'The elements of the first array that the second has not, each once.',
    examples: [
      ['SETDIFFERENCE([3, 1, 1, 2], [2])', [3, 1]],
      ['SETDIFFERENCE([1], null)', undefined],
    ],
    compute: overSets((left, right) => pick(left, (key) => !right.has(key))),
  }),
  defineFunction({
    name: 'SETEQUAL',
    aliases: ['SET_EQUAL'],
    family: 'array',
    parameters: TWO_ARRAYS,
    result: 'boolean',
    summary: 'Whether both arrays have the same elements, in any order and number.',
    examples: [
      ['SETEQUAL([1, 2, 2], [2, 1])', true],
      ["SETEQUAL([1], ['1'])", false],
    ],
    compute: overSets((left, right) => left.size === right.size && [...left.keys()].every((key) => right.has(key))),
  }),
  defineFunction({
    name: 'SETINTERSECT',
    aliases: ['SET_INTERSECT'],
    family: 'array',
    parameters: TWO_ARRAYS,
    result: 'array',
    summary: 'The elements that both arrays have, each once, in the order of the second.',
    examples: [
      ["SETINTERSECT([1, 'a', 2], [2, 2, 1, 3])", [2, 1]],
      ['SETINTERSECT([], [1])', []],
    ],
    compute: overSets((left, right) => pick(right, (key) => left.has(key))),
  }),
  defineFunction({
    name: 'SETUNION',
    aliases: ['SET_UNION'],
    family: 'array',
    parameters: TWO_ARRAYS,
    result: 'array',
    summary: 'The elements of the first array, then those that only the second has, each once.',
    examples: [['SETUNION([1, 2, 1], [3, 2])', [1, 2, 3]]],
    compute: overSets((left, right) => [...left.values(), ...pick(right, (key) => !left.has(key))]),
  }),
];
