import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../../src/core/errors.ts';
import { MAX_PATTERN_LENGTH, MAX_PATTERN_SIZE } from '../../../../src/query/functions/regex/compiled-pattern.ts';
import { lookupPattern } from '../../../../src/query/functions/regex/pattern-cache.ts';
import { PatternFault } from '../../../../src/query/functions/regex/pattern-fault.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import { rowsOf } from '../../evaluator/run-query.ts';
import { callFunction, testCases, testUndefined } from '../function-cases.ts';

const MATCHING: readonly (readonly [pattern: string, modifiers: string, yes: readonly string[], no: readonly string[]])[] = [
  ['', '', ['', 'a'], []],
  ['a|', '', ['', 'b'], []],
  ['^a{2}$', '', ['aa', 'aa\n'], ['a', 'aaa', 'aa\n\n']],
  ['^b$', 'm', ['a\nb\nc', 'b\n'], ['a b c', 'ab']],
  ['^$', 'm', ['', 'a\n\nb', '\n'], ['a\nb', 'a\n']],
  ['^\\s*$', 'm', ['a\n  \nb', ' '], ['a\nb', 'a\nb\n']],
  ['a.b', '', ['axb', 'a\rb', 'a😀b'], ['a\nb']],
  ['a.b', 's', ['a\nb'], ['ab']],
  ['a\\Nb', 's', ['axb'], ['a\nb']],
  ['^\\w+$', '', ['az_09'], ['é', 'a b']],
  ['^\\w+$', 'i', ['AZ'], ['\u017f', '\u212a']],
  ['^[\\wé]+$', 'i', ['aÉ'], ['\u212a']],
  ['^\\d+$', '', ['0123'], ['٣']],
  ['^\\s$', '', ['\u000b', '\f', ' '], ['\u00a0']],
  ['^\\h$', '', ['\t', '\u00a0'], ['\n']],
  ['^\\v$', '', ['\u2028', '\r'], ['\t']],
  ['k', 'i', ['K', '\u212a'], ['l']],
  ['ß', 'i', ['ẞ'], ['SS']],
  ['σ', 'i', ['Σ', 'ς'], ['o']],
  ['[^a-z]', 'i', ['1'], ['A', 'b']],
  ['[[:upper:]]', 'i', ['a'], ['1']],
  ['[[:upper:]]', '', ['A'], ['a']],
  ['[[:^digit:]]', '', ['a'], ['12']],
  ['^[]a]+$', '', [']a'], ['b']],
  ['^[^]a]$', '', ['b'], [']', 'a']],
  ['^[a-]+$', '', ['a-a'], ['b']],
  ['^[\\b]$', '', ['\b'], ['b']],
  ['a b # no c', 'x', ['ab'], ['a b']],
  ['a\\ b [ ]', 'x', ['a b '], ['ab']],
  ['a (?#never) +', 'x', ['aa'], ['b']],
  ['(?i)a(?-i)b', '', ['Ab'], ['AB']],
  ['(?i:a)b|c', '', ['Ab', 'c'], ['AB', 'C']],
  ['(a(?i)b|c)d', '', ['aBd', 'Cd'], ['ABd', 'CD']],
  ['(?x: a b )c d', '', ['abc d'], ['a b c d']],
  ["^(?<year>\\d{4})-(?P<month>\\d\\d)-(?'day'\\d\\d)$", '', ['2024-03-05'], ['2024-3-5']],
  ['\\Qa.b*\\E+', '', ['a.b**'], ['axb']],
  ['^\\x41\\x{1F600}\\101?\\e?$'.replace('\\101?', ''), '', ['A😀'], ['A']],
  ['^\\012$', '', ['\n'], ['12']],
  ['^\\cA$', '', ['\u0001'], ['A']],
  ['^\\p{Lu}\\p{^Lu}\\pL\\P{Nd}$', '', ['Éaé-'], ['éaé-', 'Éaé1']],
  ['a{,b', '', ['a{,b'], ['ab']],
  ['x{a}', '', ['x{a}'], ['xa']],
  ['a\\Z', '', ['a', 'a\n'], ['a\n\n', 'ab']],
  ['a\\z', '', ['a'], ['a\n']],
  ['a$\\n', '', ['a\n'], ['a', 'a\n\n']],
  ['(?:(\\w+)(?:,|$))+', '', ['a,b\n', 'a'], [',']],
  ['\\bio\\b', '', ['io!', 'an io'], ['ion']],
];

