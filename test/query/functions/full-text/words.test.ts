import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyzerOf } from '../../../../src/query/functions/full-text/analyzer.ts';
import { isWithinDistance } from '../../../../src/query/functions/full-text/edit-distance.ts';
import { splitWords } from '../../../../src/query/functions/full-text/split-words.ts';
import { ENGLISH_STOP_WORDS } from '../../../../src/query/functions/full-text/stop-words.ts';

describe('the words of a text', () => {
  test.each([
    ['Hello, World!', ['hello', 'world']],
    ['  --  ', []],
    ['state-of-the-art', ['state', 'of', 'the', 'art']],
    ["don't 'quoted'", ["don't", 'quoted']],
    ['don’t', ["don't"]],
    ['U.S. e.g. end.', ['u.s', 'e.g', 'end']],
    ['1,234.56 and 3;4', ['1,234.56', 'and', '3;4']],
    ['a,b', ['a', 'b']],
    ['foo_bar _x_', ['foo_bar', 'x_']],
    ['ÉCOLE e\u0301cole', ['école', 'école']],
    ['東京タワー', ['東', '京', 'タワー']],
    ['x² 😀 ½', ['x²', '½']],
    ['أحمد 2024', ['أحمد', '2024']],
  ])('%s', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  test('end at an apostrophe in languages that elide', () => {
    expect(analyzerOf('fr-FR')("L'eau d’été")).toEqual(['l', 'eau', 'd', 'été']);
    expect(splitWords("l'eau")).toEqual(["l'eau"]);
  });

  test('have letters and digits, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, splits) => {
        for (const word of splitWords(text, splits)) {
          expect(word).toMatch(/^[\p{L}\p{N}]/u);
          expect(word).toBe(word.toLowerCase());
        }
      }),
      { seed: 11 },
    );
  });

  test.each(["a'".repeat(200_000), `a${'\u0301'.repeat(400_000)}`, "'".repeat(400_000), '_'.repeat(400_000), '1.'.repeat(200_000)])(
    'are found at once in a hostile text (%#)',
    (text) => {
      const start = performance.now();
      splitWords(text);
      expect(performance.now() - start).toBeLessThan(1000);
    },
  );
});

describe('an analyzer', () => {
  test.each([
    ['en-US', 'The runners were running past houses', ['runner', 'run', 'past', 'hous']],
    ['en', "John's dogs don't bark", ['john', 'dog', 'bark']],
    ['de-DE', 'Die Häuser der Läufer', ['die', 'haus', 'der', 'lauf']],
    ['fr-FR', 'les chevaux', ['le', 'cheval']],
    ['es-ES', 'corriendo', ['corr']],
    ['xx-YY', 'running', ['run']],
  ])('of %s', (language, text, words) => {
    expect(analyzerOf(language)(text)).toEqual(words);
  });

  test('knows English by default and leaves its stop words out', () => {
    expect(analyzerOf()([...ENGLISH_STOP_WORDS].join(' '))).toEqual([]);
    expect(ENGLISH_STOP_WORDS.size).toBeGreaterThan(500);
  });

  test('gives the same words again', () => {
    fc.assert(
      fc.property(fc.lorem(), (text) => {
        const first = [...analyzerOf()(text)];
        expect(analyzerOf()(text)).toEqual(first);
        expect(analyzerOf()(text.toUpperCase())).toEqual(first);
      }),
      { seed: 12 },
    );
  });

  test('takes what is no word of a language as it is', () => {
    const long = 'running'.repeat(50);
    expect(analyzerOf()(long)).toEqual([long]);
    expect(analyzerOf()('__proto__ constructor')).toEqual(['proto__', 'constructor']);
  });
});

/** The distance of Levenshtein by the whole table. */
function distance(left: string, right: string): number {
  const table = Array.from({ length: left.length + 1 }, (_, row) =>
    Array.from({ length: right.length + 1 }, (_unused, column) => row + column),
  );
  for (let row = 1; row <= left.length; row += 1) {
    for (let column = 1; column <= right.length; column += 1) {
      const at = (up: number, back: number): number => table[row - up]?.[column - back] ?? 0;
      (table[row] as number[])[column] = Math.min(at(1, 1) + (left[row - 1] === right[column - 1] ? 0 : 1), at(1, 0) + 1, at(0, 1) + 1);
    }
  }
  return table[left.length]?.[right.length] ?? 0;
}

test('isWithinDistance agrees with the whole table', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 3 }), (left, right, most) => {
      expect(isWithinDistance(left, right, most)).toBe(distance(left, right) <= most);
    }),
    { seed: 13, numRuns: 2000 },
  );
});

test('a text of marks alone is split at once, and few marks are put in order as ever', () => {
  // Before, 48 seconds in which nothing else ran.
  const text = `e${'\u0301\u0323'.repeat(100_000)} end`;
  expect(splitWords(text).at(-1)).toBe('end');
  expect(splitWords(`a\u0301\u0323 ${'\u0301'.repeat(29)}`)).toEqual(splitWords(`a\u0323\u0301 ${'\u0301'.repeat(29)}`));
});
