import fc from 'fast-check';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { analyzerLanguage, analyzerOf } from '../../../../src/query/functions/full-text/analyzer.ts';
import { sureBeginning } from '../../../../src/query/functions/full-text/sure-beginning.ts';
import { TEXT_WORDS, textWords, textWordsFunction, wordsLookup } from '../../../../src/stores/postgres/indexes/text-words.ts';
import { postgresForTests } from '../../../support/postgres.ts';

const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261130);

const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt'];

/** The entries of a text, and all their beginnings. */
function entriesOf(text: string): { readonly entries: ReadonlySet<string>; readonly beginnings: ReadonlySet<string> } {
  const entries = new Set(textWords(text).map((word) => word.text));
  const beginnings = new Set([...entries].flatMap((entry) => Array.from(entry, (_, at) => entry.slice(0, at + 1))));
  return { entries, beginnings };
}

/** The words that the analyzer finds in a text, and that would not be found by its entries. */
function missed(text: string, language: string): readonly string[] {
  const { entries, beginnings } = entriesOf(text);
  return analyzerOf(language)(text).filter((stem) => {
    const terms = wordsLookup([sureBeginning(stem, language)])?.split(' & ') ?? [];
    return !terms.every((term) => {
      const [, word = '', open] = /^'(.*)'(:\*)?$/u.exec(term) ?? [];
      return (open === undefined ? entries : beginnings).has(word);
    });
  });
}

/** Code points without the many ideographs and syllables that are all alike; of those above U+FFFF, which have no entries, some. */
const POINTS = Array.from({ length: 0x2_ff_ff }, (_, point) => point).filter(
  (point) =>
    (point > 0 && point < 0x3500) ||
    (point > 0x9f00 && point < 0xac10) ||
    (point > 0xd7a0 && point < 0xd800) ||
    (point > 0xf8ff && point < 0x10000) ||
    (point > 0x10000 && point % (numRuns > 400 ? 1 : 37) === 0),
);

/** Texts in which each code point stands at the beginning, in the middle, at the end and alone; the letters around it are those of its number. */
function* blocks(): Generator<string> {
  for (let start = 0; start < POINTS.length; start += 500) {
    yield POINTS.slice(start, start + 500)
      .map((point) => {
        const [character, number] = [String.fromCodePoint(point), `q${point.toString(36)}`];
        return `${character}u${number} v${number}${character}w${number} x${number}${character}, ${character} `;
      })
      .join('');
  }
}

const PIECES = [
  'river', 'Rivers', 'RUN', "don't", 'l\u2019eau', 'Stra\u00dfe', 'STRASSE', '\u1e9e', '\u00e9t\u00e9', 'e\u0301te\u0301', '\u0130', '\u212a', '\u03a3\u03a3', '\u03c3\u03c2',
  '\u041c\u043e\u0441', '\u6771\u4eac', '\u30bf\u30ef\u30fc', '\u304b\u3099', '\ud55c\uae00', '\u1112\u1161\u11ab', '\u0627\u0653', '\u05e9\u05c1', 'U.S.', '3,5', 'a_b', '_', "'s", '\u2019', '\u0301',
  '\u0338', '=', '\u0323\u0307', '\u037e', '\ud83d\ude00', '\u200d', '\u00ad', '\ufb01', '\uff21', '\u2167', '\u00bd', 'w'.repeat(70), ' ', ' ', ' ', '-', '\u00a0', '\n', '.', ',',
]; // prettier-ignore
const text = fc
  .array(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...PIECES) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) }),
    {
      maxLength: 16,
    },
  )
  .map((pieces) =>
    pieces
      .join('')
      .replaceAll('\u0000', ' ')
      .replaceAll(/\p{Cs}/gu, ' '),
  );

describe('the entries of a text', () => {
  test('lead to every word that the analyzer finds in it, of whatever code points', () => {
    for (const block of blocks()) {
      expect(missed(block, 'en')).toEqual([]);
    }
  });

  test('lead to every word that the analyzer finds in it, in each language', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...LANGUAGES), (one, language) => {
        expect(missed(one, analyzerLanguage(language))).toEqual([]);
      }),
      { seed, numRuns: numRuns * 3 },
    );
  });

  test.each([
    ['running', 'en', "'run':*"],
    ['foo_bar', 'en', "'foo' & 'bar':*"],
    ['\u6771\u4eac', 'en', "'\u6771' & '\u4eac'"],
    ['Stra\u00dfen', 'de', "'strass':*"],
    ['w'.repeat(40), 'en', `'${'w'.repeat(16)}'`],
    ['\u0e20\u0e32\u0e29\u0e32', 'en', undefined],
    ['x', 'de', undefined],
  ])('are looked up by what is sure of a word: %s (%s)', (words, language, lookup) => {
    expect(wordsLookup(analyzerOf(language)(words).map((word) => sureBeginning(word, language)))).toBe(lookup);
  });
});

describe('PostgreSQL', () => {
  let client: pg.Client | undefined;
  let schema = '';
  afterAll(async () => {
    await client?.query(`DROP SCHEMA ${schema} CASCADE`);
    await client?.end();
  });

  async function entries(one: string): Promise<readonly string[]> {
    if (client === undefined) {
      const { url, freshSchema } = await postgresForTests();
      schema = freshSchema();
      client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(`CREATE SCHEMA ${schema}`);
      await client.query(textWordsFunction(schema));
    }
    const { rows } = await client.query<{ words: readonly string[] }>(
      `SELECT tsvector_to_array(${schema}.${TEXT_WORDS}($1::jsonb)) AS words`,
      [JSON.stringify(one)],
    );
    return rows[0]?.words.toSorted() ?? [];
  }

  const expected = (one: string): readonly string[] => [...new Set(textWords(one).map((word) => word.text))].toSorted();

  test('makes the same entries, of whatever code points', async () => {
    for (const block of blocks()) {
      expect(await entries(block)).toEqual(expected(block));
    }
  });

  test('makes the same entries of random texts, whatever the settings', async () => {
    await entries('');
    for (const setting of ['on', 'off']) {
      await client?.query(`SET standard_conforming_strings = ${setting}`);
      await fc.assert(
        fc.asyncProperty(text, async (one) => {
          expect(await entries(one)).toEqual(expected(one));
        }),
        { seed, numRuns: Math.ceil(numRuns / 8) },
      );
    }
  });

  test.each([
    ['marks in an order that has to be turned', 'a'.concat('\u0301\u0323'.repeat(100_000)), ['a']],
    ['marks of another script', 'a'.concat('\u05b0\u0591'.repeat(100_000)), ['a']],
    ['one long word', 'x'.repeat(300_000), ['x'.repeat(16)]],
    ['many different words', Array.from({ length: 20_001 }, (_, at) => `w${at}`).join(' '), ['*']],
    ['different words as they come', Array.from({ length: 40_000 }, (_, at) => `w${at % 3}`).join(' '), ['w0', 'w1', 'w2']],
  ])('bears a hostile text: %s', async (_, one, words) => {
    expect(await entries(one)).toEqual(words);
  });
});
