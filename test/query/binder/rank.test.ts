import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import type { QueryErrorEntry } from '../../../src/query/query-errors.ts';

/** The errors of a text, each with the text it points at. */
function refusals(text: string): readonly string[] {
  try {
    prepareQuery(text);
  } catch (error) {
    if (isPerigeeError(error)) {
      const entries = error.details?.['errors'] as readonly QueryErrorEntry[];
      return entries.map(({ code, message, location }) => `${code ?? message} at ${text.slice(location.start, location.end)}`);
    }
    throw error;
  }
  return [];
}

const SCORE = "FullTextScore(c.t, 'a')";

describe('ORDER BY RANK', () => {
  test.each([
    `SELECT TOP 3 * FROM c ORDER BY RANK ${SCORE}`,
    'SELECT * FROM c ORDER BY RANK FULLTEXTSCORE(c.t, "a", @b, {"term": "c", "distance": 1})',
    'SELECT * FROM c ORDER BY RANK FullTextScore(c.t, ["a", @b])',
    'SELECT * FROM c ORDER BY RANK FullTextScore({"x": c.t}["x"], "a")',
    'SELECT * FROM c ORDER BY RANK VectorDistance(c.v, [1, 2])',
    `SELECT * FROM c ORDER BY RANK RRF(${SCORE}, VectorDistance(c.v, [1, 2], false, {distanceFunction: 'Cosine'}), [2, -1.5])`,
    `SELECT * FROM c.parts ORDER BY RANK FullTextScore(parts.t, "a") OFFSET 1 LIMIT 2`,
  ])('%s is fine', (text) => {
    expect(refusals(text)).toEqual([]);
  });

  test('keeps its scores and weights', () => {
    const { rank } = prepareQuery(`SELECT * FROM c ORDER BY RANK RRF(${SCORE}, VectorDistance(c.v, [1]), [2, -1.5])`).root;
    expect(rank).toMatchObject({ fused: true, weights: [2, -1.5] });
    expect(rank?.scores.map(({ name }) => name)).toEqual(['FullTextScore', 'VectorDistance']);
  });

  // Codes and places as in the baselines of the .NET SDK, where these have a case.
  test.each([
    ['SELECT * FROM c ORDER BY RANK LOWER(c.a)', ['SC2221 at ORDER BY RANK LOWER(c.a)']],
    [`SELECT * FROM c ORDER BY RANK RRF(${SCORE})`, [`SC2221 at ORDER BY RANK RRF(${SCORE})`]],
    [`SELECT * FROM c ORDER BY RANK RRF(${SCORE}, 20.5)`, [`SC2221 at ORDER BY RANK RRF(${SCORE}, 20.5)`]],
    [`SELECT * FROM c ORDER BY RANK ${SCORE}, ${SCORE}`, [`SC2221 at ${SCORE}`]],
    [`SELECT * FROM c ORDER BY RANK RRF(RRF(${SCORE}, ${SCORE}), ${SCORE})`, ['SC2005 at RRF']],
    [`SELECT * FROM c ORDER BY RANK RRF(${SCORE}, ${SCORE}, [1])`, [`SC2229 at ORDER BY RANK RRF(${SCORE}, ${SCORE}, [1])`]],
    [`SELECT * FROM c ORDER BY RANK RRF(${SCORE}, ${SCORE}, [1, c.w])`, [`SC2229 at ORDER BY RANK RRF(${SCORE}, ${SCORE}, [1, c.w])`]],
    [`SELECT VALUE t FROM t IN c.tags ORDER BY RANK FullTextScore(t, 'a')`, ['SC2223 at t IN c.tags']],
    [`SELECT c.a FROM c JOIN t IN c.tags ORDER BY RANK ${SCORE}`, ['SC2224 at c JOIN t IN c.tags', 'SC2223 at t IN c.tags']],
    [`SELECT * FROM (SELECT VALUE r FROM r) AS c ORDER BY RANK ${SCORE}`, ['SC2225 at (SELECT VALUE r FROM r) AS c']],
    [`SELECT VALUE ARRAY(SELECT VALUE t FROM t IN c.tags ORDER BY RANK ${SCORE}) FROM c`, [`SC2228 at ORDER BY RANK ${SCORE}`]],
    [
      `SELECT DISTINCT c.a FROM c ORDER BY RANK ${SCORE}`,
      [`The DISTINCT keyword is not allowed with the ORDER BY RANK clause. at ORDER BY RANK ${SCORE}`],
    ],
    [
      `SELECT COUNT(1) FROM c ORDER BY RANK ${SCORE}`,
      [`Aggregates are not allowed with the ORDER BY RANK clause. at ORDER BY RANK ${SCORE}`],
    ],
    [
      `SELECT * FROM c ORDER BY RANK ${SCORE} DESC`,
      [`The ORDER BY RANK clause takes no ASC or DESC: what fits best comes first. at ${SCORE} DESC`],
    ],
    ['SELECT * FROM c ORDER BY RANK FullTextScore(c.t, c.u)', ['SC2241 at c.u']],
    ['SELECT * FROM c ORDER BY RANK FullTextScore(c.t, [])', ['SC2241 at FullTextScore(c.t, [])']],
    ['SELECT * FROM c ORDER BY RANK FullTextScore(c.t)', ['SC2050 at FullTextScore(c.t)']],
    ['SELECT * FROM c ORDER BY RANK FullTextScore(d.t, "a")', ['SC2001 at d']],
  ])('%s is refused', (text, expected) => {
    expect(refusals(text)).toEqual(expected);
  });
});

describe('scores elsewhere', () => {
  test.each([
    [`SELECT ${SCORE} FROM c`, [`SC2240 at ${SCORE}`]],
    [`SELECT * FROM c WHERE ${SCORE} > 0 ORDER BY RANK ${SCORE}`, [`SC2240 at ${SCORE}`]],
    [`SELECT * FROM c WHERE RRF(${SCORE}, 1) != 123`, ['SC2005 at RRF', `SC2240 at ${SCORE}`]],
  ])('%s is refused', (text, expected) => {
    expect(refusals(text)).toEqual(expected);
  });

  test.each([
    ['{searchListSizeMultiplier: -100}', 'SC2213'],
    ['{quantizedVectorListMultiplier: 101}', 'SC2213'],
    ["{filterPriority: 'high'}", 'SC2213'],
    ["{distanceFunction: 'manhattan'}", 'The distanceFunction of the VectorDistance function must be cosine, dotproduct or euclidean.'],
    ["{dataType: 'float128'}", 'The dataType of the VectorDistance function must be float32, float16, int8 or uint8.'],
    ['{distanceFunction: c.d}', 'The options of the VectorDistance function must be an object of literals and parameters.'],
    ['c.options', 'The options of the VectorDistance function must be an object of literals and parameters.'],
  ])('VECTORDISTANCE with options %s is refused', (options, what) => {
    const call = `VectorDistance(c.v, [1], true, ${options})`;
    expect(refusals(`SELECT ${call} AS d FROM c`)).toEqual([`${what} at ${call}`]);
  });
});