describe('REGEXMATCH', () => {
  for (const [pattern, modifiers, yes, no] of MATCHING) {
    test(`${JSON.stringify(pattern)} with '${modifiers}'`, () => {
      for (const text of yes) {
        expect(callFunction('REGEXMATCH', [text, pattern, modifiers]), JSON.stringify(text)).toBe(true);
      }
      for (const text of no) {
        expect(callFunction('REGEXMATCH', [text, pattern, modifiers]), JSON.stringify(text)).toBe(false);
      }
    });
  }

  testUndefined(
    ['REGEXMATCH', 'REGEXEXTRACT', 'REGEXEXTRACTALL'],
    [
      [1, 'a'],
      ['a', 1],
      ['a', null],
      ['a', 'a', null],
      ['a', 'a', 'g'],
      ['a', 'a', 'I'],
      ...['(', ')', '[a', '[z-a]', 'a{2,1}', '*a', '\\', '\\y', '(?<1>a)', '(?<n>a)(?<n>b)', '(?z', '[[:letter:]]', '[:alpha:]'].map(
        (pattern) => ['a', pattern],
      ),
      ['a', `${'('.repeat(300)}a${')'.repeat(300)}`],
    ],
  );

  test.each([
    'a(?=b)',
    'a(?!b)',
    '(?<=a)b',
    '(?<!a)b',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    '(a)\\g{1}',
    'a++',
    'a{2}+',
    '(?>a)',
    '(?R)',
    '(a)(?1)',
    '(?(1)a)',
    '(?|a|b)',
    '(*FAIL)',
    '\\Ka',
    '\\R',
    '\\X',
    '\\p{Greek}',
    'a{1001}',
    '(?:a{40}){40}',
    '^*a',
    '[\\d-z]',
    '(?U)a+',
  ])('%s is refused by name, in the text of the query and at its evaluation', (pattern) => {
    const refused = expect.objectContaining({ code: 'QUERY_NOT_SUPPORTED' });
    expect(() => callFunction('REGEXMATCH', ['ab', pattern])).toThrow(refused);
    const text = `SELECT VALUE REGEXMATCH(c.x, ${JSON.stringify(pattern)}) FROM c`;
    expect(() => prepareQuery(text)).toThrow(refused);
  });

  test('is refused before a document is read where the pattern is a parameter', () => {
    const refused = expect.objectContaining({ code: 'QUERY_NOT_SUPPORTED' });
    expect(() => rowsOf('SELECT VALUE REGEXMATCH(c.x, @p) FROM c', [], { values: { '@p': 'a(?=b)' } })).toThrow(refused);
    expect(rowsOf('SELECT VALUE REGEXMATCH(c.x, @p) FROM c', [{ x: 'ab' }], { values: { '@p': 'a(?:b)' } })).toEqual([true]);
    expect(rowsOf('SELECT VALUE REGEXMATCH(c.x, c.p) FROM c', [], {})).toEqual([]);
    expect(() => rowsOf('SELECT VALUE REGEXMATCH(c.x, c.p) FROM c', [{ x: 'a', p: 'a(?=b)' }])).toThrow(refused);
  });

  test('names what it refuses, and shows nothing of the pattern', () => {
    try {
      callFunction('REGEXMATCH', ['ab', 'secret(?=b)']);
    } catch (error) {
      expect(isPerigeeError(error, 'QUERY_NOT_SUPPORTED') && error.message).toContain('look-around');
      expect(String(error)).not.toContain('secret');
    }
    expect.assertions(2);
  });

  test('is bounded in the size of the pattern, its repetitions and the search', () => {
    const limit = expect.objectContaining({ code: 'QUERY_LIMIT' });
    expect(() => callFunction('REGEXMATCH', ['a', 'a'.repeat(MAX_PATTERN_LENGTH + 1)])).toThrow(limit);
    expect(() => callFunction('REGEXMATCH', ['a', 'a{1000}'.repeat(MAX_PATTERN_SIZE / 1000 + 1)])).toThrow(limit);
    expect(() => callFunction('REGEXMATCH', ['a'.repeat(1_000_000), '[ab]{1000}'])).toThrow(limit);
  });

  test('does not backtrack', () => {
    const start = performance.now();
    expect(callFunction('REGEXMATCH', [`${'a'.repeat(50_000)}!`, '^(a+)+$'])).toBe(false);
    expect(callFunction('REGEXMATCH', ['a'.repeat(20_000), '(?:a?){30}a{30}b'])).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('REGEXEXTRACT and REGEXEXTRACTALL', () => {
  testCases([
    ['REGEXEXTRACT', ['key=value', '=(.*)$', '', 1], 'value'],
    ['REGEXEXTRACT', ['key=value\n', '=(.*)$', '', 1], 'value'],
    ['REGEXEXTRACT', ['one\ntwo\n', '^(\\w*)$', 'm', 1], 'one'],
    ['REGEXEXTRACT', ['one\ntwo\n', '^t.*$', 'm'], 'two'],
    ['REGEXEXTRACT', ['ab', '(a)|(b)', '', 2], undefined],
    ['REGEXEXTRACT', ['ab', 'a', '', 1], undefined],
    ['REGEXEXTRACT', ['ab', 'a', '', -1], undefined],
    ['REGEXEXTRACT', ['ab', 'a', '', 0.5], undefined],
    ['REGEXEXTRACT', ['xyz', '(?<a>x)(?:y)(?<b>z)', '', 2], 'z'],
    ['REGEXEXTRACT', ['abcd', '(a|ab)(c|bcd)', '', 2], 'bcd'],
    ['REGEXEXTRACT', ['', ''], ''],
    ['REGEXEXTRACTALL', ['a1b22', '[a-z]\\d'], ['a1', 'b2']],
    ['REGEXEXTRACTALL', ['aXbX', '(\\w)x', 'i', 1], ['a', 'b']],
    ['REGEXEXTRACTALL', ['one\ntwo\n', '^.*$', 'm'], ['one', 'two']],
    ['REGEXEXTRACTALL', ['ab', '(a)|b', '', 1], ['a']],
    ['REGEXEXTRACTALL', ['ab', 'a', '', 1], undefined],
    ['REGEXEXTRACTALL', ['😀ab', ''], ['', '', '', '']],
    ['REGEXEXTRACTALL', ['', 'a'], []],
  ]);

  test('refuse a loop that may take nothing, whose groups engines fill differently', () => {
    const refused = expect.objectContaining({ code: 'QUERY_NOT_SUPPORTED' });
    expect(() => callFunction('REGEXEXTRACT', ['a', '(a*)*'])).toThrow(refused);
    expect(() => prepareQuery("SELECT VALUE REGEXEXTRACTALL(c.x, '(a|b*)+') FROM c")).toThrow(refused);
    expect(callFunction('REGEXMATCH', ['a', '(a*)*'])).toBe(true);
  });
});

describe('what every match holds', () => {
  test.each([
    ['^abc', '', 'abc', 'start'],
    ['^abc+d', '', 'abc', 'start'],
    ['^(ab)c', '', 'abc', 'start'],
    ['^a|b', '', undefined, undefined],
    ['(?m)^abc', '', 'abc', 'anywhere'],
    ['x?^abc', '', 'abc', 'anywhere'],
    ['[0-9]+-orbit$', '', '-orbit', 'anywhere'],
    ['a(?:bc){2}d', '', 'abc', 'anywhere'],
    ['ab*cd', '', 'cd', 'anywhere'],
    ['abc', 'i', undefined, undefined],
    ['2024-a', 'i', '2024-', 'anywhere'],
    ['', '', undefined, undefined],
  ])('%s with %s: %s', (pattern, modifiers, text, place) => {
    const compiled = lookupPattern(pattern, modifiers);
    const required = compiled instanceof PatternFault ? undefined : compiled.required;
    expect(required).toEqual(text === undefined ? undefined : { text, place });
  });
});
