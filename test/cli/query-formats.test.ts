import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutToWidth, displayWidth } from '../../src/cli/query/display-width.ts';
import { safeText } from '../../src/cli/safe-text.ts';
import { caretLines } from '../../src/cli/query/query-failure.ts';
import { parseMax, parseParameters, parsePartitionKey } from '../../src/cli/query/query-settings.ts';
import { resultFormat, type FormatName, type FormatOptions } from '../../src/cli/query/result-format.ts';
import { splitStatements } from '../../src/cli/query/statements.ts';
import { isPerigeeError } from '../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { prepareQuery } from '../../src/query/prepare-query.ts';

const PLAIN: FormatOptions = { width: 80, isTerminal: false, colours: false, rawCsv: false };

function written(name: FormatName, pages: readonly (readonly JsonValue[])[], options: Partial<FormatOptions> = {}): string {
  const format = resultFormat(name, { ...PLAIN, ...options });
  return pages.map((page) => format.page(page)).join('') + format.end();
}

/** A reader of RFC 4180, by its grammar. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  let row: string[] = [];
  let match = cell.exec(text);
  let end = 0;
  for (; match !== null; match = cell.exec(text)) {
    end = cell.lastIndex;
    row.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
    if (match[3] !== ',') {
      rows.push(row);
      row = [];
    }
  }
  expect(end).toBe(text.length);
  return rows;
}

const pagesOf = (item: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue[][]> =>
  fc.array(fc.array(item, { maxLength: 5 }), { maxLength: 4 });
const anyJson = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;

describe('results', () => {
  test('as json and ndjson are read back as they were, and no control character reaches a terminal', () => {
    fc.assert(
      fc.property(pagesOf(anyJson), (pages) => {
        const lines = written('ndjson', pages);
        const array = written('json', pages);
        // JSON has no -0.
        const items = JSON.parse(JSON.stringify(pages.flat())) as JsonValue[];
        expect(JSON.parse(array)).toEqual(items);
        expect(
          lines
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as JsonValue),
        ).toEqual(items);
      }),
      { seed: 7, numRuns: 200 },
    );
    expect(written('ndjson', [['\u001b[31m\u009b31m\u007f']])).toBe('"\\u001b[31m\\u009b31m\\u007f"\n');
    expect(written('json', [[]])).toBe('[]\n');
  });

  test('as CSV are the rows and columns that they were', () => {
    const item = fc.dictionary(fc.constantFrom('a', 'b,c', 'd"e', 'f\r\ng', ' h '), anyJson) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(pagesOf(item), (pages) => {
        const [header = [], ...rows] = readCsv(written('csv', pages, { rawCsv: true }));
        const first = pages.find((page) => page.length > 0) ?? [];
        expect(header.filter((name) => name !== '')).toEqual([...new Set(first.flatMap((one) => Object.keys(one as JsonObject)))]);
        const expected = (pages.flat() as JsonObject[]).map((one) =>
          header.map((name) => {
            const value = Object.hasOwn(one, name) ? one[name] : undefined;
            return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
          }),
        );
        expect(rows).toEqual(expected);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  test('as CSV tell missing, empty and null apart, and start no formula', () => {
    const items = [
      { a: '=1+1', b: -5 },
      { a: '', b: null },
      { b: '-x', '@c': [1, 'y'] },
    ];
    expect(written('csv', [items])).toBe('a,b,\'@c\r\n\'=1+1,-5,\r\n"",null,\r\n,\'-x,"[1,""y""]"\r\n');
    expect(written('csv', [items], { rawCsv: true })).toContain('=1+1,-5');
    expect(written('csv', [[1, 'a', { b: 2 }]])).toBe('value\r\n1\r\na\r\n"{""b"":2}"\r\n');
    expect(written('csv', [['a\u001b[31m']], { isTerminal: true })).toBe('value\r\na\ufffd[31m\r\n');
    // Nested values, and a return without a line end, which would write over what stands on the line.
    expect(written('csv', [[{ a: ['\u009b31m'], b: 'true\rfake' }]], { isTerminal: true })).toBe(
      'a,b\r\n"[""\\u009b31m""]",true\ufffdfake\r\n',
    );
  });

  test('as CSV warn of properties that came too late for a column', () => {
    const format = resultFormat('csv', PLAIN);
    expect(format.page([{ a: 1 }])).toBe('a\r\n1\r\n');
    expect(format.warning?.()).toBeUndefined();
    expect(format.page([{ a: 2, b: 1 }, { c: 1 }, 7])).toBe('2\r\n\r\n\r\n');
    expect(format.warning?.()).toContain('3 items have properties without a column, which were left out: "b", "c"');
  });

  test('as a table fit the screen, whatever they hold', () => {
    fc.assert(
      fc.property(pagesOf(anyJson), fc.integer({ min: 20, max: 200 }), (pages, width) => {
        for (const line of written('table', pages, { width }).split('\n')) {
          if (!line.includes(' no room: ')) {
            expect(displayWidth(line)).toBeLessThanOrEqual(width);
            expect(line).toBe(safeText(line));
          }
        }
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  test('as a table have aligned columns', () => {
    const items = [
      { name: '東京', n: 9.5, o: { a: 1 } },
      { name: 'Rome\n', n: 120, o: null },
    ];
    expect(written('table', [items])).toBe(
      ['name      n  o', '──────  ───  ───────', '東京    9.5  {"a":1}', 'Rome\\n  120  null', ''].join('\n'),
    );
    const long = { text: 'x'.repeat(90), more: 'y'.repeat(90), n: 1 };
    expect(written('table', [[long]], { width: 40 }).split('\n')[2]).toMatch(/^x{16}… {2}y{16}… {2}1$/u);
    expect(written('table', [items], { colours: true })).toContain('\u001b[1mname');
    const wide = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`column${n}`, n]));
    expect(written('table', [[wide]], { width: 40 })).toContain('(25 more columns have no room: column5, ');
  });

  test('texts are cut by what they take on a screen', () => {
    expect([cutToWidth('abcdef', 4), cutToWidth('東京都', 4), cutToWidth('abc', 3), cutToWidth('e\u0301e\u0301e\u0301', 2)]).toEqual([
      'abc…',
      '東…',
      'abc',
      'e\u0301…',
    ]);
    expect(displayWidth('👩‍👩‍👧a\u0301')).toBe(3);
    expect(safeText('a\u202eb\u009b\t')).toBe('a\\u202eb\\u009b\\t');
    expect(cutToWidth('x'.repeat(10_000_000), 10)).toBe('xxxxxxxxx…');
  });
});

describe('input', () => {
  test.each([
    ['SELECT 1; SELECT 2 ;', ['SELECT 1', 'SELECT 2'], ''],
    ['SELECT ";" -- a; b\n; x', ['SELECT ";" -- a; b'], ' x'],
    ["SELECT 'a; b", [], "SELECT 'a; b"],
    [';;  -- nothing\n;', [], ''],
    ['', [], ''],
  ])('%j is split at semicolons outside of strings and comments', (text, statements, rest) => {
    expect(splitStatements(text)).toEqual({ statements, rest });
  });

  test('parameters are JSON, and what is none is not repeated', () => {
    expect(parseParameters(['a=1', '@b="x=y"', 'c={"d":null}'])).toEqual([
      { name: '@a', value: 1 },
      { name: '@b', value: 'x=y' },
      { name: '@c', value: { d: null } },
    ]);
    expect([parsePartitionKey('"a"'), parsePartitionKey('["a",7,null]')]).toEqual([['a'], ['a', 7, null]]);
    for (const attempt of [
      () => parseParameters(['name=secret']),
      () => parseParameters(['secret']),
      () => parseParameters(['a=1', '@a=2']),
      () => parsePartitionKey('secret'),
      () => parsePartitionKey('{"a":"secret"}'),
      () => parseMax('0'),
      () => parseMax('1e3'),
    ]) {
      let raised: unknown;
      try {
        attempt();
      } catch (error) {
        raised = error;
      }
      expect(isPerigeeError(raised, 'INVALID_OPTION')).toBe(true);
      expect(String(raised)).not.toContain('secret');
    }
  });
});

describe('the place of an error', () => {
  function shown(query: string): readonly string[] {
    try {
      prepareQuery(query);
    } catch (error) {
      return caretLines(error, query);
    }
    return [];
  }

  test('stands under the line of the query', () => {
    expect(shown('SELECT * FORM c')).toEqual(['  SELECT * FORM c', '           ^^^^']);
    expect(shown('SELECT *\nFROM c\nWHERE c.a ==')).toEqual(['  WHERE c.a ==', '             ^']);
    expect(shown('SELECT x.a, y.b FROM c')).toEqual([
      '  SELECT x.a, y.b FROM c',
      '         ^',
      '  SELECT x.a, y.b FROM c',
      '              ^',
    ]);
    expect(shown('SELECT')).toEqual(['  SELECT', '        ^']);
  });

  test('is found in a long line, behind wide characters, and where the text would move the cursor', () => {
    const [line = '', caret = ''] = shown(`SELECT ${'c.a + '.repeat(10_000)}* FROM c`);
    expect(line.length).toBeLessThan(100);
    expect(line[caret.indexOf('^')]).toBe('*');
    expect(shown('SELECT "東\t京" c.x FORM')[1]).toMatch(/^ {16,}\^/u);
    expect(caretLines(new Error('of another kind'), 'SELECT 1')).toEqual([]);
  });
});
