import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import { compileFilter } from '../../../../src/query/compile/postgres/compile-filter.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import { exactConditions, mixedDocuments } from '../exact-conditions.ts';
import { filterRegressions } from '../filter-regressions.ts';
import { PostgresHarness } from './postgres-harness.ts';

let harness: PostgresHarness;
beforeAll(async () => {
  harness = await PostgresHarness.open();
}, 120_000);
afterAll(async () => harness.close());

/** Runs a condition over documents of every type and gives how it was pushed; both ways must agree. */
async function pushed(
  where: string,
  values: Readonly<Record<string, JsonValue>> = {},
  documents: readonly JsonObject[] = mixedDocuments,
): Promise<string> {
  await harness.fill(documents);
  const { expected, kept, keepsOdd, filter } = await harness.filter(`SELECT * FROM c WHERE ${where}`, values);
  expect(keepsOdd, filter?.sql).toBe(true);
  if (filter?.exact === true) {
    expect(kept, filter.sql).toEqual(expected);
    return 'exact';
  }
  expect(kept, filter?.sql).toEqual(expect.arrayContaining([...expected]));
  return filter === undefined ? 'evaluated' : kept.length === expected.length ? 'superset, tight' : 'superset';
}

describe('what PostgreSQL tells exactly, over values of every type', () => {
  test.each([
    ...exactConditions,
    'c.x = {"a": 1, "b": 2}',
    'c.x = c.y',
    'c.x != c.y',
    'c.x IN ([1], {}, {"a": 1}, 0.5, true)',
    'c.x * 1e308 > 1 OR c.x / 3 < 0.1 OR 1 - c.x = 0',
    '1 / c.x > 1',
    'SQUARE(c.x) = 4',
    'c._ts >= 1700000003.5 AND c._ts != 1700000005 AND c._ts + 1 < 1700000010 AND c._ts < Infinity',
    'c.id >= "d1" AND c.id < "d3" AND c.id != "d2" OR c.id = c.x',
    'EXISTS(SELECT VALUE v FROM v IN c.x WHERE EXISTS(SELECT VALUE w FROM w IN v WHERE w = 1))',
  ])('%s', async (where) => {
    expect(await pushed(where)).toBe('exact');
  });
});

describe('what is a superset for the evaluator to filter', () => {
  test.each([
    ['LENGTH(c.x) = 1', 'because lengths count UTF-16 units'],
    ['LOWER(c.x) = "a"', 'because "C" folds ASCII only'],
    ['CONTAINS(c.x, "É", true)', 'for the same reason'],
    ['c.x * c.y > 1', 'because extreme products would fail'],
    ['SQRT(c.x) >= 1', 'because there is no root of a negative number'],
    ['c.y = 1 AND REVERSE(c.x) = "ba"', 'because one side is not known'],
  ])('%s, %s', async (where) => {
    expect(await pushed(where)).toMatch(/^superset/);
  });

  test('a negated piece that is not known says nothing', async () => {
    expect(await pushed('NOT (REVERSE(c.x) = "ba")')).toBe('evaluated');
    expect(await pushed('NOT (REVERSE(c.x) = "ba" OR c.y != 1)')).toBe('superset');
    expect(await pushed('REVERSE(c.x) = "ba" OR c.y = 1')).toBe('evaluated');
  });

  test('what may fail is never hidden by a filter', () => {
    const text = 'SELECT * FROM c WHERE c.y = 1 AND (SELECT VALUE v FROM v IN c.x) = 1';
    expect(compileFilter(prepareQuery(text), [])).toBeUndefined();
  });

  test('it says what was left to the evaluator, without values', async () => {
    const { filter } = await harness.filter('SELECT * FROM c WHERE c.y = 1 AND REVERSE(c.x) = "secret"', {});
    expect(filter?.reasons).toEqual(['the function REVERSE runs in the evaluator']);
    expect(filter?.sql).not.toContain('secret');
  });
});

