import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookupPattern } from '../../../../src/query/functions/regex/pattern-cache.ts';
import { PatternFault } from '../../../../src/query/functions/regex/pattern-fault.ts';
import { arbitraryPattern, arbitraryText } from './arbitrary-pattern.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);
const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 800);

describe(`patterns against an engine that backtracks (PERIGEE_FUZZ_SEED=${seed})`, () => {
  test('find the same, or are refused', () => {
    const counts = { found: 0, missed: 0, refused: 0, extracted: 0, required: 0 };
    fc.assert(
      fc.property(
        arbitraryPattern,
        fc.boolean(),
        fc.array(arbitraryText, { minLength: 4, maxLength: 4 }),
        (patterns, ignoreCase, texts) => {
          const { pcre, native, emptyLoop } = patterns;
          const compiled = lookupPattern(pcre, ignoreCase ? 'i' : '');
          if (compiled instanceof PatternFault) {
            expect(compiled.kind, `${pcre}: ${compiled.feature}`).toBe('unsupported');
            counts.refused += 1;
            return;
          }
          const oracle = new RegExp(native, ignoreCase ? 'iu' : 'u');
          counts.required += compiled.required === undefined ? 0 : 1;
          for (const text of texts) {
            const expected = oracle.exec(text);
            expect(compiled.test(text), `${pcre} on ${JSON.stringify(text)}`).toBe(expected !== null);
            counts[expected === null ? 'missed' : 'found'] += 1;
            expect(emptyLoop || !compiled.hasEmptyLoop).toBe(true);
            if (expected !== null && !emptyLoop) {
              const [first] = compiled.matches(text);
              expect(first?.group(0), `${pcre} on ${JSON.stringify(text)}`).toBe(expected[0]);
              expect(first?.start).toBe(expected.index);
              counts.extracted += 1;
            }
          }
        },
      ),
      { seed, numRuns },
    );
    const total = counts.found + counts.missed + counts.refused;
    expect(counts.found / total, JSON.stringify(counts)).toBeGreaterThan(0.2);
    expect(counts.extracted / total, JSON.stringify(counts)).toBeGreaterThan(0.1);
    expect(counts.required, JSON.stringify(counts)).toBeGreaterThan(numRuns / 10);
    expect(counts.refused / total, JSON.stringify(counts)).toBeLessThan(0.2);
  }, 600_000);
});
