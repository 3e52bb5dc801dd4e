import { describe, expect, test } from 'vitest';
import { isPerigeeError, type PerigeeError } from '../../../src/core/errors.ts';
import { bindQuery } from '../../../src/query/binder/bind-query.ts';
import type { FunctionCatalog } from '../../../src/query/function-catalog.ts';
import { parseQuery } from '../../../src/query/parser/parse-query.ts';
import type { QueryErrorEntry } from '../../../src/query/query-errors.ts';
import { prepareCondition, prepareQuery } from '../../../src/query/prepare-query.ts';
import { printExpression } from '../../../src/query/printer.ts';

function failure(text: string): PerigeeError {
  try {
    prepareQuery(text);
  } catch (error) {
    if (isPerigeeError(error)) {
      return error;
    }
    throw error;
  }
  throw new Error(`expected a refusal of ${text}`);
}

/** Code (or message, where there is none) and the piece of text, for each entry. */
function refusals(text: string): readonly string[] {
  return (failure(text).details['errors'] as QueryErrorEntry[]).map(
    ({ code, message, location }) => `${code ?? message} at ${text.slice(location.start, location.end)}`,
  );
}

describe('names', () => {
  test.each([
    ['SELECT * FROM c', ['c'], [{ kind: 'container', path: [] }]],
    ['SELECT * FROM Products AS p', ['p'], [{ kind: 'container', path: [] }]],
    ['SELECT VALUE city FROM c.address.city', ['city'], [{ kind: 'container', path: ['address', 'city'] }]],
    ['SELECT * FROM c.list[0]', [undefined], [{ kind: 'container', path: ['list', 0] }]],
    ['SELECT VALUE t FROM t IN c.tags', ['t'], [{ kind: 'container', path: ['tags'] }]],
    ['SELECT VALUE t FROM c JOIN t IN c.tags', ['c', 't'], [{ kind: 'container' }, { kind: 'variable', slot: 0, path: ['tags'] }]],
    ['SELECT VALUE 1', [], []],
  ])('the sources of %s', (text, aliases, inputs) => {
    const { sources } = prepareQuery(text).root;
    expect(sources.map((source) => source.alias)).toEqual(aliases);
    expect(sources.map((source) => source.input)).toMatchObject(inputs);
  });

  test('a subquery in FROM may read the container, and a JOIN subquery reads what is to its left', () => {
    const { root } = prepareQuery('SELECT VALUE COUNT(1) FROM (SELECT DISTINCT VALUE c.k FROM c) AS k');
    expect(root.sources[0]?.input).toMatchObject({
      kind: 'subquery',
      query: { sources: [{ input: { kind: 'container' } }], outerSlots: [] },
    });
    const joined = prepareQuery('SELECT c.id, n FROM c JOIN (SELECT VALUE t.name FROM t IN c.tags) AS n').root;
    expect(joined.sources[1]?.input).toMatchObject({ kind: 'subquery', query: { outerSlots: [joined.sources[0]?.slot] } });
  });

  test('an inner alias hides an outer one of the same name', () => {
    const prepared = prepareQuery('SELECT VALUE EXISTS(SELECT VALUE c FROM c IN c.kids) FROM c');
    const inner = [...prepared.queries.values()].find((query) => query !== prepared.root);
    expect(inner?.sources[0]?.input).toEqual({ kind: 'variable', slot: prepared.root.sources[0]?.slot, path: ['kids'] });
    const binding = [...prepared.identifiers.values()][0];
    expect(binding).toMatchObject({ kind: 'variable', slot: inner?.sources[0]?.slot });
  });

  test('every slot is its own, LET names included', () => {
    const prepared = prepareQuery('SELECT VALUE (LET x = c.a IN x + (LET x = 2 IN x)) FROM c');
    expect(prepared.slotCount).toBe(3);
    expect([...prepared.letSlots.values()]).toEqual([1, 2]);
    expect([...prepared.identifiers.values()].map((binding) => (binding.kind === 'variable' ? binding.slot : -1))).toEqual([0, 1, 2]);
  });

  test('NaN and Infinity are constants unless an alias has the name', () => {
    const [first] = prepareQuery('SELECT VALUE IS_FINITE_NUMBER(Infinity)').identifiers.values();
    expect(first).toEqual({ kind: 'constant', name: 'Infinity', value: Infinity });
    const [second] = prepareQuery('SELECT VALUE NaN FROM NaN').identifiers.values();
    expect(second).toMatchObject({ kind: 'variable' });
  });

  test.each([
    ['SELECT id FROM c', ['SC2001 at id']],
    ['SELECT c.id, x.y FROM c WHERE z.w = 1', ['SC2001 at x', 'SC2001 at z']],
    ['SELECT VALUE Products FROM Products p', ['SC2001 at Products']],
    ['SELECT VALUE c FROM c.address', ['SC2001 at c']],
    ['SELECT VALUE t FROM t IN c.tags JOIN u IN c.more', ['SC2001 at c']],
    ['SELECT VALUE 1 FROM c JOIN x', ['SC2001 at x']],
    ['SELECT VALUE EXISTS(SELECT VALUE 1 FROM other) FROM c', ['SC2001 at other']],
    ['SELECT VALUE n FROM c JOIN (SELECT VALUE n FROM m IN c.list) n', ['SC2001 at n']],
    ['SELECT VALUE (LET x = 1 IN x) + x', ['SC2001 at x']],
    ['SELECT VALUE c.n AS n FROM c', undefined],
    ['SELECT c.n AS n FROM c WHERE n = 1', ['SC2001 at n']],
  ])('%s', (text, expected) => {
    if (expected === undefined) {
      expect(failure(text).code).toBe('QUERY_SYNTAX');
    } else {
      expect(refusals(text)).toEqual(expected);
    }
  });

  test('an alias stands once in a FROM clause', () => {
    expect(failure('SELECT VALUE t FROM c JOIN t IN c.a JOIN t IN c.b').message).toContain("'t'");
  });
});

