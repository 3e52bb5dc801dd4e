import type { FilterRegression } from './filter-regressions.ts';

/** Cases of whole queries that are easy to get wrong, or once were. */
export const storeRegressions: readonly FilterRegression[] = [
  {
    what: 'a sum of fractions is that of the evaluator, bit by bit',
    text: 'SELECT VALUE SUM(c.n) FROM c',
    documents: [0.1, 0.2, 0.3, 1e16, 1, -1e16].map((n) => ({ n })),
  },
  {
    what: 'a sum of large whole numbers is too',
    text: 'SELECT SUM(c.n) AS s, AVG(c.n) AS a, MIN(c.n) AS lo, MAX(c.n) AS hi FROM c',
    documents: [2 ** 53, 1, 2 ** 62, -(2 ** 63), 1e308, 5e-324].map((n) => ({ n })),
  },
  {
    what: 'text among numbers poisons a sum, and ranks above them',
    text: 'SELECT SUM(c.n) AS s, AVG(c.n) AS a, MIN(c.n) AS lo, MAX(c.n) AS hi, COUNT(c.n) AS n FROM c',
    documents: [{ n: 1 }, { n: 'x\u0000y' }, { n: true }, {}, { n: null }],
  },
  {
    what: 'an array poisons MIN and MAX',
    text: 'SELECT MIN(c.n) AS lo, MAX(c.n) AS hi, COUNT(c.n) AS n FROM c',
    documents: [{ n: 1 }, { n: [] }],
  },
  {
    what: 'a sum of nothing is 0',
    text: 'SELECT SUM(c.n) AS s, AVG(c.n) AS a, MIN(c.n) AS lo, COUNT(1) AS n FROM c WHERE c.n = 7',
    documents: [{ n: 1 }],
  },
  {
    what: 'properties that are cut out keep keys such as __proto__ and their order',
    text: 'SELECT VALUE c.o FROM c ORDER BY c.n DESC',
    documents: [{ n: 1, o: JSON.parse('{"b":1,"__proto__":{"x":[1e21,"\\u0000"]},"a":null}') }, { n: 2, o: null }, { n: 3 }],
  },
  {
    what: 'a key with NUL is not the key before it, in filters',
    text: 'SELECT c.id FROM c WHERE NOT EXISTS(SELECT VALUE 1 FROM x IN c[""]) AND NOT IS_DEFINED(c.k)',
    documents: [{ '\u0000': [null] }, { 'k\u0000': 1 }, { k: 1 }, {}],
  },
  {
    what: 'nor in what is cut out or counted',
    text: 'SELECT COUNT(c.k) AS n, MAX(c.k) AS m FROM c WHERE c.s = "a"',
    documents: [{ 'k\u0000': 1, s: 'a' }, { k: 2, s: 'a' }, { k: 3 }, { 'k\u0000': 1, s: 'b' }],
  },
  {
    what: 'nor in groups and in order',
    text: 'SELECT c.k, COUNT(1) AS n FROM c WHERE c.s = "a" GROUP BY c.k',
    documents: [{ 'k\u0000': 1, s: 'a' }, { k: 2, s: 'a' }, { k: 3 }, { 'k\u0000': 1, s: 'b' }],
  },
];
