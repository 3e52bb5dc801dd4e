import fc from 'fast-check';
import type { JsonObject } from '../../../src/core/json.ts';
import { arbitraryConditionText, arbitrarySimpleText, arbitraryValueText } from '../compile/arbitrary-condition.ts';
import { arbitraryQueryText } from '../compile/arbitrary-query-text.ts';
import { arbitraryCall } from './arbitrary-call.ts';

type Text = fc.Arbitrary<string>;

const path: Text = fc.constantFrom(
  'c.a',
  'c.n',
  'c.s',
  'c.b',
  'c.o.a',
  'c.o',
  'c.list',
  'c.list[0]',
  'c["a b"]',
  'c.id',
  'c.pk',
  'c.missing',
  'c.lower',
  'c.twice',
);
const sortPath: Text = fc.constantFrom(
  'c.a',
  'c.n',
  'c.s',
  'c.b',
  'c.o.a',
  'c.o',
  'c.list',
  'c.list[0]',
  'c.id',
  'c._ts',
  'c.pk',
  'c.missing',
  'c.lower',
  'c.twice',
);
const call: Text = arbitraryCall(arbitraryValueText);
const value: Text = fc.oneof({ weight: 3, arbitrary: path }, { weight: 2, arbitrary: arbitraryValueText }, { weight: 3, arbitrary: call });

/** Filters that an index may serve, wholly or for one of several conditions. */
const indexable: Text = fc
  .tuple(
    fc.constantFrom('c.a', 'c.n', 'c.s', 'c.o.a', 'c.b', 'c.pk', 'c.id', 'c.lower', 'c.twice'),
    fc.constantFrom('=', '=', '<', '<=', '>', '>=', '!='),
    fc.constantFrom(
      '@p0',
      '@p1',
      '1',
      '0',
      '2.5',
      '-1',
      '"a"',
      '"ab"',
      '""',
      'null',
      'true',
      'false',
      '9007199254740993',
      '[1]',
      '{"a": 1}',
      'undefined',
      'NaN',
    ),
  )
  .map((parts) => parts.join(' '));
const seek: Text = fc.oneof(
  { weight: 4, arbitrary: indexable },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('c.a', 'c.n', 'c.s'), fc.constantFrom('1 AND 3', '"a" AND "b"', '@p0 AND @p1', 'null AND null'))
      .map(([p, r]) => `(${p} BETWEEN ${r})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('c.a', 'c.n', 'c.s'),
        fc.constantFrom('1, 2, "a", null', '@p0, @p1', '"a", "b", "ab", ""', 'true, 0, undefined'),
      )
      .map(([p, r]) => `${p} IN (${r})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('c.a', 'c.s'), fc.constantFrom('"a"', '"A"', '""', '@p0'))
      .map(([p, r]) => `STARTSWITH(${p}, ${r})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('IS_DEFINED', 'IS_NULL', 'IS_STRING', 'IS_NUMBER', 'IS_ARRAY', 'IS_BOOL'),
        fc.constantFrom('c.a', 'c.n', 'c.s'),
      )
      .map(([f, p]) => `${f}(${p})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('c.list', 'c.a'), fc.constantFrom('1', '"a"', '@p0', 'null'))
      .map(([p, r]) => `ARRAY_CONTAINS(${p}, ${r})`),
  },
);
const WORDS = 'red green blue rivers river running run mountain'.split(' ');
const word: Text = fc.constantFrom(...WORDS);
const anyPlace: fc.Arbitrary<JsonObject> = fc
  .tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -30, max: 30 }), fc.integer({ min: 0, max: 20 }))
  .map(([x, y, size]) => {
    const corners = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0],
    ].map(([right = 0, up = 0]) => [x + right * size, y + up * size]);
    return size < 10 ? { type: 'Point', coordinates: [x, y] } : { type: 'Polygon', coordinates: [corners] };
  });
/** Documents that search and spatial indexes hold something of. */
export const arbitrarySearchable: fc.Arbitrary<JsonObject> = fc.record({
  at: anyPlace,
  text: fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')),
});