describe('output columns', () => {
  test.each([
    ['SELECT c.a, 1, c.b, 2 FROM c', ['a', '$1', 'b', '$2']],
    ['SELECT c, c["odd name"], c.list[0], c.a.b FROM c', ['c', 'odd name', '$1', 'b']],
    ['SELECT c.a AS x, LOWER(c.a), (c.b), @p AS "a b" FROM c', ['x', '$1', 'b', 'a b']],
    ['SELECT COUNT(1), SUM(c.n) AS total, MAX(c.n) FROM c', ['$1', 'total', '$2']],
  ])('%s', (text, names) => {
    expect(prepareQuery(text).root.columns?.map((column) => column.name)).toEqual(names);
  });

  test('SELECT VALUE and SELECT * have none', () => {
    expect(prepareQuery('SELECT VALUE c.a FROM c').root).toMatchObject({ columns: undefined, hasSelectValue: true });
    expect(prepareQuery('SELECT * FROM c').root).toMatchObject({ columns: undefined, hasSelectValue: false });
  });
});

describe('functions', () => {
  test.each([
    ['SELECT NOSUCH(c.a) FROM c', ['SC2005 at NOSUCH']],
    ['SELECT VALUE LEN(c.a, NOPE()) FROM c', ['SC2005 at LEN', 'SC2005 at NOPE']],
    ['SELECT VALUE abs(1, 2)', ['SC2050 at abs(1, 2)']],
    ['SELECT VALUE MAX(MIN(c.n)) FROM c', ['SC2101 at MAX(MIN(c.n))']],
    ['SELECT VALUE SUM((SELECT VALUE 1)) FROM c', ['SC2101 at SUM((SELECT VALUE 1))']],
    ['SELECT VALUE FullTextScore(c.t, "x") FROM c', ['SC2240 at FullTextScore(c.t, "x")']],
    ['SELECT * FROM c WHERE COUNT(1) > 1', ['An aggregate function such as COUNT is not allowed in the WHERE clause. at COUNT(1)']],
  ])('%s', (text, expected) => {
    expect(failure(text).code).toBe('QUERY_INVALID');
    expect(refusals(text)).toEqual(expected);
  });

  test('says how many arguments are wanted', () => {
    expect(failure('SELECT VALUE ABS()').message).toContain('The ABS function requires 1 argument(s).');
    expect(failure('SELECT VALUE CONTAINS("a")').message).toContain('The CONTAINS function requires 2 to 3 argument(s).');
    expect(failure('SELECT VALUE CONCAT("a")').message).toContain('The CONCAT function requires at least 2 argument(s).');
  });

  test('one that is known and not there is refused by name', () => {
    const catalog: FunctionCatalog = {
      lookup: (name) => ({ name, aggregate: false, minArguments: 0, maxArguments: 2, implemented: false }),
    };
    const text = 'SELECT VALUE ST_SOMETHING(c.at, c.to) FROM c';
    expect(() => bindQuery(parseQuery(text), text, catalog)).toThrow(
      expect.objectContaining({
        code: 'QUERY_NOT_SUPPORTED',
        message: expect.stringContaining(
          "The specified query includes 'ST_SOMETHING' which is currently not supported. (SC2990, line 1, column 14)",
        ),
      }),
    );
  });

  test('user-defined functions are named, and ten calls are the limit', () => {
    expect(prepareQuery('SELECT VALUE udf.b(udf.a(udf.b(1)))').udfs).toEqual(['b', 'a']);
    const error = failure(`SELECT VALUE [${Array.from({ length: 11 }, () => 'udf.f()').join()}]`);
    expect(error.code).toBe('QUERY_LIMIT');
    expect(error.details['errors']).toMatchObject([{ code: 'SC3005' }]);
  });
});

