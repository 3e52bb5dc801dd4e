import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { chooseAccess, type AccessOptions } from '../../../src/query/access/choose-access.ts';
import { indexText, type IndexDefinition } from '../../../src/query/access/index-definition.ts';
import { proposeIndex } from '../../../src/query/access/propose-indexes.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

function index(text: string): IndexDefinition {
  const columns = text.split(', ').map((column) => {
    const [path, direction] = column.split(' ') as [string, string | undefined];
    return { path: path.split('/').slice(1), descending: direction === 'DESC' };
  });
  return { name: text, columns };
}

const INDEXES = ['/a', '/b', '/a/b', '/a, /n', '/a, /n DESC', '/n', '/s'].map(index);

function choose(where: string, options: AccessOptions = {}, indexes: readonly IndexDefinition[] = INDEXES): string {
  const access = chooseAccess(prepareQuery(`SELECT * FROM c${where}`), [{ name: '@list', value: [1, 'x', null] }], indexes, options);
  if (access === undefined) {
    return 'scan';
  }
  const { equal, range, order, coversFilter } = access;
  const values = equal.map((list) => list.map((value: JsonValue | undefined) => JSON.stringify(value) ?? 'undefined').join('|')).join(' ');
  const ends =
    range === undefined
      ? ''
      : ` ${range.type} ${range.from?.inclusive === true ? '[' : '('}${range.from?.value ?? ''},${range.to?.value ?? ''}${range.to?.inclusive === true ? ']' : ')'}`;
  return `${indexText(access.index)}: ${values}${ends}${order === undefined ? '' : ` ${order}`}${coversFilter ? '' : ' and more'}`;
}

describe('the index that serves', () => {
  test.each([
    [' WHERE c.a = 1', '/a: 1'],
    [' WHERE 1 = c.a', '/a: 1'],
    [' WHERE c["a"] = "x" AND c.other = 2', '/a: "x" and more'],
    [' WHERE c.a.b = true', '/a/b: true'],
    [' WHERE c.a IN (1, 2, "x", 1)', '/a: 1|2|"x"'],
    [' WHERE c.a = 1 OR c.a = 2 OR c.a IN (3, null)', '/a: 1|2|3|null'],
    [' WHERE ARRAY_CONTAINS(@list, c.a)', '/a: 1|"x"|null'],
    [' WHERE c.a = 1 AND c.n > 5', '/a, /n: 1 number (5,)'],
    [' WHERE c.n > 5 AND c.n <= 9 AND c.n < 20', '/n:  number (5,9]'],
    [' WHERE c.n BETWEEN 1 AND 2', '/n:  number [1,2]'],
    [' WHERE c.n IN (1, 7, "x") AND c.n > 5', '/n: 7'],
    [' WHERE c.n > 5 AND c.n < "x"', '/n: '],
    [' WHERE STARTSWITH(c.s, "ab")', '/s:  string [ab,ac)'],
    [' WHERE c.s LIKE "ab%"', '/s:  string [ab,ac)'],
    [' WHERE c.s LIKE "ab"', '/s: "ab"'],
    [' WHERE c.s LIKE "a%b"', '/s:  string [a,b) and more'],
    [' WHERE STARTSWITH(c.s, "a\u{10ffff}")', '/s:  string [a\u{10ffff},b)'],
    [' WHERE STARTSWITH(c.s, "\ud7ff")', '/s:  string [\ud7ff,\ue000)'],
    [' WHERE IS_NULL(c.a)', '/a: null'],
    [' WHERE NOT IS_DEFINED(c.a)', '/a: undefined'],
    [' WHERE c.a', '/a: true'],
    [' WHERE NOT c.a', '/a: false'],
    [' WHERE c.a > false', '/a: true'],
    [' WHERE c.a <= null', '/a: null'],
    [' WHERE c.a = 1 ORDER BY c.n', '/a, /n: 1 forward'],
    [' WHERE c.a = 1 ORDER BY c.a, c.n DESC', '/a, /n DESC: 1 forward'],
    [' ORDER BY c.a DESC, c.n DESC', '/a, /n:  backward'],
    [' ORDER BY c.a DESC, c.n', '/a, /n DESC:  backward'],
    [' WHERE c.n > 5 ORDER BY c.n OFFSET 3 LIMIT 4', '/n:  number (5,) forward'],
    [' ORDER BY c.n DESC', '/n:  backward'],
  ])('%s', (where, expected) => {
    expect(choose(where)).toBe(expected);
  });

  test.each([
    ['another path', ' WHERE c.other = 1'],
    ['no path of names', ' WHERE c.a[0] = 1'],
    ['an array or object', ' WHERE c.a = [1]'],
    ['two documents of one query', ' WHERE c.a = c.b'],
    ['what differs', ' WHERE c.a != 1'],
    ['what is not in a list', ' WHERE c.a NOT IN (1)'],
    ['one side of OR', ' WHERE c.a = 1 OR c.other = 2'],
    ['letters of both cases', ' WHERE STARTSWITH(c.s, "ab", true)'],
    ['an order that no index has', ' ORDER BY c.b, c.n'],
    ['a function that may fail', ' WHERE udf.f(c.a) AND c.a = 1'],
    ['a number that JSON lacks', ' WHERE c.a = 1 / 0'],
  ])('is none for %s', (_, where) => {
    expect(choose(where)).toBe('scan');
  });

  test('is none where a computed property hides the path', () => {
    expect(choose(' WHERE c.a = 1', { computedProperties: new Set(['a']) })).toBe('scan');
  });

  test('is the one that leads to fewer documents', () => {
    const estimate: AccessOptions['estimate'] = (access) => (access.index.name === '/b' ? 3 : 5000);
    expect(choose(' WHERE c.a = 1 AND c.b = 2', { estimate })).toBe('/b: 2 and more');
  });

  test('takes what is known of a partition key', () => {
    expect(choose(' ORDER BY c.n', { known: [{ path: ['a'], value: 'p' }] }, [index('/a, /n')])).toBe('/a, /n: "p" forward');
  });

  test('is none where a partition key leaves few documents', () => {
    expect(choose(' WHERE c.n > 5', { otherwise: 20 })).toBe('scan');
  });
});

describe('the index that would serve', () => {
  test.each([
    [' WHERE c.x = 1', '/x'],
    [' WHERE c.x = 1 ORDER BY c.y DESC', '/x, /y DESC'],
    [' WHERE c.x > 1 ORDER BY c.x', '/x'],
    [' ORDER BY c.x, c.y', '/x, /y'],
    [' WHERE c.a = 1', undefined],
    [' WHERE c.x != 1', undefined],
  ])('%s', (where, expected) => {
    const found = proposeIndex(prepareQuery(`SELECT * FROM c${where}`), [], INDEXES);
    expect(found && indexText(found)).toBe(expected);
  });
});
