import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePattern, MAX_PATTERN_LENGTH } from '../../../../src/query/functions/regex/compiled-pattern.ts';
import { PatternFault } from '../../../../src/query/functions/regex/pattern-fault.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);
const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 2000);

/** Compiles a text from a stranger: it is a pattern, or it is refused; anything else is thrown on. */
function outcomeOf(pattern: string, modifiers: string): 'compiled' | PatternFault['kind'] {
  try {
    compilePattern(pattern, modifiers).test('aB1 \n');
    return 'compiled';
  } catch (error) {
    if (error instanceof PatternFault) {
      return error.kind;
    }
    throw error;
  }
}

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(..."\\()[]{}|*+?.^$-:,<>=!#&'PpQERXdwsbBAZzKkgxoc01927 \n".split('')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '(?',
      '(?:',
      '(?i)',
      '[[:',
      ':]]',
      '[^',
      '{2}',
      '{1,',
      '\\p{',
      '\\x{',
      '(?<n>',
      '\\Q',
      '\\E',
      '(?#',
      '(*',
      'Lu}',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 2 }) },
);

describe(`texts of strangers as patterns (PERIGEE_FUZZ_SEED=${seed})`, () => {
  test('compile or are refused', () => {
    const counts: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), fc.constantFrom('', 'i', 'x', 'mx', 'msix'), (pieces, modifiers) => {
        const outcome = outcomeOf(pieces.join(''), modifiers);
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }),
      { seed, numRuns },
    );
    for (const kind of ['compiled', 'invalid', 'unsupported']) {
      expect(counts[kind], JSON.stringify(counts)).toBeGreaterThan(numRuns / 50);
    }
  });

  test.each([
    '(',
    ')',
    '[',
    '[[',
    '[=',
    '[:',
    '[a-',
    '{',
    '{1',
    '{1,',
    '\\',
    '\\p{ ',
    '\\p{^',
    '\\x{1',
    '\\Q',
    '\\E',
    '\\Qa\\E',
    '(?',
    '(?#',
    '(?:',
    '(?i)',
    '(?<n',
    '(?i',
    'a|',
    'a*',
    'a{1}',
    'a{1,1}',
    '(a)',
    '(|a)',
    '[a]',
    '[^\\n]',
    '#',
    ' ',
    '1',
    '^',
    '$',
    '\\b',
    '(?m)^',
    '(?m)$',
    'ſ',
    '\u{1F600}',
  ])('%s, again and again, is answered soon', (text) => {
    for (const [prefix, modifiers, suffix] of [
      ['', '', ''],
      ['', 'ix', ''],
      ['[', '', ''],
      ['(?:', '', ')*'],
    ] as const) {
      const pattern = `${prefix}${text.repeat(Math.floor((MAX_PATTERN_LENGTH - 8) / text.length))}${suffix}`;
      const start = performance.now();
      outcomeOf(pattern, modifiers);
      expect(performance.now() - start, `${prefix}${text}…${suffix}`).toBeLessThan(1500);
    }
  });
});
