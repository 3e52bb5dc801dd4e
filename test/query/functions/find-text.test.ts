import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findLastText, findText, splitText } from '../../../src/query/functions/string/find-text.ts';

const few = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 });

describe('finding one long text in another', () => {
  const length = 300_000;
  const text = 'a'.repeat(length);
  const half = 'a'.repeat(1000);

  test('takes linear time where the engine would compare for minutes', () => {
    const needle = `${'a'.repeat(length / 3)}b${'a'.repeat(length / 3)}`;
    expect(findText(text, needle)).toBe(-1);
    expect(findLastText(text, needle, length)).toBe(-1);
    expect(splitText(text, needle, 10)).toEqual([text]);
  });

  test('gives what the engine gives', () => {
    fc.assert(
      fc.property(few, few, fc.nat(10), (one, other, start) => {
        const whole = `${text}${half}${one}${half}${other}${half}`;
        for (const needle of [`${half}${one}${half}`, `${half}${other}`, `${one}${other}${half}`]) {
          expect(findText(whole, needle, start)).toBe(whole.indexOf(needle, start));
          expect(findLastText(whole, needle, whole.length - start)).toBe(whole.lastIndexOf(needle, whole.length - start));
          expect(splitText(whole, needle, 5 + start)).toEqual(whole.split(needle, 5 + start));
        }
      }),
      { numRuns: 4 },
    );
  });

  test('and short ones as well', () => {
    expect(findText('banana', 'an', 2)).toBe(3);
    expect(findText('abc', '', 5)).toBe(3);
    expect(findLastText('banana', 'an', 2)).toBe(1);
    expect(splitText('a,b,', ',', 10)).toEqual(['a', 'b', '']);
  });
});
