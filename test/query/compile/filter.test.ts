import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { compileFilter } from '../../../src/query/compile/sqlite/compile-filter.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { exactConditions, mixedDocuments } from './exact-conditions.ts';
import { FilterHarness } from './filter-harness.ts';
import { filterRegressions } from './filter-regressions.ts';

const harness = new FilterHarness();
afterAll(() => harness.close());

/** Runs a condition over documents of every type and gives how it was pushed; both ways must agree. */
function pushed(
  where: string,
  values: Readonly<Record<string, JsonValue>> = {},
  documents: readonly JsonObject[] = mixedDocuments,
): string {
  const { expected, kept, filter } = harness.run(`SELECT * FROM c WHERE ${where}`, values, documents);
  if (filter?.exact === true) {
    expect(kept, filter.sql).toEqual(expected);
    return 'exact';
  }
  expect(kept, filter?.sql).toEqual(expect.arrayContaining([...expected]));
  expect(filter === undefined || filter.reasons.length >= 0).toBe(true);
  return filter === undefined ? 'evaluated' : kept.length === expected.length ? 'superset, tight' : 'superset';
}

describe('what SQLite tells exactly, over values of every type', () => {
  test.each(exactConditions)('%s', (where) => {
    expect(pushed(where)).toMatch(where.startsWith('5 /') ? /superset|exact/ : /^exact$/);
  });
});

describe('what is a superset for the evaluator to filter', () => {
  test.each([
    ['LENGTH(c.x) = 1', 'because lengths count UTF-16 units'],
    ['LOWER(c.x) = "a"', 'because SQLite folds ASCII only'],
    ['CONTAINS(c.x, "É", true)', 'for the same reason'],
    ['1 / c.x > 1', 'because SQLite has no infinity from a division by zero'],
    ['c.x = {"a": 1, "b": 2}', 'because keys may stand in any order'],
    ['c.x = c.y', 'because both may be objects'],
    ['c.y = 1 AND REVERSE(c.x) = "ba"', 'because one side is not known'],
  ])('%s, %s', (where) => {
    expect(pushed(where)).toMatch(/^superset/);
  });

  test('a negated piece that is not known says nothing', () => {
    expect(pushed('NOT (REVERSE(c.x) = "ba")')).toBe('evaluated');
    expect(pushed('NOT (REVERSE(c.x) = "ba" OR c.y != 1)')).toBe('superset');
    expect(pushed('REVERSE(c.x) = "ba" OR c.y = 1')).toBe('evaluated');
  });

  test('what may fail is never hidden by a filter', () => {
    const text = 'SELECT * FROM c WHERE c.y = 1 AND (SELECT VALUE v FROM v IN c.x) = 1';
    expect(compileFilter(prepareQuery(text), [])).toBeUndefined();
  });

  test('it says what was left to the evaluator, without values', () => {
    const { filter } = harness.run('SELECT * FROM c WHERE c.y = 1 AND REVERSE(c.x) = "secret"', {}, mixedDocuments);
    expect(filter?.reasons).toEqual(['the function REVERSE runs in the evaluator']);
  });
});

describe('loops over elements', () => {
  const documents = [{ x: ['a', 'b'], y: 'a', z: [['a']] }, { x: ['b'], y: 'a', z: [[1]] }, { x: ['a'] }, { x: 'a', y: 'a' }];

  test('that look at the element alone are exact', () => {
    expect(pushed('EXISTS(SELECT VALUE v FROM v IN c.x WHERE v = "a")', {}, documents)).toBe('exact');
    expect(pushed('ALL(SELECT VALUE v FROM v IN c.x WHERE v = "a")', {}, documents)).toBe('exact');
    expect(pushed('ARRAY_CONTAINS(c.x, "a") AND NOT ARRAY_CONTAINS_ALL(c.x, "a", "b")', {}, documents)).toBe('exact');
    expect(pushed('ARRAY_CONTAINS(c.z, ["a"])', {}, documents)).toBe('exact');
  });

  test('that read the document for each element are left to the evaluator where the document is long', () => {
    const where = 'EXISTS(SELECT VALUE v FROM v IN c.x WHERE v = c.y)';
    expect(pushed(where, {}, documents)).toBe('superset, tight');
    expect(pushed('ARRAY_CONTAINS(c.x, c.y)', {}, documents)).toBe('superset, tight');
    expect(pushed(`(LET w = c.y IN ${where.replace('c.y', 'w')})`, {}, documents)).toBe('superset, tight');
    expect(pushed(where, {}, [...documents, { x: [], y: 'a'.repeat(20_000) }])).toBe('superset');
  });

  test('inside one another are too, since nobody else has a turn while a statement runs', () => {
    expect(pushed('EXISTS(SELECT VALUE v FROM v IN c.z WHERE ARRAY_CONTAINS(v, "a"))', {}, documents)).toBe('superset');
    expect(pushed('EXISTS(SELECT VALUE w FROM v IN c.z JOIN w IN v WHERE w = "a")', {}, documents)).toBe('evaluated');
  });

  test('of a JOIN keep documents that give a row', () => {
    const { expected, kept, filter } = harness.run('SELECT VALUE v FROM c JOIN v IN c.x WHERE v = "a" AND c.y = "a"', {}, documents);
    expect(filter).toMatchObject({ exact: false, reasons: ['the rows of a JOIN are made by the evaluator'] });
    expect([expected, kept]).toEqual([[0], [0]]);
  });
});