/** Filters that a full-text or a spatial index may serve. */
const search: Text = fc.oneof(
  word.map((term) => `FULLTEXTCONTAINS(c.text, "${term}")`),
  fc.tuple(fc.constantFrom('FULLTEXTCONTAINSALL', 'FULLTEXTCONTAINSANY'), word, word).map(([f, a, b]) => `${f}(c.text, "${a}", "${b}")`),
  fc.tuple(word, word).map(([a, b]) => `FULLTEXTCONTAINS(c.text, "${a} ${b}")`),
  fc
    .tuple(anyPlace, fc.constantFrom('<', '<=', '>', '>=', '='), fc.constantFrom('0', '1000', '500000', '2500000'))
    .map(([place, operator, metres]) => `ST_DISTANCE(c.at, ${JSON.stringify(place)}) ${operator} ${metres}`),
  fc
    .tuple(fc.constantFrom('ST_WITHIN', 'ST_INTERSECTS'), anyPlace, fc.boolean())
    .map(([f, place, turned]) => (turned ? `${f}(${JSON.stringify(place)}, c.at)` : `${f}(c.at, ${JSON.stringify(place)})`)),
);
const seeks: Text = fc.oneof(
  seek,
  fc.tuple(seek, seek).map((parts) => parts.join(' AND ')),
  fc.tuple(seek, seek).map((parts) => parts.join(' OR ')),
  fc.tuple(seek, seek, seek).map(([a, b, d]) => `(${a} OR ${b}) AND NOT (${d})`),
  search,
  fc.tuple(search, fc.constantFrom('AND', 'OR', 'AND NOT'), fc.oneof(search, seek)).map(([a, o, b]) => `${a} ${o} (${b})`),
  fc.tuple(seek, arbitrarySimpleText).map(([a, b]) => `${a} AND (${b})`),
);
const callCondition: Text = fc.oneof(
  call,
  fc.tuple(call, fc.constantFrom('=', '!=', '>', '<='), value).map(([l, o, r]) => `(${l} ${o} ${r})`),
);
const where: Text = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  { weight: 4, arbitrary: seeks.map((text) => ` WHERE ${text}`) },
  { weight: 2, arbitrary: callCondition.map((text) => ` WHERE ${text}`) },
  { weight: 1, arbitrary: arbitraryConditionText.map((text) => ` WHERE ${text}`) },
  { weight: 1, arbitrary: fc.tuple(seek, callCondition).map(([a, b]) => ` WHERE ${a} AND ${b}`) },
);

const subquerySource: Text = fc.oneof(
  fc.constantFrom('x IN c.list', 'x IN c.o', 'x IN c.a', 'x IN c.both', 'c.o AS x', 'c.list AS x', 'c.missing AS x'),
  value.map((text) => `(SELECT VALUE ${text}) AS x`),
);
const inner: Text = fc
  .tuple(
    fc.constantFrom(
      'VALUE x',
      'x',
      'VALUE x.a',
      'VALUE 1',
      'DISTINCT VALUE x',
      'VALUE COUNT(1)',
      'VALUE SUM(x)',
      'VALUE {"v": x, "n": c.n}',
      'VALUE c.n',
      'x.a, COUNT(1) AS k',
    ),
    subquerySource,
    fc.constantFrom(
      '',
      '',
      ' WHERE x > 0',
      ' WHERE x = c.a',
      ' WHERE IS_DEFINED(x.a)',
      ' WHERE x != "a"',
      ' WHERE c.n > 0',
      ' WHERE false',
    ),
  )
  .map(([select, from, filter]) => `SELECT ${select} FROM ${from}${filter}${select.includes('x.a, COUNT') ? ' GROUP BY x.a' : ''}`);
const subquery: Text = fc
  .tuple(fc.constantFrom('ARRAY', 'ARRAY', 'EXISTS', 'FIRST', 'LAST', 'ALL', ''), inner)
  .map(([form, text]) => `${form}(${text})`);
const letValue: Text = fc
  .tuple(value, fc.constantFrom('v', 'v + 1', '[v, v]', '(v = c.a)', '{"v": v}'))
  .map(([v, body]) => `(LET v = (${v}) IN (${body}))`);
const selected: Text = fc.oneof({ weight: 3, arbitrary: value }, { weight: 2, arbitrary: subquery }, { weight: 1, arbitrary: letValue });

