import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyzerOf } from '../../../../src/query/functions/full-text/analyzer.ts';
import { sureBeginning } from '../../../../src/query/functions/full-text/sure-beginning.ts';

const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) * 3;
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261130);

const LETTERS = Array.from(
  'abcdefghijklmnopqrstuvwxyzaeiouaeiouy\u00e4\u00f6\u00fc\u00df\u00e9\u00e8\u00ea\u00eb\u00ef\u00ee\u00e2\u00e3\u00f5\u00e7\u00f1\u00e1\u00ed\u00f3\u00fa\u00e0\u00ec\u00f2\u00f9',
);
const resolve = createRequire(import.meta.url).resolve.bind(undefined);

/** All endings that a stemmer knows, which are the texts and patterns of its source. */
function endingsOf(language: string): readonly string[] {
  const source = readFileSync(resolve(`@orama/stemmers/${language}`), 'utf8').replaceAll(/\\x([0-9a-f]{2})/gu, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  const found = [...source.matchAll(/[\p{Ll}IUYH]{1,12}(?=["|:)$])/gu)].map(([ending]) => ending.toLowerCase());
  return [...new Set(found)];
}

const plain = (text: string): string => text.replaceAll('\u00df', 'ss').normalize('NFD').replaceAll(/\p{M}/gu, '');

describe('what every word of a stem begins with', () => {
  test.each([
    ['running', 'en', 'run'],
    ['sensibility', 'en', 'sensib'],
    ['happiness', 'en', 'happ'],
    ['lakes', 'en', 'lak'],
    ['Stra\u00dfen', 'de', 'strass'],
    ['chevaux', 'fr', 'cheva'],
    ['heureuse', 'fr', 'heureu'],
    ['publicit\u00e9s', 'fr', 'publi'],
    ['patiemment', 'fr', 'patie'],
    ['parlarle', 'it', 'parl'],
    ['ocorr\u00eancia', 'pt', 'ocorren'],
  ])('%s (%s): %s', (word, language, beginning) => {
    const [stem = ''] = analyzerOf(language)(word);
    expect(sureBeginning(stem, language)).toBe(beginning);
  });

  test.each([
    ['english', 'en', 60],
    ['german', 'de', 25],
    ['french', 'fr', 150],
    ['spanish', 'es', 180],
    ['italian', 'it', 180],
    ['portuguese', 'pt', 170],
  ])('is one, whatever the stemmer replaces: %s', (name, language, least) => {
    const endings = [...endingsOf(name), 's', 'y', 'e', 'ing', 'ed', 'ies', 'ly'];
    expect(endings.length).toBeGreaterThan(least);
    const ending = fc.constantFrom('', ...endings, ...LETTERS);
    const word = fc
      .tuple(fc.array(fc.constantFrom(...LETTERS), { maxLength: 5 }), ending, ending, ending, fc.constantFrom('', '', "'s", '\u2019s'))
      .map(([start, ...rest]) => start.join('') + rest.join(''));
    const analyze = analyzerOf(language);
    let changed = 0;
    fc.assert(
      fc.property(word, (one) => {
        for (const [stem = ''] of [analyze(one)]) {
          const beginning = sureBeginning(stem, language);
          changed += stem === beginning ? 0 : 1;
          expect(plain(one).startsWith(plain(beginning)), `${one}: ${stem}`).toBe(true);
        }
      }),
      { seed, numRuns },
    );
    expect(changed > 0).toBe(language !== 'de');
  });
});