describe('grouping', () => {
  test('aggregates without GROUP BY make one group', () => {
    const { root, aggregateCalls, isStreamable } = prepareQuery('SELECT COUNT(1) AS n, {"s": SUM(c.n)} AS o FROM c');
    expect(root).toMatchObject({
      isAggregate: true,
      aggregates: [
        { name: 'COUNT', index: 0 },
        { name: 'SUM', index: 1 },
      ],
    });
    expect(aggregateCalls.size).toBe(2);
    expect(isStreamable).toBe(false);
  });

  test('an aggregate in a subquery belongs to the subquery', () => {
    const prepared = prepareQuery('SELECT VALUE (SELECT VALUE COUNT(1) FROM t IN c.tags) FROM c');
    expect(prepared.root).toMatchObject({ isAggregate: false, aggregates: [] });
    expect([...prepared.aggregateCalls.values()]).toMatchObject([{ name: 'COUNT' }]);
    expect(prepared.isStreamable).toBe(true);
  });

  test.each([
    'SELECT c.t, COUNT(1) FROM c GROUP BY c.t',
    'SELECT c["t"] AS x FROM c GROUP BY c.t',
    'SELECT c.t.deep[0].down FROM c GROUP BY c.t',
    'SELECT LOWER(c.t) || "!" AS x FROM c GROUP BY LOWER(c.t)',
    'SELECT VALUE c.a + c.b + 1 FROM c GROUP BY c.a + c.b',
    'SELECT VALUE [1, @p, MAX(c.n) - MIN(c.n)] FROM c',
    'SELECT VALUE {"t": c.t, "up": UPPER(c.t)} FROM c GROUP BY c.t',
    'SELECT ARRAY(SELECT VALUE x FROM x IN c.t) AS xs FROM c GROUP BY c.t',
    'SELECT COUNT(c.x), (SELECT VALUE COUNT(1)) FROM c',
    'SELECT 1 FROM c GROUP BY c.t',
  ])('%s', (text) => {
    expect(() => prepareQuery(text)).not.toThrow();
  });

  test.each([
    ['SELECT c.a, COUNT(1) FROM c', ['SC2102 at c.a']],
    ['SELECT c.t, c.u.v, c.w FROM c GROUP BY c.t', ['SC2102 at c.u.v', 'SC2102 at c.w']],
    ['SELECT VALUE c FROM c GROUP BY c.t', ['SC2102 at c']],
    ['SELECT VALUE c.a + c.b * 2 FROM c GROUP BY c.a', ['SC2102 at c.b']],
    ['SELECT ARRAY(SELECT VALUE x FROM x IN c.u) AS xs FROM c GROUP BY c.t', ['SC2102 at c.u']],
    ['SELECT (SELECT VALUE c.u) AS xs, COUNT(1) FROM c', ['SC2102 at c.u']],
    ['SELECT * FROM c GROUP BY c.t', ['SC2041 at *']],
    ['SELECT 1 FROM c GROUP BY COUNT(1)', ['An aggregate function such as COUNT is not allowed in the GROUP BY clause. at COUNT(1)']],
    ['SELECT 1 FROM c GROUP BY (SELECT VALUE c.t)', ['A subquery is not allowed in the GROUP BY clause. at (SELECT VALUE c.t)']],
  ])('%s', (text, expected) => {
    expect(refusals(text)).toEqual(expected);
  });

  test('tells which nodes of SELECT repeat a group expression', () => {
    const prepared = prepareQuery('SELECT c["t"], LOWER(c.u) AS l, COUNT(1) AS n FROM c GROUP BY LOWER(c.u), c.t');
    const found = [...prepared.groupReferences].map(([node, position]) => [printExpression(node), position]);
    expect(found).toEqual([
      ['c["t"]', 1],
      ['LOWER(c.u)', 0],
    ]);
  });

  test('the message names the property', () => {
    expect(failure('SELECT c.a.b FROM c GROUP BY c.t').message).toContain(
      "Property reference 'c.a.b' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
    );
  });

  test('GROUP BY together with ORDER BY is refused by name', () => {
    expect(failure('SELECT c.t FROM c GROUP BY c.t ORDER BY c.t').code).toBe('QUERY_NOT_SUPPORTED');
  });
});

