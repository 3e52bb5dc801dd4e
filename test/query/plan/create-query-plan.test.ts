import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { createQueryPlan, needsPlan } from '../../../src/query/plan/create-query-plan.ts';
import type { QueryInfo } from '../../../src/query/plan/query-info.ts';
import { ORDER_BY_FILTER } from '../../../src/query/plan/rewrite-query.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import type { QueryParameter } from '../../../src/query/syntax-nodes.ts';

const BASE: QueryInfo = {
  distinctType: 'None',
  top: null,
  offset: null,
  limit: null,
  orderBy: [],
  orderByExpressions: [],
  groupByExpressions: [],
  groupByAliases: [],
  aggregates: [],
  groupByAliasToAggregateType: {},
  rewrittenQuery: '',
  hasSelectValue: false,
  hasNonStreamingOrderBy: false,
};

function info(text: string, parameters: readonly QueryParameter[] = [], paths: readonly string[] = []): QueryInfo {
  const { queryInfo } = createQueryPlan(prepareQuery(text), parameters, paths);
  if (queryInfo === undefined) {
    throw new Error(`expected a queryInfo for ${text}`);
  }
  return queryInfo;
}

describe('a query that needs no rewriting', () => {
  test.each<[string, Partial<QueryInfo>]>([
    ['SELECT * FROM movies', {}],
    ['SELECT VALUE m.title FROM movies m WHERE m.year > 1990', { hasSelectValue: true }],
    ['SELECT TOP 7 m.title FROM movies m', { top: 7 }],
    ['SELECT DISTINCT m.genre FROM movies m', { distinctType: 'Unordered' }],
    ['SELECT TOP 2 5', {}],
  ])('%s', (text, differs) => {
    expect(info(text)).toEqual({ ...BASE, ...differs });
  });
});

describe('ORDER BY', () => {
  test('each row carries its sort keys and the row, and the filter has a place for the client', () => {
    expect(info('SELECT * FROM movies m ORDER BY m.year DESC, m.title')).toEqual({
      ...BASE,
      orderBy: ['Descending', 'Ascending'],
      orderByExpressions: ['m.year', 'm.title'],
      rewrittenQuery:
        'SELECT m._rid, [{"item": m.year}, {"item": m.title}] AS orderByItems, m AS payload\n' +
        `FROM movies AS m\nWHERE (${ORDER_BY_FILTER})\nORDER BY m.year DESC, m.title`,
    });
  });

  test('what the text filters, projects, joins and counts is kept', () => {
    const text =
      'SELECT TOP 3 m.title, r.stars AS s, 1 FROM movies m JOIN r IN m.ratings WHERE m.year = @y OR r.stars > 3 ORDER BY m.year ASC';
    expect(info(text)).toMatchObject({
      top: 3,
      rewrittenQuery:
        'SELECT TOP 3 m._rid, [{"item": m.year}] AS orderByItems, {"title": m.title, "s": r.stars, "$1": 1} AS payload\n' +
        'FROM movies AS m\nJOIN r IN m.ratings\n' +
        `WHERE (((m.year = @y) OR (r.stars > 3)) AND (${ORDER_BY_FILTER}))\n` +
        'ORDER BY m.year ASC',
    });
  });

  test('of two columns with one name the last is given', () => {
    expect(info('SELECT m.a, m.b AS a FROM m ORDER BY m.c').rewrittenQuery).toContain('{"a": m.b} AS payload');
  });

  test('rows without a value are left out by the range, which counts them otherwise', () => {
    expect(info('SELECT TOP 2 VALUE m.t FROM m WHERE m.a ORDER BY m.b').rewrittenQuery).toBe(
      'SELECT TOP 2 m._rid, [{"item": m.b}] AS orderByItems, m.t AS payload\nFROM m\n' +
        `WHERE ((m.a AND (${ORDER_BY_FILTER})) AND IS_DEFINED(m.t))\nORDER BY m.b`,
    );
  });

  test('duplicates and counts of DISTINCT are left to the client, since rows with a _rid are never equal', () => {
    expect(info('SELECT DISTINCT TOP 2 m.t FROM m ORDER BY m.t').rewrittenQuery).toBe(
      `SELECT m._rid, [{"item": m.t}] AS orderByItems, {"t": m.t} AS payload\nFROM m\nWHERE (${ORDER_BY_FILTER})\nORDER BY m.t`,
    );
  });

  test('OFFSET is left to the client, LIMIT covers what it skips', () => {
    const { offset, limit, rewrittenQuery } = info('SELECT VALUE m.t FROM m ORDER BY m.t OFFSET 20 LIMIT 10');
    expect({ offset, limit }).toEqual({ offset: 20, limit: 10 });
    expect(rewrittenQuery.split('\n').slice(-2)).toEqual(['ORDER BY m.t', 'OFFSET 0 LIMIT 30']);
  });

  test.each([
    ['SELECT DISTINCT VALUE m.t FROM m ORDER BY m.t', 'Ordered'],
    ['SELECT DISTINCT m.t FROM m ORDER BY m["t"] DESC', 'Ordered'],
    ['SELECT DISTINCT m.t, m.u FROM m ORDER BY m.u, m.t, m.v', 'Ordered'],
    ['SELECT DISTINCT m.t, m.u FROM m ORDER BY m.u', 'Unordered'],
    ['SELECT DISTINCT m.t FROM m ORDER BY m.u, m.t', 'Unordered'],
    ['SELECT DISTINCT * FROM m ORDER BY m.t', 'Unordered'],
  ])('%s: %s', (text, distinctType) => {
    expect(info(text).distinctType).toBe(distinctType);
  });
});

