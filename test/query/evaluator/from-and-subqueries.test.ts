import { describe, expect, test } from 'vitest';
import { rowsOf, valueOf } from './run-query.ts';

const BOOKS = [
  {
    id: 'b1',
    title: 'Tides',
    tags: ['sea', 'moon'],
    prices: [
      { shop: 'x', cost: 5 },
      { shop: 'y', cost: 7 },
    ],
  },
  { id: 'b2', title: 'Peaks', tags: [], prices: [{ shop: 'x', cost: 9 }] },
  { id: 'b3', title: 'Sands', tags: 'sea', prices: null },
  { id: 'b4', title: 'Winds' },
];

describe('FROM and JOIN', () => {
  test('IN walks arrays; what is no array, or is missing, gives no row', () => {
    expect(rowsOf('SELECT VALUE t FROM t IN c.tags', BOOKS)).toEqual(['sea', 'moon']);
    expect(rowsOf('SELECT c.id, t FROM c JOIN t IN c.tags', BOOKS)).toEqual([
      { id: 'b1', t: 'sea' },
      { id: 'b1', t: 'moon' },
    ]);
  });

  test('without IN a source is its value, and a missing one gives no row', () => {
    expect(rowsOf('SELECT VALUE tags FROM c.tags', BOOKS)).toEqual([['sea', 'moon'], [], 'sea']);
    expect(rowsOf('SELECT VALUE t FROM c JOIN c.tags AS t', BOOKS)).toEqual([['sea', 'moon'], [], 'sea']);
    expect(rowsOf('SELECT VALUE p FROM c JOIN p IN c.prices', BOOKS)).toHaveLength(3);
    expect(rowsOf('SELECT VALUE cost FROM c.prices[1].cost', BOOKS)).toEqual([7]);
  });

  test('two JOINs give every combination, left to right', () => {
    expect(rowsOf('SELECT VALUE t || p.shop FROM c JOIN t IN c.tags JOIN p IN c.prices', BOOKS)).toEqual([
      'seax',
      'seay',
      'moonx',
      'moony',
    ]);
    expect(rowsOf('SELECT VALUE b FROM c JOIN a IN c.m JOIN b IN a', [{ m: [[1, 2], 3, [4]] }])).toEqual([1, 2, 4]);
  });

  test('a subquery in JOIN sees the aliases to its left', () => {
    expect(
      rowsOf('SELECT c.id, p.cost FROM c JOIN (SELECT VALUE q FROM q IN c.prices WHERE q.cost > 6) AS p WHERE c.title != "Peaks"', BOOKS),
    ).toEqual([{ id: 'b1', cost: 7 }]);
    expect(rowsOf('SELECT VALUE kv.k FROM c JOIN kv IN (SELECT VALUE OBJECTTOARRAY(c.m))', [{ m: { a: 1, b: 2 } }])).toEqual(['a', 'b']);
    expect(rowsOf('SELECT VALUE x.v FROM c JOIN (SELECT VALUE c.missing) x', BOOKS)).toEqual([]);
  });

  test('a FROM subquery streams the whole container through', () => {
    expect(rowsOf('SELECT VALUE COUNT(1) FROM (SELECT DISTINCT VALUE c.k FROM c)', [{ k: 1 }, { k: 1 }, { k: 2 }, {}])).toEqual([2]);
    expect(rowsOf('SELECT VALUE x + 1 FROM (SELECT VALUE c.n FROM c WHERE c.n > 1) x', [{ n: 1 }, { n: 2 }, { n: 3 }])).toEqual([3, 4]);
    expect(rowsOf('SELECT VALUE t FROM t IN (SELECT VALUE c.tags FROM c)', BOOKS)).toEqual(['sea', 'moon']);
    expect(rowsOf('SELECT VALUE MAX(g.n) FROM (SELECT c.k, COUNT(1) AS n FROM c GROUP BY c.k) g', [{ k: 1 }, { k: 1 }, { k: 2 }])).toEqual([
      2,
    ]);
    expect(rowsOf('SELECT VALUE x FROM x IN (SELECT VALUE [1, 2])', BOOKS)).toEqual([1, 2]);
  });
});

