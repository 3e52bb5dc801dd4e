import { describe, expect, test } from 'vitest';
import { partitionKeysOf } from '../../../src/query/partition-key-filter.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import type { QueryParameter } from '../../../src/query/syntax-nodes.ts';

const PARAMETERS: readonly QueryParameter[] = [
  { name: '@a', value: 'a' },
  { name: '@n', value: 3 },
  { name: '@list', value: ['a', 'b'] },
  { name: '@yes', value: true },
];

function keys(where: string, paths: readonly string[] = ['/pk'], from = 'c'): unknown {
  return partitionKeysOf(prepareQuery(`SELECT VALUE 1 FROM ${from} WHERE ${where}`), paths, PARAMETERS);
}

describe('one partition key path', () => {
  test.each<[string, unknown]>([
    ['c.pk = "x"', [['x']]],
    ['"x" = c.pk', [['x']]],
    ['c["pk"] = @a', [['a']]],
    ['c.pk = -5', [[-5]]],
    ['c.pk = -0', [[0]]],
    ['c.pk = null', [[null]]],
    ['IS_NULL(c.pk)', [[null]]],
    ['NOT IS_DEFINED(c.pk)', [[undefined]]],
    ['c.pk', [[true]]],
    ['c.pk = "x" AND c.n > 3', [['x']]],
    ['c.n > 3 AND (c.m = 1 AND c.pk = "x")', [['x']]],
    ['c.pk IN ("x", @n, true, "x")', [['x'], [3], [true]]],
    ['c.pk IN ("x", undefined)', [['x']]],
    ['c.pk = "x" OR c.pk = 1 AND c.n = 2', [['x'], [1]]],
    ['(c.pk = "x" OR c.pk = "y" OR c.pk = "z") AND c.pk IN ("y", "z", "w")', [['y'], ['z']]],
    ['c.pk = "x" AND true', [['x']]],
    ['c.pk = "x" AND @yes', [['x']]],
    ['c.pk = "x" OR false', [['x']]],
    ['c.pk = 1 AND c.pk = "1"', 'none'],
    ['c.pk = undefined', 'none'],
    ['c.pk IN (undefined)', 'none'],
    ['false', 'none'],
    ['1', 'none'],
    ['@a', 'none'],
  ])('%s', (where, expected) => {
    expect(keys(where)).toEqual(expected);
  });

  test.each([
    'c.n = 1',
    'c.pk != "x"',
    'c.pk > "x"',
    'NOT c.pk = "x"',
    'c.pk NOT IN ("x")',
    'c.pk LIKE "x"',
    'c.pk = "x" OR c.n = 1',
    'c.pk = "x" OR true',
    '(c.pk = "x") = true',
    'c.pk = "x" ?? true',
    'c.pk = c.n',
    'c.pk = c.pk',
    'c.pk = LOWER("X")',
    'c.pk = @missing',
    'c.pk = @list',
    'c.pk = [1]',
    'c.pk IN ("x", c.n)',
    'c.pk.deep = "x"',
    'c.other.pk = "x"',
    'EXISTS(SELECT VALUE 1 FROM c IN c.list WHERE c.pk = "x")',
    'true',
  ])('%s does not restrict it', (where) => {
    expect(keys(where)).toBe('all');
  });
});

describe('several and nested paths', () => {
  const paths = ['/tenant', '/user', '/kind'];
  test.each<[string, unknown]>([
    ['c.tenant = "t" AND c.user = "u" AND c.kind = 1', [['t', 'u', 1]]],
    ['c.tenant = "t" AND c.user = "u"', [['t', 'u']]],
    ['c.tenant = "t" AND c.kind = 1', [['t']]],
    ['c.user = "u"', 'all'],
    [
      'c.tenant IN ("a", "b") AND c.user IN (1, 2)',
      [
        ['a', 1],
        ['a', 2],
        ['b', 1],
        ['b', 2],
      ],
    ],
    ['c.tenant = "t" AND c.user = "u" OR c.tenant = "t"', [['t']]],
    ['c.tenant = "t" AND c.user = "u" OR c.tenant = "s"', [['t', 'u'], ['s']]],
    ['c.tenant = "t" AND c.user = "u" OR c.user = "v"', 'all'],
    ['(c.tenant = "t" OR c.tenant = "s") AND (c.user = "u" AND c.tenant = "s")', [['s', 'u']]],
  ])('%s', (where, expected) => {
    expect(keys(where, paths)).toEqual(expected);
  });

  test('paths into objects, quoted names, and a FROM that starts inside the document', () => {
    expect(keys('c.a["b c"] = 1', ['/a/"b c"'])).toEqual([[1]]);
    expect(keys('address.city = "Ulm"', ['/address/city'], 'c.address')).toEqual([['Ulm']]);
    expect(keys('t = "x"', ['/pk'], 't IN c.pk')).toBe('all');
  });
});

describe('the shape of the query', () => {
  const of = (text: string): unknown => partitionKeysOf(prepareQuery(text), ['/pk'], PARAMETERS);

  test('no WHERE and no FROM restrict nothing', () => {
    expect([of('SELECT * FROM c'), of('SELECT VALUE 1')]).toEqual(['all', 'all']);
  });

  test('joined sources may stand beside it', () => {
    expect(of('SELECT VALUE t FROM c JOIN t IN c.tags WHERE c.pk = "x" AND t = "y"')).toEqual([['x']]);
    expect(of('SELECT VALUE t FROM c JOIN t IN c.tags WHERE t.pk = "x"')).toBe('all');
  });

  test('the filter that counts is the one beside the documents', () => {
    expect(of('SELECT VALUE COUNT(1) FROM (SELECT DISTINCT VALUE c.k FROM c WHERE c.pk = "x") k WHERE k > 1')).toEqual([['x']]);
    expect(of('SELECT VALUE s FROM (SELECT c.pk FROM c) s WHERE s.pk = "x"')).toBe('all');
  });
});

describe('long conditions', () => {
  const many = (count: number, build: (index: number) => string, between: string): string =>
    Array.from({ length: count }, (_, i) => build(i)).join(between);

  test.each([
    ['IN', `c.pk IN (${many(5000, String, ', ')})`, 5000],
    ['OR', many(5000, (index) => `c.pk = ${index}`, ' OR '), 5000],
    ['IN and AND', `c.pk IN (${many(5000, String, ', ')}) AND c.pk < 7 AND c.pk IN (1, 2)`, 2],
  ])('%s', (_, where, count) => {
    expect(keys(where)).toHaveLength(count);
  });

  test.each([
    ['too many keys', `c.pk IN (${many(20_000, String, ', ')})`],
    ['too many alternatives', many(20_000, (index) => `c.pk = ${index}`, ' OR ')],
  ])('%s count as no restriction', (_, where) => {
    expect(keys(where)).toBe('all');
  });

  test('a condition made to be costly is answered all the same, and never too narrowly', () => {
    const where = `c.pk IN (${many(5000, String, ', ')}) AND ${many(5000, () => 'c.pk IN (1, 2)', ' AND ')}`;
    const start = performance.now();
    expect(keys(where)).toEqual(expect.arrayContaining([[1], [2]]));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