const from: Text = fc.oneof(
  { weight: 4, arbitrary: fc.constant(' FROM c') },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('x', 'y'), inner).map(([alias, text]) => ` FROM c JOIN (${text}) AS ${alias}1`),
  },
  { weight: 1, arbitrary: inner.map((text) => ` FROM c JOIN z IN (${text.replace(/^SELECT .*? FROM/u, 'SELECT VALUE c.list FROM')})`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        seeks,
        fc.constantFrom('VALUE c', '*', 'VALUE {"a": c.a, "n": c.n, "list": c.list, "o": c.o, "s": c.s}', 'DISTINCT VALUE c.o', 'c.a, c.n'),
      )
      .map(([filter, what]) => ` FROM (SELECT ${what} FROM c WHERE ${filter}) AS c`),
  },
  { weight: 1, arbitrary: fc.constant(' FROM (SELECT c.a, COUNT(1) AS n, MAX(c.s) AS s FROM c GROUP BY c.a) AS c') },
);
const order: Text = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(sortPath, fc.constantFrom('', ' ASC', ' DESC')), { minLength: 1, maxLength: 3 })
      .map((items) => ` ORDER BY ${items.map((item) => item.join('')).join(', ')}`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ' ORDER BY c.a, c.n',
      ' ORDER BY c.a DESC, c.n DESC',
      ' ORDER BY c.n DESC, c.s',
      ' ORDER BY c.s',
      ' ORDER BY c.n DESC',
      ' ORDER BY c.o.a',
    ),
  },
);
const counts: Text = fc.constantFrom('', '', '', ' OFFSET 1 LIMIT 3', ' OFFSET 0 LIMIT 0', ' OFFSET 3 LIMIT 100', ' OFFSET 30 LIMIT 5');
const top: Text = fc.constantFrom('', '', '', 'TOP 1 ', 'TOP 5 ', 'TOP 0 ');

const aggregateName: Text = fc.constantFrom('COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'COUNTIF', 'MAKELIST', 'MAKESET');
const aggregateCall: Text = fc
  .tuple(
    aggregateName,
    fc.oneof(
      { weight: 4, arbitrary: path },
      { weight: 1, arbitrary: value },
      { weight: 1, arbitrary: fc.constantFrom('1', 'c.n > 0', 'null') },
    ),
  )
  .map(([name, argument]) => `${name}(${argument})`);
const aggregateItem: Text = fc.oneof(
  { weight: 3, arbitrary: aggregateCall },
  {
    weight: 1,
    arbitrary: fc.tuple(aggregateCall, fc.constantFrom('+', '-', '*', '/'), aggregateCall).map((parts) => `(${parts.join(' ')})`),
  },
  { weight: 1, arbitrary: aggregateCall.map((text) => `{"v": ${text}, "w": 1}`) },
  { weight: 1, arbitrary: aggregateCall.map((text) => `ABS(${text} ?? 0)`) },
);
const groupKey: Text = fc.oneof(
  { weight: 3, arbitrary: path },
  { weight: 1, arbitrary: fc.constantFrom('c.n % 2', 'LOWER(c.s)', 'IS_DEFINED(c.a)', 'c.o.a', '1', 'c.n > 1') },
);

/** Queries over the alias `c` from the whole grammar; some are refused, which every store has to do alike. */
export const arbitraryLanguage: Text = fc.oneof(
  { weight: 2, arbitrary: arbitraryQueryText },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('SELECT ', 'SELECT TOP 4 ', 'SELECT TOP 1 '), where, order)
      .map(([head, filter, tail]) => `${head}* FROM c${filter}${tail}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('', 'DISTINCT '), top, selected, from, where, order, counts)
      .map(
        ([distinct, head, what, ...rest]) =>
          `SELECT ${distinct}${head}VALUE ${what}${rest.slice(0, 3).join('')}${head === '' ? (rest[3] ?? '') : ''}`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', 'DISTINCT '), selected, selected, from, where, order, counts)
      .map(([distinct, one, other, ...rest]) => `SELECT ${distinct}${one} AS p, ${other}${rest.join('')}`),
  },
  { weight: 2, arbitrary: fc.tuple(aggregateItem, from, where).map(([item, ...rest]) => `SELECT VALUE ${item}${rest.join('')}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(aggregateItem, aggregateItem, from, where)
      .map(([one, other, ...rest]) => `SELECT ${one} AS p, ${other} AS q, COUNT(1) AS k${rest.join('')}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(groupKey, aggregateItem, from, where, counts)
      .map(([key, item, source, filter, tail]) => `SELECT ${key} AS k, ${item} AS v${source}${filter} GROUP BY ${key}${tail}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(groupKey, groupKey, aggregateItem, from, where)
      .map(
        ([one, other, item, source, filter]) =>
          `SELECT VALUE {"k": ${one}, "l": ${other}, "v": ${item}}${source}${filter} GROUP BY ${one}, ${other}`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('', 'DISTINCT '), groupKey, where)
      .map(([distinct, key, filter]) => `SELECT ${distinct}VALUE ${key} FROM c${filter} GROUP BY ${key}`),
  },
);