describe('OFFSET and LIMIT', () => {
  test('each range gives as many as may be wanted', () => {
    expect(info('SELECT m.t FROM m WHERE m.n > 1 OFFSET 5 LIMIT 2')).toEqual({
      ...BASE,
      offset: 5,
      limit: 2,
      rewrittenQuery: 'SELECT m.t\nFROM m\nWHERE (m.n > 1)\nOFFSET 0 LIMIT 7',
    });
  });

  test('with DISTINCT each range gives everything, for what is equal may be in several', () => {
    expect(info('SELECT DISTINCT TOP 4 VALUE m.genre FROM movies m')).toEqual({
      ...BASE,
      distinctType: 'Unordered',
      top: 4,
      hasSelectValue: true,
      rewrittenQuery: 'SELECT DISTINCT VALUE m.genre\nFROM movies AS m',
    });
    expect(info('SELECT DISTINCT m.a FROM m OFFSET 1 LIMIT 2')).toMatchObject({
      offset: 1,
      limit: 2,
      rewrittenQuery: 'SELECT DISTINCT m.a\nFROM m',
    });
  });

  test('counts come from parameters', () => {
    const parameters = [
      { name: '@o', value: 4 },
      { name: '@l', value: 3 },
      { name: '@t', value: 2 },
    ];
    expect(info('SELECT * FROM m OFFSET @o LIMIT @l', parameters)).toMatchObject({ offset: 4, limit: 3 });
    expect(info('SELECT * FROM m OFFSET @o LIMIT @l', parameters).rewrittenQuery).toContain('OFFSET 0 LIMIT 7');
    expect(info('SELECT TOP @t * FROM m ORDER BY m.a', parameters).rewrittenQuery).toContain('SELECT TOP 2 m._rid');
  });

  test.each([['1'], [-1], [1.5], [null], [2 ** 32], [undefined]])('the count %j is refused', (value) => {
    try {
      info('SELECT TOP @t * FROM m', value === undefined ? [] : [{ name: '@t', value }]);
      expect.unreachable();
    } catch (error) {
      expect(isPerigeeError(error, 'QUERY_INVALID') && error.details['errors']).toMatchObject([{ code: 'SC2060' }]);
    }
  });

  test('stay in the text where one full partition key is asked for', () => {
    const text = 'SELECT * FROM m WHERE m.tenant = "a" AND m.user = @u OFFSET 5 LIMIT 2';
    const user = [{ name: '@u', value: 'b' }];
    expect(info(text, user, ['/tenant', '/user'])).toEqual(BASE);
    expect(info(text, user, ['/tenant', '/other'])).toMatchObject({ offset: 5, limit: 2 });
    expect(info(text, user)).toMatchObject({ offset: 5, limit: 2 });
  });

  test.each(['SELECT VALUE COUNT(1)', 'SELECT DISTINCT *'])('but not those of %s, which counts after merging', (select) => {
    expect(info(`${select} FROM m WHERE m.tenant = 1 OFFSET 0 LIMIT 2`, [], ['/tenant'])).toMatchObject({ offset: 0, limit: 2 });
  });
});

