import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../../src/query/parser/parse-query.ts';
import { printQuery } from '../../../src/query/printer.ts';
import { arbitraryQuery, withoutPositions } from './arbitrary-query.ts';

describe('printing a query', () => {
  test('parsing what was printed gives the same tree, in both styles and with all parentheses or those needed', () => {
    const style = fc.constantFrom('line' as const, 'lines' as const);
    const parentheses = fc.constantFrom('needed' as const, 'all' as const);
    fc.assert(
      fc.property(arbitraryQuery, style, parentheses, (node, ...how) => {
        expect(withoutPositions(parseQuery(printQuery(node, ...how)))).toEqual(withoutPositions(node));
      }),
      { numRuns: 600 },
    );
  });

  test.each([
    ['select   *\tfrom  c', 'SELECT *\nFROM c'],
    ["SELECT c.id,c['n'] as Name,c.x 'two words' FROM c", 'SELECT c.id, c["n"] AS Name, c.x AS "two words"\nFROM c'],
    ['SELECT VALUE ((c.a)+(c.b*2)) FROM c', 'SELECT VALUE c.a + c.b * 2\nFROM c'],
    ['SELECT VALUE (c.a+c.b)*2 FROM c', 'SELECT VALUE (c.a + c.b) * 2\nFROM c'],
    ['SELECT VALUE 1-(2-3) FROM c', 'SELECT VALUE 1 - (2 - 3)\nFROM c'],
    ['SELECT VALUE -(-(1)) FROM c', 'SELECT VALUE - -1\nFROM c'],
    ['SELECT VALUE NOT (c.a AND c.b) FROM c', 'SELECT VALUE NOT (c.a AND c.b)\nFROM c'],
    ['SELECT VALUE (1).x', 'SELECT VALUE (1).x'],
    ['SELECT * FROM c WHERE (c.n BETWEEN 1 AND 2) AND c.a <> 3', 'SELECT *\nFROM c\nWHERE (c.n BETWEEN 1 AND 2) AND c.a != 3'],
    ["SELECT * FROM c WHERE c.s NOT LIKE 'a!_%' ESCAPE '!'", 'SELECT *\nFROM c\nWHERE c.s NOT LIKE "a!_%" ESCAPE "!"'],
    [
      'SELECT * FROM r JOIN k IN r.kids[0]["b c"] JOIN (SELECT VALUE 1) s',
      'SELECT *\nFROM r\nJOIN k IN r.kids[0]["b c"]\nJOIN (\n    SELECT VALUE 1\n) AS s',
    ],
    [
      'SELECT DISTINCT TOP 3 * FROM c ORDER BY c.a asc, c.b desc OFFSET 1 LIMIT @n',
      'SELECT DISTINCT TOP 3 *\nFROM c\nORDER BY c.a ASC, c.b DESC\nOFFSET 1 LIMIT @n',
    ],
  ])('%s', (text, printed) => {
    expect(printQuery(parseQuery(text))).toBe(printed);
  });

  test('a chain of a hundred thousand operators prints and parses again', () => {
    const text = `SELECT VALUE ${Array.from({ length: 50_000 }, (_, index) => index).join('+')}\nFROM c`;
    expect(printQuery(parseQuery(text)).replaceAll(' + ', '+')).toBe(text);
  });
});