describe('property names', () => {
  test.each([['a b'], ["it's"], ['a.b'], ['$'], ['#'], ['[0]'], ['10'], [''], ['é'], ['😀'], ['__proto__'], ["'); DROP TABLE c1; --"]])(
    'that SQLite can quote are exact: %j',
    (name) => {
      const document = JSON.parse(`{${JSON.stringify(name)}: 1}`) as JsonObject;
      expect(pushed(`c[${JSON.stringify(name)}] = 1`, {}, [document, { x: 1 }])).toBe('exact');
    },
  );

  test.each([['a"b'], ['a\\b'], ['a\nb'], ['a\u0000b']])('with characters that JSON escapes are left to the evaluator: %j', (name) => {
    expect(pushed(`c[${JSON.stringify(name)}] = 1`, {}, [{ [name]: 1 }, { x: 1 }])).toBe('evaluated');
  });

  test('an index is no key and a key no index', () => {
    const documents = [{ x: [7] }, { x: { 0: 7 } }, { x: { '[0]': 7 } }];
    expect(pushed('c.x[0] = 7', {}, documents)).toBe('exact');
    expect(pushed('c.x["0"] = 7', {}, documents)).toBe('exact');
    expect(pushed('c.x[4294967296] = 7', {}, documents)).toBe('exact');
  });

  test('hidden by a computed property are left to the evaluator', () => {
    const options = { computedProperties: new Set(['lower']) };
    expect(compileFilter(prepareQuery('SELECT * FROM c WHERE c.lower = "a"'), [], options)).toBeUndefined();
    expect(compileFilter(prepareQuery('SELECT * FROM c WHERE c._etag = "a"'), [], options)).toBeUndefined();
  });
});

test('documents with an escaped NUL are kept, whatever the filter says: SQLite takes the key "x\\u0000y" for "x"', () => {
  const { expected, kept, keepsOdd, filter } = harness.run('SELECT * FROM c WHERE c.x = 1', {}, [
    { 'x\u0000y': 1 },
    { y: '\u0000' },
    { x: 1 },
  ]);
  expect([expected, kept, keepsOdd, filter?.exact]).toEqual([[2], [2], true, true]);
});

describe('size', () => {
  const documents = [{ x: 5 }, { x: 'v7' }, { x: 'w' }, { x: null }];

  test('thousands of items of IN are one bound value', () => {
    const items = Array.from({ length: 5000 }, (_, index) => (index % 2 === 0 ? index + 3 : `"v${index}"`)).join(', ');
    expect(pushed(`c.x IN (${items})`, {}, documents)).toBe('exact');
    expect(pushed(`c.x NOT IN (${items}, null, 0)`, {}, documents)).toBe('exact');
    expect(compileFilter(prepareQuery(`SELECT * FROM c WHERE c.x IN (${items})`), [])?.parameters).toHaveLength(1);
  });

  test('constants deeper than any document are left to the evaluator', () => {
    let deep: JsonValue = 1;
    for (let depth = 0; depth < 50_000; depth += 1) {
      deep = [deep];
    }
    expect(pushed('c.x = @deep', { '@deep': deep }, documents)).toBe('evaluated');
    expect(pushed('c.x IN (@deep, 5)', { '@deep': deep }, documents)).toBe('evaluated');
  });

  test('long chains become balanced trees, or are left to the evaluator', () => {
    const ors = Array.from({ length: 3000 }, (_, index) => `c.x = ${index + 2}`).join(' OR ');
    expect(pushed(ors, {}, documents)).toBe('exact');
    const many = Array.from({ length: 20_000 }, (_, index) => `c.x = ${index + 2}`).join(' OR ');
    expect(pushed(many, {}, documents)).toBe('evaluated');
    expect(pushed(`(${many}) AND c.x = 5`, {}, documents)).toMatch(/^superset/);
    const sum = Array.from({ length: 5000 }, () => 'c.x').join(' + ');
    expect(pushed(`${sum} = 25000`, {}, documents)).toBe('evaluated');
    expect(pushed(`${Array.from({ length: 40 }, () => 'NOT (').join('')}c.x = 5${')'.repeat(40)}`, {}, documents)).toBe('evaluated');
    expect(pushed(`c.x LIKE "${'%a'.repeat(2000)}"`, {}, documents)).toBe('evaluated');
  });
});

describe('cases that once were wrong', () => {
  test.each(filterRegressions.map((regression) => [regression.what, regression] as const))('%s', (_, { text, values, documents }) => {
    const { expected, kept, filter } = harness.run(text, values ?? {}, documents);
    expect(kept).toEqual(filter?.exact === true ? expected : expect.arrayContaining([...expected]));
  });
});