describe('arithmetic never fails a statement, whatever the numbers', () => {
  const numbers = '0 5e-324 2.2250738585072014e-308 1e-160 1e-150 1e-10 0.1 1 2 3 7.5 1e150 1e160 8e307 1e308 1.7976931348623157e308'
    .split(' ')
    .map(Number)
    .concat(2 ** 31 - 1, 2 ** 31, 2 ** 53, 2 ** 63, 2 ** 64)
    .flatMap((value) => [value, -value]);
  const documents = numbers.flatMap((x) => numbers.map((y) => ({ x, y })));

  test.each(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>'])('%s of two values', async (operator) => {
    expect(await pushed(`c.x ${operator} c.y > 1 OR c.x ${operator} c.y < -1`, {}, documents)).toMatch(/^superset/);
    expect(await pushed(`NOT (c.x ${operator} c.y = 0)`, {}, documents)).toMatch(/^superset/);
  });

  test.each(['+', '-', '*', '/', '%'])(
    '%s with a constant, exact but for remainders of huge numbers',
    async (operator) => {
      const few = numbers.map((x) => ({ x }));
      await harness.fill(few);
      for (const constant of numbers) {
        for (const where of [`c.x ${operator} @k`, `@k ${operator} c.x`, `(c.x ${operator} @k) * 2`, `-(@k ${operator} c.x) / 3`]) {
          for (const bound of ['> 0', '<= 1', '= 0', '= @inf', '< -1e300']) {
            const text = `SELECT * FROM c WHERE ${where} ${bound}`;
            const { expected, kept, filter } = await harness.filter(text, { '@k': constant, '@inf': Infinity });
            const detail = `${text} ${constant} ${filter?.sql}`;
            if (filter?.exact === true) {
              expect(kept, detail).toEqual(expected);
            } else {
              expect(kept, detail).toEqual(expect.arrayContaining([...expected]));
              expect(operator === '%' || constant === 0 || where.startsWith('-('), detail).toBe(true);
            }
          }
        }
      }
    },
    120_000,
  );

  test('functions of extreme numbers', async () => {
    const names = ['ABS', 'FLOOR', 'CEILING', 'ROUND', 'TRUNC', 'SIGN', 'SQRT', 'SQUARE', 'NUMBERBIN', 'DEGREES', 'RADIANS', 'IS_INTEGER'];
    for (const name of names) {
      expect(await pushed(`${name}(c.x) > 1 OR ${name}(c.x) = true OR ${name}(c.x) = 0`, {}, documents)).toMatch(/exact|superset/);
      expect(await pushed(`SQUARE(${name}(c.x)) > 1e300 OR 1 / ${name}(c.x) > 5`, {}, documents)).not.toBe('');
    }
  });
});

describe('texts with NUL, which no text of PostgreSQL can hold', () => {
  const documents = ['', 'a', 'a\u0001', 'a\u0000', 'a\u0000b', 'ab', 'b', '\u0000', '\\u0000', '\\ud800'].map((x) => ({
    id: x,
    x,
    y: [x],
    z: { [x]: 1 },
  }));

  test.each(['c.x', 'c.id', 'c.y[0]'])('are compared with %s, and only odd documents are looked at again', async (path) => {
    for (const operator of ['=', '!=', '<', '<=', '>', '>=']) {
      for (const text of ['a\u0000', 'a\u0000b', '\u0000', 'a\u0001', '']) {
        expect(await pushed(`${path} ${operator} @t`, { '@t': text }, documents)).toBe('exact');
        expect(await pushed(`NOT (@t ${operator} ${path})`, { '@t': text }, documents)).toBe('exact');
      }
    }
    expect(await pushed(`${path} IN (@t, "b", @u)`, { '@t': 'a\u0000', '@u': 'a\u0001' }, documents)).toBe('exact');
    expect(await pushed(`${path} NOT IN (@t)`, { '@t': 'a\u0000' }, documents)).toBe('exact');
  });

  test('inside arrays and objects', async () => {
    expect(await pushed('c.y = @t OR c.z = @u', { '@t': ['a\u0000'], '@u': { '\u0000': 1 } }, documents)).toBe('exact');
    expect(await pushed('ARRAY_CONTAINS(c.y, @t)', { '@t': 'a\u0000' }, documents)).toBe('exact');
    expect(await pushed('NOT ARRAY_CONTAINS(c.y, @t)', { '@t': 'a\u0000b' }, documents)).toBe('exact');
  });

  test('in functions and names are the work of the evaluator', async () => {
    expect(await pushed('CONTAINS(c.x, @t)', { '@t': 'a\u0000' }, documents)).toBe('evaluated');
    expect(await pushed('CONCAT(c.x, @t) = "b"', { '@t': 'a\u0000' }, documents)).toBe('evaluated');
    expect(await pushed('IS_DEFINED(c["\\u0000"])', {}, documents)).toBe('evaluated');
    expect(await pushed('c.x = "\\ud800"', {}, documents)).toBe('exact');
    expect(await pushed('c.x > "\\ud800" OR c.id IN ("\\ud800", "a")', {}, documents)).toBe('evaluated');
  });
});

