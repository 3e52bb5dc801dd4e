import type { JsonObject } from '../../src/core/json.ts';
import type { BenchResult } from '../harness.ts';
import { measurePolicyIndex } from '../policy-index.ts';

/** Places over a part of Europe, 250 times 200 of them. */
const COLUMNS = 250;
const STEP_DEGREES = 0.04;

const placeAt = (index: number): JsonObject => ({
  type: 'Point',
  coordinates: [5 + (index % COLUMNS) * STEP_DEGREES, 45 + Math.floor(index / COLUMNS) * STEP_DEGREES],
});

/** A field that has four by four of the places. */
const field: JsonObject = {
  type: 'Polygon',
  coordinates: [
    [
      [8.99, 47.99],
      [9.13, 47.99],
      [9.13, 48.13],
      [8.99, 48.13],
      [8.99, 47.99],
    ],
  ],
};

/** What an index over places gains in a search, and what it costs in a write. */
export function run(): AsyncGenerator<BenchResult> {
  const place = JSON.stringify(placeAt(20_000));
  return measurePolicyIndex({
    label: 'spatial',
    indexingPolicy: { spatialIndexes: [{ path: '/place/*', types: ['Point'] }] },
    documentAt: (index) => ({ place: placeAt(index), name: `Place ${index}` }),
    queries: [
      { name: 'within 2.9 km, 1 of 50,000', query: `SELECT * FROM c WHERE ST_DISTANCE(c.place, ${place}) < 2900`, items: 1 },
      { name: 'within a field, 16 of 50,000', query: `SELECT * FROM c WHERE ST_WITHIN(c.place, ${JSON.stringify(field)})`, items: 16 },
    ],
  });
}
