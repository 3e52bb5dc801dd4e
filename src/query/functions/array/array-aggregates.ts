import type { JsonValue } from '../../../core/json.ts';
import { averageAccumulator, extremeAccumulator, sumAccumulator } from '../aggregate/accumulators.ts';
import { defineFunction } from '../define-function.ts';
import type { Accumulator, Argument, FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';

function folded(create: () => Accumulator): (array: readonly JsonValue[]) => Argument {
  return (array) => {
    const accumulator = create();
    for (const item of array) {
      accumulator.add(item);
    }
    return accumulator.result();
  };
}

function median(array: readonly JsonValue[]): Argument {
  if (array.length === 0 || !array.every((item) => typeof item === 'number')) {
    return undefined;
  }
  const sorted = array.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Functions that fold the elements of one array, by the rules of the aggregates. */
export const arrayAggregates: readonly FunctionEntry[] = [
  defineFunction({
    name: 'ARRAY_AVG',
    family: 'array',
    parameters: [required('array', 'array')],
    result: 'number',
    summary: 'The mean of an array of numbers; undefined for an empty one, and where an element is no number.',
    examples: [
      ['ARRAY_AVG([1, 2, 6])', 3],
      ["ARRAY_AVG([1, 'two'])", undefined],
      ['ARRAY_AVG([])', undefined],
    ],
    compute: folded(averageAccumulator),
  }),
  defineFunction({
    name: 'ARRAY_MAX',
    family: 'array',
    parameters: [required('array', 'array')],
    result: 'any',
    summary:
      'The greatest element by null, booleans, numbers, strings; undefined for an empty array, and where an array or object is in it.',
    examples: [
      ['ARRAY_MAX(c.visits)', 2023],
      ["ARRAY_MAX([9, 'a', true, null])", 'a'],
      ['ARRAY_MAX([1, [2]])', undefined],
    ],
    compute: folded(() => extremeAccumulator(1)),
  }),
  defineFunction({
    name: 'ARRAY_MEDIAN',
    family: 'array',
    parameters: [required('array', 'array')],
    result: 'number',
    summary: 'The middle of the sorted numbers, or the mean of the two in the middle.',
    examples: [
      ['ARRAY_MEDIAN([5, 1, 9])', 5],
      ['ARRAY_MEDIAN([4, 1, 3, 2])', 2.5],
      ["ARRAY_MEDIAN([1, '2'])", undefined],
    ],
    compute: median,
  }),
  defineFunction({
    name: 'ARRAY_MIN',
    family: 'array',
    parameters: [required('array', 'array')],
    result: 'any',
    summary: 'The least element by null, booleans, numbers, strings; undefined for an empty array, and where an array or object is in it.',
    examples: [
      ['ARRAY_MIN(c.visits)', 1979],
      ["ARRAY_MIN(['abc', 'ABC'])", 'ABC'],
      ['ARRAY_MIN([])', undefined],
    ],
    compute: folded(() => extremeAccumulator(-1)),
  }),
  defineFunction({
    name: 'ARRAY_SUM',
    family: 'array',
    parameters: [required('array', 'array')],
    result: 'number',
    summary: 'The sum of an array of numbers; 0 for an empty one, undefined where an element is no number.',
    examples: [
      ['ARRAY_SUM([1, 2, 6])', 9],
      ['ARRAY_SUM([])', 0],
      ['ARRAY_SUM([1, null])', undefined],
    ],
    compute: folded(sumAccumulator),
  }),
];