describe('subqueries in expressions', () => {
  const book = BOOKS[0] as never;

  test('EXISTS asks for a row with a value', () => {
    expect(rowsOf('SELECT VALUE c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = "sea")', BOOKS)).toEqual(['b1']);
    expect(valueOf('EXISTS(SELECT VALUE undefined)')).toBe(false);
    expect(valueOf('EXISTS(SELECT undefined)')).toBe(true);
    expect(valueOf('EXISTS(SELECT VALUE COUNT(1) FROM t IN c.missing)')).toBe(true);
    expect(rowsOf('SELECT VALUE c.id FROM c WHERE NOT EXISTS(SELECT VALUE t FROM t IN c.tags)', BOOKS)).toEqual(['b2', 'b3', 'b4']);
  });

  test('ARRAY collects, FIRST and LAST pick, ALL asks that none is false', () => {
    expect(valueOf('ARRAY(SELECT VALUE p.cost FROM p IN c.prices)', book)).toEqual([5, 7]);
    expect(valueOf('ARRAY(SELECT VALUE p.cost FROM p IN c.missing)', book)).toEqual([]);
    expect(valueOf('FIRST(SELECT VALUE p.cost FROM p IN c.prices)', book)).toBe(5);
    expect(valueOf('LAST(SELECT VALUE p.cost FROM p IN c.prices)', book)).toBe(7);
    expect(valueOf('LAST(SELECT VALUE p FROM p IN c.missing)', book)).toBeUndefined();
    expect(valueOf('ALL(SELECT VALUE p FROM p IN c.prices WHERE p.cost > 1)', book)).toBe(true);
    expect(valueOf('ALL(SELECT VALUE p FROM p IN c.prices WHERE p.cost > 5)', book)).toBe(false);
    expect(valueOf('ALL(SELECT VALUE p FROM p IN c.prices WHERE p.missing > 5)', book)).toBe(true);
  });

  test('a scalar subquery has at most one row', () => {
    expect(valueOf('(SELECT VALUE SUM(p.cost) FROM p IN c.prices)', book)).toBe(12);
    expect(valueOf('(SELECT VALUE p.cost FROM p IN c.prices WHERE p.shop = "y")', book)).toBe(7);
    expect(valueOf('(SELECT VALUE p.cost FROM p IN c.missing)', book)).toBeUndefined();
    expect(() => valueOf('(SELECT VALUE p.cost FROM p IN c.prices)', book)).toThrow(expect.objectContaining({ code: 'QUERY_FAILED' }));
  });

  test('nest, group and are distinct', () => {
    expect(valueOf('ARRAY(SELECT DISTINCT VALUE n FROM n IN c.n)', { n: [1, 2, 1] })).toEqual([1, 2]);
    expect(valueOf('ARRAY(SELECT n AS k, COUNT(1) AS c FROM n IN c.n GROUP BY n)', { n: [1, 2, 1] })).toEqual([
      { k: 1, c: 2 },
      { k: 2, c: 1 },
    ]);
    expect(valueOf('ARRAY(SELECT VALUE ARRAY(SELECT VALUE m * 2 FROM m IN n) FROM n IN c.n)', { n: [[1, 2], [3]] })).toEqual([[2, 4], [6]]);
  });
});

describe('GROUP BY and aggregates', () => {
  const SALES = [
    { id: 1, who: 'ann', what: 'tea', n: 3 },
    { id: 2, who: 'bob', what: 'tea', n: 4 },
    { id: 3, who: 'ann', what: 'ink', n: 5 },
    { id: 4, who: 'ann', what: 'tea' },
  ];

  test('groups by one key or several, in the order of their first rows', () => {
    expect(rowsOf('SELECT c.who, COUNT(1) AS rows, SUM(c.n) AS n FROM c GROUP BY c.who', SALES)).toEqual([
      { who: 'ann', rows: 3, n: 8 },
      { who: 'bob', rows: 1, n: 4 },
    ]);
    expect(rowsOf('SELECT VALUE c.who || c.what FROM c GROUP BY c.who, c.what', SALES)).toEqual(['anntea', 'bobtea', 'annink']);
    expect(rowsOf('SELECT c.who, c.what, MAX(c.n) AS best FROM c GROUP BY c.who, c.what', SALES)).toEqual([
      { who: 'ann', what: 'tea', best: 3 },
      { who: 'bob', what: 'tea', best: 4 },
      { who: 'ann', what: 'ink', best: 5 },
    ]);
  });

  test('keys may be expressions and of any type; undefined is a group of its own', () => {
    const mixed = [{ k: 1 }, { k: '1' }, { k: true }, { k: null }, { k: [1] }, { k: { a: 1 } }, {}, { k: [1] }, {}];
    expect(rowsOf('SELECT c.k, COUNT(1) AS n FROM c GROUP BY c.k', mixed)).toEqual([
      { k: 1, n: 1 },
      { k: '1', n: 1 },
      { k: true, n: 1 },
      { k: null, n: 1 },
      { k: [1], n: 2 },
      { k: { a: 1 }, n: 1 },
      { n: 2 },
    ]);
    expect(rowsOf('SELECT UPPER(c.who) AS who, COUNT(1) AS n FROM c GROUP BY UPPER(c.who)', SALES)).toEqual([
      { who: 'ANN', n: 3 },
      { who: 'BOB', n: 1 },
    ]);
    expect(rowsOf('SELECT c.a, c.b, COUNT(1) AS n FROM c GROUP BY c.a, c.b', [{ a: 1 }, { b: 1 }, { a: [] }, {}])).toHaveLength(4);
  });

  test('a subquery in SELECT may read a group expression', () => {
    const documents = [{ tags: [1, 2] }, { tags: [1, 2] }, { tags: [3] }];
    expect(rowsOf('SELECT (SELECT VALUE SUM(t) FROM t IN c.tags) AS total, COUNT(1) AS n FROM c GROUP BY c.tags', documents)).toEqual([
      { total: 3, n: 2 },
      { total: 3, n: 1 },
    ]);
  });

  test('without GROUP BY there is one row, also over nothing', () => {
    expect(rowsOf('SELECT COUNT(1) AS n, SUM(c.n) AS s, AVG(c.n) AS a, MIN(c.n) AS lo, MAX(c.n) AS hi FROM c', SALES)).toEqual([
      { n: 4, s: 12, a: 4, lo: 3, hi: 5 },
    ]);
    expect(rowsOf('SELECT COUNT(1) AS n, SUM(c.n) AS s, AVG(c.n) AS a, MIN(c.n) AS lo FROM c', [])).toEqual([{ n: 0, s: 0 }]);
    expect(rowsOf('SELECT VALUE AVG(c.n) FROM c', [])).toEqual([]);
    expect(rowsOf('SELECT VALUE SUM(c.who) FROM c', SALES)).toEqual([]);
    expect(rowsOf('SELECT VALUE COUNT(1) FROM c JOIN t IN c.tags', [{ tags: [1, 2] }, { tags: [3] }])).toEqual([3]);
    expect(rowsOf('SELECT VALUE {"n": COUNT(1) + 1} FROM c WHERE c.n > 3', SALES)).toEqual([{ n: 3 }]);
  });
});
