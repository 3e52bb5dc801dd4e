import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';

/** Comparison of vectors. */
export const vectorDistanceFunction: FunctionEntry = defineFunction({
  name: 'VECTORDISTANCE',
  family: 'vector',
  parameters: [
    required('first', 'array'),
    required('second', 'array'),
    optional('bruteForce', 'boolean'),
    optional('options', 'object', 'decides'),
  ],
  result: 'number',
  summary:
    'How alike two vectors of numbers are: by the distance function of the options, else by that of the vector policy, else by cosine.',
  examples: [
    ['VECTORDISTANCE([1, 2, 3], [2, 3, 4])', 0.9925833339709302],
    ["VECTORDISTANCE([1, 2], [4, 6], true, {distanceFunction: 'euclidean'})", 5],
    ["VECTORDISTANCE([1, 2], [4, 6], true, {distanceFunction: 'dotproduct'})", 16],
    ['VECTORDISTANCE([1, 2], [4, 6, 8])', undefined],
  ],
  indexUse: 'seek',
  compiled: true,
});