describe('clauses that have no meaning together', () => {
  test.each([
    ['SELECT *', ["'SELECT *' is not valid if FROM clause is omitted. at *"]],
    ['SELECT * FROM c JOIN t IN c.tags', ["'SELECT *' is only valid with a single input set. at *"]],
    ['SELECT VALUE EXISTS(SELECT VALUE t FROM t IN c.tags ORDER BY t) FROM c', ['SC2202 at ORDER BY t']],
    ['SELECT * FROM (SELECT TOP 1 VALUE c FROM c) x', ['SC2203 at 1']],
    ['SELECT VALUE ARRAY(SELECT VALUE t FROM t IN c.tags OFFSET 0 LIMIT 1) FROM c', ['SC2204 at 0']],
    ['SELECT VALUE ARRAY(SELECT VALUE t FROM t IN c.tags ORDER BY RANK RRF(1, 2)) FROM c', ['SC2228 at ORDER BY RANK RRF(1, 2)']],
    ['SELECT TOP 1.5 * FROM c', ['SC2060 at 1.5']],
    ['SELECT TOP 4294967296 * FROM c', ['SC2060 at 4294967296']],
    ['SELECT * FROM c OFFSET 4294967296 LIMIT 1', ['SC2062 at 4294967296']],
    ['SELECT * FROM c OFFSET 1 LIMIT 4294967296', ['SC2061 at 4294967296']],
    ['SELECT TOP 1 * FROM c OFFSET 1 LIMIT 1', ['TOP and OFFSET LIMIT cannot stand in one query. at 1']],
    ['SELECT * FROM c ORDER BY LOWER(c.a)', ['SC2206 at LOWER(c.a)']],
    ['SELECT * FROM c ORDER BY c.a, 1', ['SC2206 at 1']],
    ['SELECT * FROM (SELECT VALUE c FROM c) s ORDER BY s.a', ['SC2206 at s.a']],
    ['SELECT VALUE t FROM c JOIN t IN c.tags ORDER BY t.a', ['Order-by over correlated collections is not supported. at t.a']],
  ])('%s', (text, expected) => {
    expect(refusals(text)).toEqual(expected);
  });

  test.each([
    'SELECT * FROM c ORDER BY c.a.b DESC, c["x"][0]',
    'SELECT * FROM c.name ORDER BY name',
    'SELECT VALUE t FROM c JOIN t IN c.tags ORDER BY c.a',
  ])('%s is fine', (text) => {
    expect(() => prepareQuery(text)).not.toThrow();
  });
});

describe('a prepared query', () => {
  test('lists parameters once, in the order of the text', () => {
    const text = 'SELECT TOP @n c.a + @b FROM c WHERE c.b IN (@a, @b) AND EXISTS(SELECT VALUE @z) ORDER BY c.a';
    expect(prepareQuery(text).parameters).toEqual(['@n', '@b', '@a', '@z']);
  });

  test.each([
    ['SELECT DISTINCT TOP 3 c.a FROM c WHERE c.b', true],
    ['SELECT VALUE COUNT(1) FROM c', false],
    ['SELECT c.a FROM c GROUP BY c.a', false],
    ['SELECT * FROM c ORDER BY c.a', false],
    ['SELECT VALUE 1', true],
  ])('%s: streamable %s', (text, expected) => {
    expect(prepareQuery(text).isStreamable).toBe(expected);
  });

  test('is shared between calls with the same text, and frozen', () => {
    const prepared = prepareQuery('SELECT c.a, COUNT(1) FROM c GROUP BY c.a');
    expect(prepareQuery('SELECT c.a, COUNT(1) FROM c GROUP BY c.a')).toBe(prepared);
    expect([prepared, prepared.root, prepared.root.sources, prepared.root.columns].every((part) => Object.isFrozen(part))).toBe(true);
  });

  test('costs microseconds when the text was seen before', () => {
    const text = `SELECT * FROM c WHERE ${'c.a = 1 OR '.repeat(2000)}c.b = 2`;
    const prepared = prepareQuery(text);
    const start = performance.now();
    for (let round = 0; round < 1000; round += 1) {
      prepareQuery(text);
    }
    expect(performance.now() - start).toBeLessThan(100);
    expect(prepareQuery(text)).toBe(prepared);
  });

  test('more texts than fit are prepared again, and all are right', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 700; index += 1) {
        expect(prepareQuery(`SELECT VALUE ${index} FROM c`).text).toBe(`SELECT VALUE ${index} FROM c`);
      }
    }
  });

  test.each(['AND', 'OR', '+'])('binds a chain of thousands of %s', (operator) => {
    const chain = Array.from({ length: 20_000 }, () => 'c.a').join(` ${operator} `);
    expect(prepareQuery(`SELECT c.t, COUNT(${chain}) FROM c WHERE ${chain} GROUP BY c.t`).identifiers.size).toBe(40_002);
  });

  test('the condition of a patch is a query over the document', () => {
    expect(prepareCondition('from d where d.count > @min')).toMatchObject({ parameters: ['@min'], root: { sources: [{ alias: 'd' }] } });
    expect(() => prepareCondition('from d where e.count > 1')).toThrow(/SC2001/);
  });
});
