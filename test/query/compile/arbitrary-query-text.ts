import fc from 'fast-check';
import { arbitraryConditionText, arbitrarySimpleText, arbitraryValueText } from './arbitrary-condition.ts';

type Text = fc.Arbitrary<string>;

const path: Text = fc.constantFrom(
  'c.a',
  'c.n',
  'c.s',
  'c.b',
  'c.o.a',
  'c.o.b',
  'c.o.list',
  'c.o["__proto__"]',
  'c["__proto__"]',
  'c.o.a.b',
  'c.list[0]',
  'c["a b"]',
  'c.id',
  'c._ts',
  'c["it\'s"]',
  'c["q\\"q"]',
);
const value: Text = fc.oneof({ weight: 3, arbitrary: path }, { weight: 1, arbitrary: arbitraryValueText });

const where: Text = fc.oneof(
  fc.constant(''),
  arbitrarySimpleText.map((text) => ` WHERE ${text}`),
  arbitraryConditionText.map((text) => ` WHERE ${text}`),
  fc.constantFrom(
    ' WHERE c.pk = 1',
    ' WHERE c.id = "d3"',
    ' WHERE c.pk IN ("x", 1) AND c.n > 0',
    ' WHERE c._ts > 0',
    ' WHERE IS_DEFINED(c.a)',
  ),
);
const from: Text = fc.oneof(
  { weight: 5, arbitrary: fc.constant(' FROM c') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' FROM c JOIN x IN c.list',
      ' FROM c JOIN x IN c.list JOIN y IN c.o.list',
      ' FROM r.o c',
      ' FROM c IN r.list',
    ),
  },
  { weight: 1, arbitrary: arbitrarySimpleText.map((text) => ` FROM (SELECT VALUE c FROM c WHERE ${text}) AS c`) },
);
const order: Text = fc.oneof(
  fc.constant(''),
  fc
    .array(fc.tuple(path, fc.constantFrom('', ' ASC', ' DESC')), { minLength: 1, maxLength: 2 })
    .map((items) => ` ORDER BY ${items.map((item) => item.join('')).join(', ')}`),
);
const window: Text = fc.constantFrom('', '', ' OFFSET 2 LIMIT 5', ' OFFSET 0 LIMIT 3', ' OFFSET 17 LIMIT 9');
/** Values of a row that a JOIN makes, over the aliases `c` and `x`. */
const joinedValue: Text = fc.constantFrom(
  'x',
  'x.a',
  'c.o.a',
  'c.id',
  '{"x": x, "n": c.n}',
  '[x, c.o.b]',
  'c.o[x]',
  'c[c.s]',
  'c.list[c.n]',
  'c.o[c.s].a',
);
const joinedFrom: Text = fc.constantFrom(
  ' FROM c JOIN x IN c.list',
  ' FROM c JOIN x IN c.o.list',
  ' FROM c JOIN (SELECT VALUE y FROM y IN c.list WHERE y != c.n) AS x',
  ' FROM c JOIN x IN (SELECT VALUE c.list)',
);
const subquery: Text = fc.constantFrom(
  'ARRAY(SELECT VALUE x.a FROM x IN c.list)',
  '(SELECT COUNT(1) AS n, MAX(x) AS m FROM x IN c.list WHERE x = c.n)',
  'EXISTS(SELECT VALUE x FROM x IN c.o.list WHERE x.a = c.o.a)',
  'ALL(SELECT VALUE x FROM x IN c.list WHERE x != c.n)',
  '(SELECT VALUE SUM(x) FROM x IN c.list)',
  '(LET l = c.o IN l.a)',
);
const aggregateName: Text = fc.constantFrom('COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'COUNTIF', 'MAKELIST', 'MAKESET');
const aggregateCall: Text = fc
  .tuple(
    aggregateName,
    fc.oneof(
      { weight: 4, arbitrary: path },
      { weight: 1, arbitrary: value },
      { weight: 1, arbitrary: fc.constantFrom('1', 'c.n', 'c.list', 'null', 'undefined') },
    ),
  )
  .map(([name, argument]) => `${name}(${argument})`);

/** Whole queries over the alias `c`; some of them are refused, which every store has to do alike. */
export const arbitraryQueryText: Text = fc.oneof(
  fc.tuple(fc.constantFrom('SELECT * FROM c', 'SELECT TOP 4 * FROM c'), where, order).map((parts) => parts.join('')),
  fc.tuple(where, order, window).map((parts) => `SELECT * FROM c${parts.join('')}`),
  fc
    .tuple(fc.constantFrom('VALUE ', 'DISTINCT VALUE '), joinedValue, joinedFrom, where, order, window)
    .map(([kind, ...rest]) => `SELECT ${kind}${rest.join('')}`),
  fc.tuple(subquery, path, where, order, window).map(([one, other, ...rest]) => `SELECT ${one} AS p, ${other} AS q FROM c${rest.join('')}`),
  fc
    .tuple(fc.constantFrom('SELECT VALUE ', 'SELECT DISTINCT VALUE ', 'SELECT TOP 3 VALUE '), value, from, where, order)
    .map((parts) => parts.join('')),
  fc.tuple(path, path, from, where, order, window).map(([one, other, ...rest]) => `SELECT ${one} AS p, ${other} AS q${rest.join('')}`),
  fc.tuple(aggregateCall, from, where).map(([call, ...rest]) => `SELECT VALUE ${call}${rest.join('')}`),
  fc
    .tuple(
      fc.constantFrom('1', 'x', 'x.a', 'c.n', 'c.list', 'x["b"]', 'undefined'),
      fc.constantFrom('c JOIN x IN c.list', 'c JOIN x IN c.o.list', 'x IN c.list', 'c JOIN x IN c.a', 'c.o AS c JOIN x IN c.list'),
      fc.constantFrom(
        '',
        ' WHERE x > 0',
        ' WHERE x.a = 1',
        ' WHERE c.n > 0 AND x != null',
        ' WHERE IS_STRING(x)',
        ' WHERE x IN (1, "a", null)',
        ' WHERE NOT (x = "a")',
        ' WHERE x = c.a',
      ),
    )
    .map(([argument, source, condition]) => `SELECT COUNT(${argument}) AS n, COUNT(1) AS m FROM ${source}${condition}`),
  fc.tuple(aggregateCall, aggregateCall, aggregateCall, where).map(([a, b, c, rest]) => `SELECT ${a} AS a, ${b} AS b, ${c} FROM c${rest}`),
  fc
    .tuple(path, aggregateCall, from, where)
    .map(([key, call, ...rest]) => `SELECT ${key} AS k, ${call} AS v${rest.join('')} GROUP BY ${key}`),
  fc
    .tuple(path, path, aggregateCall, from, where)
    .map(([one, other, call, ...rest]) => `SELECT ${other} AS k, ${call} AS v, COUNT(1) AS n${rest.join('')} GROUP BY ${one}, ${other}`),
  fc
    .tuple(path, path, from, where, order, window)
    .map(([one, other, ...rest]) => `SELECT DISTINCT ${one} AS p, ${other} AS q${rest.join('')}`),
);
