import type { JsonValue } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required, rest } from '../parameter.ts';

function slice(array: readonly JsonValue[], start: number, count: number = Number.MAX_SAFE_INTEGER): Argument {
  const from = start < 0 ? Math.max(array.length + start, 0) : start;
  return array.slice(from, from + Math.max(count, 0));
}

/** The longest array that ARRAY_CONCAT makes: four times what the largest document holds. */
const MAX_ELEMENTS = 2 ** 22;

function concat(...arrays: readonly (readonly JsonValue[])[]): Argument {
  if (arrays.reduce((length, array) => length + array.length, 0) > MAX_ELEMENTS) {
    throw new RangeError(`ARRAY_CONCAT makes more than ${MAX_ELEMENTS} elements.`);
  }
  return arrays.flat(1);
}

/** Arrays joined, measured and cut. */
export const arrayParts: readonly FunctionEntry[] = [
  defineFunction({
    name: 'ARRAY_CONCAT',
    family: 'array',
    parameters: [required('first', 'array'), required('second', 'array'), rest('others', 'array')],
    result: 'array',
    summary: 'The elements of all arrays, one after the other.',
    examples: [
      ["ARRAY_CONCAT([1], [2, 2], ['x'])", [1, 2, 2, 'x']],
      ['ARRAY_CONCAT([1], 2)', undefined],
    ],
    compute: concat,
  }),
  defineFunction({
    name: 'ARRAY_LENGTH',
    family: 'array',
    parameters: [required('array', 'array')],
    result: 'integer',
    summary: 'How many elements the array has.',
    examples: [
      ['ARRAY_LENGTH(c.tags)', 3],
      ["ARRAY_LENGTH('tags')", undefined],
    ],
    sqlite: 'exact',
    compute: (array) => array.length,
  }),
  defineFunction({
    name: 'ARRAY_SLICE',
    family: 'array',
    parameters: [required('array', 'array'), required('start', 'integer'), optional('count', 'integer')],
    result: 'array',
    summary: 'The elements from a position on, at most so many; a negative position counts from the end.',
    examples: [
      ['ARRAY_SLICE([10, 20, 30, 40], 1, 2)', [20, 30]],
      ['ARRAY_SLICE([10, 20, 30, 40], -1)', [40]],
      ['ARRAY_SLICE([10, 20], 2)', []],
      ['ARRAY_SLICE([10, 20], 0.5)', undefined],
    ],
    compute: slice,
  }),
];