describe('loops over elements', () => {
  const documents = [{ x: ['a', 'b'], y: 'a', z: [['a']] }, { x: ['b'], y: 'a', z: [[1]] }, { x: ['a'] }, { x: 'a', y: 'a' }];

  test('that look at elements alone are exact, one inside another too', async () => {
    expect(await pushed('EXISTS(SELECT VALUE v FROM v IN c.x WHERE v = "a")', {}, documents)).toBe('exact');
    expect(await pushed('ALL(SELECT VALUE v FROM v IN c.x WHERE v = "a")', {}, documents)).toBe('exact');
    expect(await pushed('ARRAY_CONTAINS(c.x, "a") AND NOT ARRAY_CONTAINS_ALL(c.x, "a", "b")', {}, documents)).toBe('exact');
    expect(await pushed('ARRAY_CONTAINS(c.z, ["a"])', {}, documents)).toBe('exact');
    expect(await pushed('EXISTS(SELECT VALUE v FROM v IN c.z WHERE ARRAY_CONTAINS(v, "a"))', {}, documents)).toBe('exact');
  });

  test('that read the document for each element are left to the evaluator where the document is long', async () => {
    const where = 'EXISTS(SELECT VALUE v FROM v IN c.x WHERE v = c.y)';
    expect(await pushed(where, {}, documents)).toBe('superset, tight');
    expect(await pushed('ARRAY_CONTAINS(c.x, c.y)', {}, documents)).toBe('superset, tight');
    expect(await pushed('EXISTS(SELECT VALUE w FROM v IN c.z JOIN w IN v WHERE w = "a")', {}, documents)).toBe('superset, tight');
    expect(await pushed(where, {}, [...documents, { x: [], y: 'a'.repeat(20_000) }])).toBe('superset');
  });

  test('nest to a bound', async () => {
    const nested = (depth: number): string =>
      depth === 0
        ? 'true'
        : `EXISTS(SELECT VALUE v${depth} FROM v${depth} IN ${depth === 5 ? 'c.z' : `v${depth + 1}`} WHERE ${nested(depth - 1)})`;
    expect(await pushed(nested(5), {}, [...documents, { z: [[[['not one deeper']]]] }])).toBe('superset');
  });

  test('of a JOIN keep documents that give a row', async () => {
    await harness.fill(documents);
    const { expected, kept, filter } = await harness.filter('SELECT VALUE v FROM c JOIN v IN c.x WHERE v = "a" AND c.y = "a"', {});
    expect(filter).toMatchObject({ exact: false, reasons: ['the rows of a JOIN are made by the evaluator'] });
    expect([expected, kept]).toEqual([[0], [0]]);
  });
});

describe('size', () => {
  const documents = [{ x: 5 }, { x: 'v7' }, { x: 'w' }, { x: null }];

  test('thousands of items of IN are one bound value', async () => {
    const items = Array.from({ length: 5000 }, (_, index) => (index % 2 === 0 ? index + 3 : `"v${index}"`)).join(', ');
    expect(await pushed(`c.x IN (${items})`, {}, documents)).toBe('exact');
    expect(await pushed(`c.x NOT IN (${items}, null, 0)`, {}, documents)).toBe('exact');
    expect(compileFilter(prepareQuery(`SELECT * FROM c WHERE c.x IN (${items})`), [])?.parameters).toHaveLength(1);
  });

  test('constants deeper than any document are left to the evaluator', async () => {
    let deep: JsonValue = 1;
    for (let depth = 0; depth < 50_000; depth += 1) {
      deep = [deep];
    }
    expect(await pushed('c.x = @deep', { '@deep': deep }, documents)).toBe('evaluated');
    expect(await pushed('c.x IN (@deep, 5)', { '@deep': deep }, documents)).toBe('evaluated');
  });

  test('long chains become balanced trees, or are left to the evaluator', async () => {
    const ors = Array.from({ length: 3000 }, (_, index) => `c.x = ${index + 2}`).join(' OR ');
    expect(await pushed(ors, {}, documents)).toBe('exact');
    const many = Array.from({ length: 20_000 }, (_, index) => `c.x = ${index + 2}`).join(' OR ');
    expect(await pushed(many, {}, documents)).toBe('evaluated');
    expect(await pushed(`(${many}) AND c.x = 5`, {}, documents)).toMatch(/^superset/);
    const sum = Array.from({ length: 5000 }, () => 'c.x').join(' + ');
    expect(await pushed(`${sum} = 25000`, {}, documents)).toBe('evaluated');
    const doubled = Array.from({ length: 30 }, () => 'c.x').join(' + ');
    expect(await pushed(`${doubled} = 150`, {}, documents)).toBe('evaluated');
    expect(await pushed(`c.x${' * 2'.repeat(30)} > 5`, {}, documents)).toBe('evaluated');
    expect(await pushed(`${Array.from({ length: 40 }, () => 'NOT (').join('')}c.x = 5${')'.repeat(40)}`, {}, documents)).toBe('evaluated');
    expect(await pushed(`c.x LIKE "${'%a'.repeat(2000)}"`, {}, documents)).toBe('evaluated');
    expect(await pushed(`c.x LIKE "[a-z]${'_'.repeat(200)}"`, {}, documents)).toBe('evaluated');
    expect(await pushed(`c.x${'[0]'.repeat(9)} = 5`, {}, documents)).toBe('evaluated');
  });
});

