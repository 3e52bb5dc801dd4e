import { describe, expect, test } from 'vitest';
import { queryAdvice } from '../../../src/query/advice/query-advice.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['ARRAY_CONTAINS(c.tags, {name: "a"}, true)', ['QA1000']],
  ['ARRAY_CONTAINS(c.tags, "a")', []],
  ['CONTAINS(c.name, "a")', ['QA1002']],
  ['STARTSWITH(c.name, "a", true)', ['QA1003']],
  ['STARTSWITH(c.name, "a", false)', []],
  ['STARTSWITH(c.name, "a")', []],
  ['StringEquals(c.name, "a", true)', ['QA1003']],
  ['ENDSWITH(c.name, "a")', ['QA1004']],
  ['UPPER(c.name) = "A" OR lower(c.name) = "a"', ['QA1006']],
  ['c.at < GetCurrentDateTime()', ['QA1007']],
  ['c.at < GetCurrentTicks()', ['QA1008']],
  ['c.at < GetCurrentTimestamp()', ['QA1009']],
  ['c.at < GetCurrentTimestampStatic()', []],
  ['EXISTS (SELECT VALUE t FROM t IN c.tags WHERE ENDSWITH(t, "a")) AND CONTAINS(c.name, "b")', ['QA1002', 'QA1004']],
  ['udf.contains(c.name, "a")', []],
];

describe('query advice', () => {
  test.each(CASES)('%s', (condition, ids) => {
    const advice = queryAdvice(prepareQuery(`SELECT * FROM c WHERE ${condition}`));
    expect(advice).toEqual(ids.map((Id) => ({ Id, Params: [] })));
  });

  test('is about filters, not about what is selected', () => {
    expect(queryAdvice(prepareQuery('SELECT UPPER(c.name), GetCurrentTicks() FROM c'))).toEqual([]);
    expect(queryAdvice(prepareQuery('SELECT GetCurrentTicks() FROM c WHERE GetCurrentTimestamp() > 10'))).toEqual([
      { Id: 'QA1009', Params: [] },
    ]);
  });
});
