import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { OPENERS, withContainer } from './open-stores.ts';

const documents = [
  { n: 0, big: 1e308, list: [1, 2] },
  { n: 1, big: 1e308, list: [1] },
  { n: 2, list: [] },
];

describe.each(Object.keys(OPENERS))('errors of a query that runs, on %s', (name) => {
  const ask = (query: string, parameters: readonly { name: string; value: JsonValue }[] = []): Promise<JsonValue[]> =>
    withContainer(name, {}, documents, (store) => store.query<JsonValue>({ query, parameters }).toArray());

  test.each([
    'SELECT VALUE 1 / 0',
    'SELECT VALUE -1 / 0',
    'SELECT VALUE 0 / 0',
    'SELECT VALUE c.n / 0 FROM c',
    'SELECT VALUE 1 / c.n FROM c',
    'SELECT VALUE [1, [c.n / 0]] FROM c',
    'SELECT {"a": LOG(c.n)} AS deep FROM c',
    'SELECT VALUE NaN',
    'SELECT VALUE Infinity FROM c',
    'SELECT VALUE SUM(c.big * 10) FROM c',
    'SELECT VALUE SUM(c.big) FROM c',
    'SELECT c.n / 0 AS k, COUNT(1) AS n FROM c GROUP BY c.n / 0',
    'SELECT DISTINCT VALUE c.n / 0 FROM c',
    'SELECT VALUE 1 / c.n FROM c ORDER BY c.n',
    'SELECT TOP 1 VALUE 1 / c.n FROM c ORDER BY c.n',
  ])('%s: a number that is not finite is no result', async (query) => {
    await expect(ask(query)).rejects.toMatchObject({ code: 'QUERY_FAILED', status: 400, subStatus: 4001, details: { errorNumber: 4001 } });
  });

  test.each<[string, readonly JsonValue[]]>([
    ['SELECT VALUE 1 / 0 > 5', [true]],
    ['SELECT VALUE IS_FINITE_NUMBER(1 / 0)', [false]],
    ['SELECT VALUE TOSTRING(0 / 0)', ['NaN']],
    ['SELECT VALUE c.n FROM c WHERE 1 / c.n > 100', [0]],
    ['SELECT VALUE 5 / c.n FROM c WHERE c.n > 0', [5, 2.5]],
    ['SELECT TOP 1 VALUE 1 / c.n FROM c ORDER BY c.n DESC', [0.5]],
    ['SELECT VALUE COUNT(c.n / 0) FROM c', [3]],
  ])('%s: inside an expression it is', async (query, expected) => {
    expect(await ask(query)).toEqual(expected);
  });

  test.each(['SELECT VALUE (SELECT VALUE x FROM x IN c.list) FROM c', 'SELECT * FROM c WHERE (SELECT VALUE x FROM x IN c.list) = 1'])(
    '%s: a scalar subquery gives one row at most',
    async (query) => {
      await expect(ask(query)).rejects.toMatchObject({
        code: 'QUERY_FAILED',
        message: expect.stringContaining('The cardinality of a scalar subquery result set cannot be greater than one.'),
      });
    },
  );

  test.each([
    ['SELECT TOP @n * FROM c', 'SC2060'],
    ['SELECT * FROM c OFFSET @n LIMIT 1', 'SC2062'],
    ['SELECT * FROM c OFFSET 0 LIMIT @n', 'SC2061'],
  ])('%s: a count is a whole number from 0', async (query, code) => {
    for (const value of [-1, 1.5, '1', null, 2 ** 32, [1]] as const) {
      await expect(ask(query, [{ name: '@n', value }])).rejects.toMatchObject({ code: 'QUERY_INVALID', details: { errors: [{ code }] } });
    }
    await expect(ask(query)).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    expect(await ask(query, [{ name: '@n', value: 2 }])).toHaveLength(query.includes('OFFSET @n') ? 1 : 2);
  });

  test('several errors come at once, in the order of the text', async () => {
    const query = 'SELECT nope.a, LEN(c.b), ABS(1, 2) FROM c WHERE other = 1 AND COUNT(1) = 2 ORDER BY LOWER(c.a)';
    await expect(ask(query)).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      details: {
        errors: [
          { severity: 'Error', code: 'SC2001', location: { start: 7, end: 11 }, message: "Identifier 'nope' could not be resolved." },
          { code: 'SC2005', location: { start: 15, end: 18 } },
          { code: 'SC2050', location: { start: 25, end: 34 } },
          { code: 'SC2001', location: { start: query.indexOf('other') } },
          { location: { start: query.indexOf('COUNT') } },
          { code: 'SC2206', location: { start: query.indexOf('LOWER') } },
        ],
      },
    });
  });
});