test('the collation of the database has no say', async ({ skip }) => {
  const [[version] = []] = await harness.rows("SELECT current_setting('server_version_num')", []);
  skip(Number(version) < 150_000, 'PostgreSQL makes databases with collations of ICU from version 15 on');
  const other = await PostgresHarness.open(`LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`);
  try {
    expect(await other.rows("SELECT 'a' < 'B', '\"a\"'::jsonb < '\"B\"'::jsonb", [])).toEqual([[true, true]]);
    const texts = ['', 'a', 'A', 'b', 'B', 'é', 'e', 'É', 'ß', 'ss', 'K', '\u212a', '-', '_', 'a-b', 'ab', '😀', '\uff5e', 'i\u0307', 'İ'];
    await other.fill(texts.map((x, index) => ({ id: x, x, y: texts[(index * 7) % texts.length] as string, z: [x] })));
    for (const path of ['c.x', 'c.id', 'c.z[0]', 'CONCAT(c.x, "")', '(c.x = "a" ? "a" : "B")', '(c.x ?? c.y)']) {
      for (const operand of [...texts.map((text) => JSON.stringify(text)), 'c.y', 'CONCAT(c.y, "")', '(c.y = "a" ? "a" : "B")']) {
        for (const where of [`${path} < ${operand}`, `${path} >= ${operand}`, `${path} = ${operand}`, `STARTSWITH(${path}, ${operand})`]) {
          const { expected, kept, filter } = await other.filter(`SELECT * FROM c WHERE ${where}`, {});
          expect([filter?.exact, kept], where).toEqual([true, expected]);
        }
      }
    }
    for (const where of [
      'UPPER(c.x) = c.y',
      'LOWER(c.x) > "a"',
      'c.x LIKE "[a-c]%"',
      'CONTAINS(c.x, c.y, true)',
      'REPLACE(c.x, "s", "") < c.y',
    ]) {
      const { expected, kept } = await other.filter(`SELECT * FROM c WHERE ${where}`, {});
      expect(kept, where).toEqual(expect.arrayContaining([...expected]));
    }
  } finally {
    await other.close();
  }
}, 120_000);

describe('patterns of LIKE', () => {
  const texts = ['', 'a', 'ab', 'a%b', 'a_b', 'a\\b', 'a\nb', 'aXb', 'a😀b', '[', '^', 'b', 'a.b', 'a*b', 'Z', 'a]b', '-'];
  const patterns = ['a_b', 'a%b%', '%\\%', '%.%_', 'a[X-Z]b', '[^a-c]', '[a-c]%', '%[A-z]_', '[c-a]%', 'a]b', '_[.]', 'a\\_b', '\\', '%\\'];

  test.each(patterns)('%j', async (pattern) => {
    const documents = texts.map((x) => ({ x }));
    expect(await pushed('c.x LIKE @p', { '@p': pattern }, documents)).toMatch(/exact|evaluated/);
    expect(await pushed('c.x NOT LIKE @p', { '@p': pattern }, documents)).toMatch(/exact|evaluated/);
    expect(await pushed('c.x LIKE @p ESCAPE "\\\\"', { '@p': pattern }, documents)).toMatch(/exact|evaluated/);
  });
});

describe('cases that once were wrong', () => {
  test.each(filterRegressions.map((regression) => [regression.what, regression] as const))('%s', async (_, { text, values, documents }) => {
    await harness.fill(documents);
    const { expected, kept, filter } = await harness.filter(text, values ?? {});
    expect(kept).toEqual(filter?.exact === true ? expected : expect.arrayContaining([...expected]));
  });
});
