import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';
import { averageAccumulator, collector, countWhere, extremeAccumulator, sumAccumulator } from './accumulators.ts';

/** The functions that fold the rows of a group into one value. Undefined values are no part of it. */
export const aggregateFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'AVG',
    family: 'aggregate',
    parameters: [required('value', 'number')],
    result: 'number',
    summary: 'The mean of the numbers; undefined over nothing, and where a value is no number.',
    examples: [
      ['AVG(c.radiusKm)', 1544.0333333333335],
      ['AVG(c.planet)', undefined],
    ],
    indexUse: 'precise',
    accumulate: averageAccumulator,
  }),
  defineFunction({
    name: 'COUNT',
    family: 'aggregate',
    parameters: [required('value', 'any')],
    result: 'integer',
    summary: 'How many values are defined; null counts.',
    examples: [
      ['COUNT(1)', 3],
      ['COUNT(c.missing)', 0],
    ],
    indexUse: 'precise',
    sqlite: 'exact',
    accumulate: () => countWhere((value) => value !== undefined),
  }),
  defineFunction({
    name: 'COUNTIF',
    family: 'aggregate',
    parameters: [required('condition', 'boolean', 'decides')],
    result: 'integer',
    summary: 'How many values are exactly true.',
    examples: [
      ['COUNTIF(c.radiusKm > 1000)', 2],
      ['COUNTIF(c.planet)', 0],
    ],
    accumulate: () => countWhere((value) => value === true),
  }),
  defineFunction({
    name: 'MAKELIST',
    family: 'aggregate',
    parameters: [required('value', 'any')],
    result: 'array',
    summary: 'The values, in the order of the rows; `[]` over nothing.',
    examples: [['MAKELIST(c.composition.crust)', ['silicate', 'ice', 'ice']]],
    accumulate: () => collector('MAKELIST', false),
  }),
  defineFunction({
    name: 'MAKESET',
    family: 'aggregate',
    parameters: [required('value', 'any')],
    result: 'array',
    summary: 'The values, each once, in the order of the rows; `[]` over nothing.',
    examples: [['MAKESET(c.composition.crust)', ['silicate', 'ice']]],
    accumulate: () => collector('MAKESET', true),
  }),
  defineFunction({
    name: 'MAX',
    family: 'aggregate',
    parameters: [required('value', 'any')],
    result: 'any',
    summary: 'The greatest value by null, booleans, numbers, strings; undefined over nothing, and where an array or object is among them.',
    examples: [
      ['MAX(c.radiusKm)', 2574.7],
      ['MAX(c.tags)', undefined],
    ],
    indexUse: 'precise',
    accumulate: () => extremeAccumulator(1),
  }),
  defineFunction({
    name: 'MIN',
    family: 'aggregate',
    parameters: [required('value', 'any')],
    result: 'any',
    summary: 'The least value by null, booleans, numbers, strings; undefined over nothing, and where an array or object is among them.',
    examples: [
      ['MIN(c.radiusKm)', 235.8],
      ['MIN(c.seen)', '1610-01-08T19:00:00.0000000Z'],
    ],
    indexUse: 'precise',
    accumulate: () => extremeAccumulator(-1),
  }),
  defineFunction({
    name: 'SUM',
    family: 'aggregate',
    parameters: [required('value', 'number')],
    result: 'number',
    summary: 'The sum of the numbers; 0 over nothing, undefined where a value is no number.',
    examples: [
      ['SUM(c.visits[0])', 5945],
      ['SUM(c.missing)', 0],
    ],
    indexUse: 'precise',
    accumulate: sumAccumulator,
  }),
];