describe('aggregates', () => {
  test.each<[string, string, string]>([
    ['COUNT(m.a)', 'Count', '{"item": COUNT(m.a)}'],
    ['sum(m.a)', 'Sum', '{"item": sum(m.a)}'],
    ['Avg(m.a * 2)', 'Average', '{"item": {"sum": SUM((m.a * 2)), "count": COUNT((m.a * 2))}}'],
    ['MIN(m.a)', 'Min', '{"item": MIN(m.a), "item2": {"min": MIN(m.a), "count": COUNT(m.a)}}'],
    ['MAX(m.a)', 'Max', '{"item": MAX(m.a), "item2": {"max": MAX(m.a), "count": COUNT(m.a)}}'],
    ['MAKELIST(m.a)', 'MakeList', '{"item": MAKELIST(m.a)}'],
    ['COUNTIF(m.a > 1)', 'CountIf', '{"item": COUNTIF((m.a > 1))}'],
  ])('SELECT VALUE %s', (call, type, item) => {
    expect(info(`SELECT VALUE ${call} FROM m`)).toEqual({
      ...BASE,
      aggregates: [type],
      hasSelectValue: true,
      rewrittenQuery: `SELECT VALUE [${item}]\nFROM m`,
    });
  });

  test('in a list they are merged by name, numbered where they have none', () => {
    expect(info('SELECT COUNT(1), MAX(m.a) AS most, "x" AS c FROM m WHERE m.b = 1')).toEqual({
      ...BASE,
      groupByAliases: ['$1', 'most', 'c'],
      groupByAliasToAggregateType: { $1: 'Count', most: 'Max', c: null },
      rewrittenQuery:
        'SELECT {"$1": {"item": COUNT(1)}, "most": {"item": MAX(m.a), "item2": {"max": MAX(m.a), "count": COUNT(m.a)}}, "c": "x"} AS payload\n' +
        'FROM m\nWHERE (m.b = 1)',
    });
  });

  test('names such as __proto__ and 10 keep their place', () => {
    const { groupByAliases, groupByAliasToAggregateType } = info('SELECT COUNT(1) AS b, SUM(m.a) AS "__proto__", MAX(m.a) AS "10" FROM m');
    expect(groupByAliases).toEqual(['b', '__proto__', '10']);
    expect(Object.entries(groupByAliasToAggregateType)).toEqual([
      ['10', 'Max'],
      ['b', 'Count'],
      ['__proto__', 'Sum'],
    ]);
  });

  test('the order of a single row is kept, and means nothing, whatever it is by', () => {
    expect(info('SELECT VALUE COUNT(1) FROM m JOIN t IN m.ts ORDER BY t.a')).toMatchObject({
      orderBy: [],
      rewrittenQuery: 'SELECT VALUE [{"item": COUNT(1)}]\nFROM m\nJOIN t IN m.ts\nORDER BY t.a',
    });
  });

  test.each([
    'SELECT VALUE COUNT(1) + 1 FROM m',
    'SELECT {"n": SUM(m.a)} AS o FROM m',
    'SELECT m.t, FLOOR(AVG(m.a)) AS f FROM m GROUP BY m.t',
  ])('%s cannot be merged', (text) => {
    expect(() => info(text)).toThrow('Compositions of aggregates and other expressions are not allowed.');
  });
});

describe('GROUP BY', () => {
  test('each range gives its groups, and TOP is left to the client: a group may be in several ranges', () => {
    expect(info('SELECT TOP 5 m.t, LOWER(m.u) AS low, AVG(m.a) AS a FROM m WHERE m.b GROUP BY m.t, LOWER(m.u)')).toEqual({
      ...BASE,
      top: 5,
      groupByExpressions: ['m.t', 'LOWER(m.u)'],
      groupByAliases: ['t', 'low', 'a'],
      groupByAliasToAggregateType: { t: null, low: null, a: 'Average' },
      rewrittenQuery:
        'SELECT [{"item": m.t}, {"item": LOWER(m.u)}] AS groupByItems, ' +
        '{"t": m.t, "low": LOWER(m.u), "a": {"item": {"sum": SUM(m.a), "count": COUNT(m.a)}}} AS payload\n' +
        'FROM m\nWHERE m.b\nGROUP BY m.t, LOWER(m.u)',
    });
  });

  test('SELECT VALUE gives the value, or the aggregate in an array', () => {
    expect(info('SELECT VALUE m.t FROM m GROUP BY m.t')).toMatchObject({
      aggregates: [],
      hasSelectValue: true,
      rewrittenQuery: 'SELECT [{"item": m.t}] AS groupByItems, m.t AS payload\nFROM m\nGROUP BY m.t',
    });
    expect(info('SELECT VALUE SUM(m.a) FROM m GROUP BY m.t')).toMatchObject({
      aggregates: ['Sum'],
      rewrittenQuery: 'SELECT [{"item": m.t}] AS groupByItems, [{"item": SUM(m.a)}] AS payload\nFROM m\nGROUP BY m.t',
    });
  });
});

