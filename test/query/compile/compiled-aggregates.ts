/** Queries, and whether every compiler makes their aggregates: what it is of a query does not depend on the engine. */
export const COMPILED_AGGREGATES: readonly (readonly [text: string, isCompiled: boolean])[] = [
  ['SELECT VALUE COUNT(1) FROM c', true],
  ['SELECT VALUE COUNT(c.a) FROM c WHERE c.b = 1', true],
  ['SELECT COUNT(c.a) AS a, COUNT(1) FROM c', true],
  ['SELECT VALUE COUNT(1) FROM c JOIN x IN c.list', true],
  ['SELECT VALUE COUNT(x.a) FROM c JOIN x IN c.list WHERE x.b > 1 AND c.n = 2', true],
  ['SELECT VALUE COUNT(1) FROM x IN c.list', true],
  ['SELECT VALUE COUNT(1) FROM c WHERE REVERSE(c.a) = "x"', false],
  ['SELECT VALUE COUNT(1) FROM c JOIN x IN c.list WHERE x = c.a', false],
  ['SELECT VALUE COUNT(1) FROM c JOIN x IN c.list JOIN y IN x', false],
  ['SELECT VALUE SUM(c.a) FROM c', false],
  ['SELECT c.a, COUNT(1) FROM c GROUP BY c.a', false],
  ['SELECT VALUE {"n": COUNT(1)} FROM c', false],
  ['SELECT VALUE COUNT(1) FROM (SELECT DISTINCT VALUE c.a FROM c)', false],
];
