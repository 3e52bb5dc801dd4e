import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const FOLDER = new URL('.', import.meta.url);
/** Ways of losing data that were collected from other engines. */
const ROWS = 29;

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts') && name !== 'table.test.ts');
const textOf = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');

/** The tests of a file as the table has them: row, name, file. */
function testsIn(file: string): readonly string[] {
  return Array.from(
    textOf(file).matchAll(/'row (\d+)(?: \(what holds today\))?: ([^'\n]+)'/gu),
    ([, row, name]) => `| ${row} | ${name} | ${file} |`,
  );
}

const tests = files.flatMap(testsIn);
const table = textOf('README.md')
  .split('\n')
  .filter((line) => /^\| \d+ \|/u.test(line));

test('the table names every test of the lessons with its row and its file, and nothing else', () => {
  expect(table.toSorted()).toEqual(tests.toSorted());
  expect(new Set(table).size).toBe(table.length);
});

test('no row is without a test', () => {
  const rows = new Set(table.map((line) => Number(line.split('|')[1])));
  expect([...rows].toSorted((left, right) => left - right)).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
});

test.each(files)('every test of %s carries the number of its row and is run', (file) => {
  const text = textOf(file);
  expect(testsIn(file)).toHaveLength(Array.from(text.matchAll(/\btest(?:\.each)?[<(]/gu)).length);
  expect(text).not.toMatch(/\.(?:skip|todo|only|skipIf|runIf|fails)\b/u);
});