describe('every plan', () => {
  const column = fc.constantFrom(
    'm.a',
    'm["b c"]',
    'r.x',
    'LOWER(m.a)',
    '{"k": [m.a, "q\\""]}',
    'm.a ?? (m.b ? 1 : -1)',
    '(SELECT VALUE m.a)',
  );
  const aggregate = fc.constantFrom('COUNT(1)', 'AVG(m.a)', 'MIN(r.x)', 'MAKESET(m.a || "x")');
  const where = fc.constantFrom(
    '',
    ' WHERE m.a = 1 OR m.b = 2',
    ' WHERE (m.n BETWEEN 1 AND 2)',
    ' WHERE EXISTS(SELECT VALUE 1 FROM t IN m.ts)',
  );
  const tail = fc.constantFrom('', ' ORDER BY m.a', ' ORDER BY m.a DESC, m["b c"]', ' ORDER BY m.a OFFSET 1 LIMIT 2', ' OFFSET 3 LIMIT 4');
  const plain = fc
    .tuple(fc.constantFrom('', 'DISTINCT '), fc.constantFrom('', 'VALUE '), fc.array(column, { minLength: 1, maxLength: 3 }), where, tail)
    .map(
      ([distinct, value, columns, filter, end]) =>
        `SELECT ${distinct}${value}${value === '' ? columns.join(', ') : columns[0]} FROM movies m JOIN r IN m.rs${filter}${end}`,
    );
  const grouped = fc
    .tuple(fc.array(aggregate, { minLength: 1, maxLength: 3 }), fc.constantFrom('', ' GROUP BY m.t', ' GROUP BY m.t, LOWER(m.a)'), where)
    .map(([calls, group, filter]) => `SELECT ${calls.join(', ')} FROM movies m JOIN r IN m.rs${filter}${group}`);

  test('is sent as a text that this very language reads, whatever the client puts in place of the filter', () => {
    fc.assert(
      fc.property(
        fc.oneof(plain, grouped),
        fc.constantFrom('true', '(m.a >= 5)', 'm.a > "x" OR (m.a = null AND m.b < 2)'),
        (text, filter) => {
          const { rewrittenQuery } = info(text);
          if (rewrittenQuery !== '') {
            expect(() => prepareQuery(rewrittenQuery.replaceAll(ORDER_BY_FILTER, filter))).not.toThrow();
          }
          expect(rewrittenQuery.includes(ORDER_BY_FILTER)).toBe(prepareQuery(text).root.orderBy.length > 0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('costs microseconds when the text was seen before', () => {
    const prepared = prepareQuery(`SELECT m.t, COUNT(1) AS n FROM m WHERE m.id IN (${'"x", '.repeat(5000)}"y") GROUP BY m.t`);
    const plan = createQueryPlan(prepared);
    const start = performance.now();
    for (let round = 0; round < 1000; round += 1) {
      createQueryPlan(prepared);
    }
    expect(performance.now() - start).toBeLessThan(50);
    expect(createQueryPlan(prepared)).toBe(plan);
  });
});

describe('the text of rewritten queries', () => {
  test('has one pair of parentheses around each operator, and a line for each clause of a subquery in FROM', () => {
    const text =
      'SELECT VALUE COUNT(1) FROM m JOIN (SELECT VALUE t.a + 1 * 2 FROM t IN m.ts WHERE NOT t.x ?? -1 = 2 AND t.y IN (1, 2)) AS s WHERE s > 1 OR m.b';
    expect(info(text).rewrittenQuery).toBe(
      [
        'SELECT VALUE [{"item": COUNT(1)}]',
        'FROM m',
        'JOIN (',
        '    SELECT VALUE (t.a + (1 * 2))',
        '    FROM t IN m.ts',
        '    WHERE ((NOT t.x) ?? ((-1 = 2) AND (t.y IN (1, 2))))',
        ') AS s',
        'WHERE ((s > 1) OR m.b)',
      ].join('\n'),
    );
  });

  test.each([
    ['a long chain', Array.from({ length: 3000 }, (_, index) => `m.a = ${index}`).join(' OR ')],
    ['deep nesting', `${'(1 + m.a * ('.repeat(90)}1${'))'.repeat(90)} > 2`],
  ])('of %s does not nest deeper than a text may', (_, condition) => {
    const { rewrittenQuery } = info(`SELECT m.a FROM m WHERE ${condition} OFFSET 1 LIMIT 2`);
    expect(() => prepareQuery(rewrittenQuery)).not.toThrow();
  });
});

describe('which queries a gateway refuses across partitions', () => {
  test.each([
    ['SELECT * FROM m WHERE m.a = 1', false],
    ['SELECT VALUE m.a FROM m JOIN t IN m.ts', false],
    ['SELECT VALUE (SELECT VALUE COUNT(1) FROM t IN m.ts) FROM m', false],
    ['SELECT * FROM m ORDER BY m.a', true],
    ['SELECT TOP 1 * FROM m', true],
    ['SELECT * FROM m OFFSET 0 LIMIT 1', true],
    ['SELECT DISTINCT m.a FROM m', true],
    ['SELECT COUNT(1) FROM m', true],
    ['SELECT m.a FROM m GROUP BY m.a', true],
  ])('%s: %s', (text, expected) => {
    expect(needsPlan(prepareQuery(text))).toBe(expected);
  });
});
