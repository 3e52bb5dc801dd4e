import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { queryShape } from '../../../src/query/explain/query-shape.ts';

describe('the shape of a query', () => {
  test.each([
    ["select * from c where c.name = 'Ada' and c.age>=42", 'SELECT * FROM c WHERE c.name = ? AND c.age>=?'],
    ['SELECT c["any name"], c.tags[0] FROM c', 'SELECT c["any name"], c.tags[0] FROM c'],
    ['SELECT VALUE ["a", 1, true]', 'SELECT VALUE [?, ?, ?]'],
    ['SELECT VALUE {"key": "value", \'b\': {c: null}}', 'SELECT VALUE {"key": ?, \'b\': {c: ?}}'],
    ['SELECT VALUE c.a ? "x" : "y" FROM c', 'SELECT VALUE c.a ? ? : ? FROM c'],
    ['SELECT c.a AS "a b" FROM c -- secret\n/* secret */ WHERE\n c.x = @x', 'SELECT c.a AS "a b" FROM c WHERE c.x = @x'],
    ['SELECT * FROM c WHERE c.n IN (1, 2, 3, 4, 5)', 'SELECT * FROM c WHERE c.n IN (?, … (5 values))'],
    ['SELECT * FROM c WHERE c.n IN ("a", "b")', 'SELECT * FROM c WHERE c.n IN (?, ?)'],
    ['SELECT * FROM c WHERE c.s = "unfinished', 'SELECT * FROM c WHERE c.s = ?'],
    ['SELECT * FROM c WHERE c.s IN ["secret"]', 'SELECT * FROM c WHERE c.s IN [?]'],
    ['', ''],
  ])('%s', (text, shape) => {
    expect(queryShape(text)).toBe(shape);
  });

  test('holds no value of the text', () => {
    const value = fc.constantFrom('"secret"', "'secret'", '98765', '9.8765e4', 'true', 'null');
    const wrap = fc.constantFrom(
      (v: string) => `SELECT * FROM c WHERE c.a = ${v}`,
      (v: string) => `SELECT VALUE [c.x, ${v}]`,
      (v: string) => `SELECT VALUE {k: ${v}, "l": [${v}]}`,
      (v: string) => `SELECT * FROM c WHERE c.a IN (${v}) OR STARTSWITH(c.b, ${v}) AND c.d BETWEEN ${v} AND ${v}`,
      (v: string) => `SELECT * FROM c WHERE ARRAY_CONTAINS([${v}], c.a ?? ${v}) ORDER BY c.a`,
      (v: string) => `SELECT TOP 98765 c.a ? ${v} : ${v} FROM c OFFSET 98765 LIMIT 98765`,
    );
    fc.assert(
      fc.property(value, wrap, (v, query) => {
        expect(queryShape(query(v))).not.toMatch(/secret|98765|9\.8765|true|null/u);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('of a very long text ends soon', () => {
    expect(queryShape(`SELECT * FROM c WHERE ${Array.from({ length: 20_000 }, (_, n) => `c.n = ${n}`).join(' OR ')}`)).toMatch(
      /^.{2000}…$/u,
    );
  });
});
