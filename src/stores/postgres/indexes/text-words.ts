/**
 * The words of a text as PostgreSQL makes them for an index, and as they are looked up.
 *
 * They are coarser than those of the analyzer, and cut short, so that a document in which the analyzer finds a word always has the entry that is looked up.
 * A letter below is one of `LETTERS` or `SINGLES`, in lower case and without marks, and everything else stands between words. It need not be all that are letters:
 * what stands between words on both sides only makes an entry tell less. But nothing that ends a word for the analyzer may be a letter here.
 */

/** Words longer than this have their beginning in the index. */
const MAX_LETTERS = 16;

/** A text with more different words than these has {@link ANY_WORD} in their place: PostgreSQL holds about a megabyte of them. */
const MAX_WORDS = 20_000;

/** Stands for every word. */
const ANY_WORD = '*';

/** Marks above, below and through letters, which NFD sets apart. The last two are those of Japanese. */
const MARKS = '\u0300-\u036f\u3099\u309a';

/** Digits, Latin, Greek, Cyrillic, Hebrew, Arabic, Hangul (which NFD takes apart) and Katakana. */
const LETTERS =
  'a-z0-9\u03b1-\u03c1\u03c3-\u03c9\u0430-\u045f\u05d0-\u05ea\u0620-\u064a\u0671-\u06d3\u1100-\u11ff\u30a1-\u30fa\u30fc-\u30fe';

/** Han and Hiragana: each is a word. */
const SINGLES = '\u3005\u3007\u3041-\u3096\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff';

/**
 * All of which NFD makes any of these, beside ASCII. None is a mark: NFD puts marks that follow each other in order, in a time that grows with the square of their
 * number, so that a text of nothing else would keep a write for minutes.
 */
const COMPOSED = `\u00c0-\u024f\u0370-\u0481\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u0671-\u06d3\u1100-\u11ff\u1e00-\u1fff\u2126\u212a\u212b${SINGLES}\u30a1-\u30fa\u30fc-\u30fe\uac00-\ud7a3\uf900-\ufaff\ufb1d\ufb2a-\ufb4e\u{2f800}-\u{2fa1f}`;

/** Letters of two cases beyond `A` to `Z`, and the sigma at the end of words. */
const CASES: readonly (readonly [first: number, last: number, lower: number])[] = [
  [0x391, 0x3a1, 0x3b1],
  [0x3a3, 0x3a9, 0x3c3],
  [0x3c2, 0x3c2, 0x3c3],
  [0x3f4, 0x3f4, 0x3b8],
  [0x400, 0x40f, 0x450],
  [0x410, 0x42f, 0x430],
];

const pairs = CASES.flatMap(([first, last, lower]) =>
  Array.from({ length: last - first + 1 }, (_, at): readonly [string, string] => [
    String.fromCharCode(first + at),
    String.fromCharCode(lower + at),
  ]),
);
const UPPER = pairs.map(([upper]) => upper).join('');
const LOWER = pairs.map(([, lower]) => lower).join('');

const MARKS_PATTERN = new RegExp(`[${MARKS}]`, 'gu');
const UPPER_PATTERN = new RegExp(`[A-Z${UPPER}]`, 'gu');
const WORD_PATTERN = new RegExp(`[${LETTERS}]+|[${SINGLES}]`, 'gu');
const SINGLE_PATTERN = new RegExp(`[${SINGLES}]`, 'u');
const lowerOf = new Map(pairs);

/** A word, or the beginning of one. */
export interface TextWord {
  readonly text: string;
  /** Whether it may go on. */
  readonly isOpen: boolean;
}

/** The words of a text that may go on behind its end. */
export function textWords(text: string): readonly TextWord[] {
  const plain = text
    .normalize('NFD')
    .replace(MARKS_PATTERN, '')
    .replaceAll(/[\u00df\u1e9e]/gu, 'ss')
    .replace(UPPER_PATTERN, (letter) => lowerOf.get(letter) ?? letter.toLowerCase());
  return Array.from(plain.matchAll(WORD_PATTERN), ({ 0: word, index }) => {
    const isOpen = index + word.length === plain.length && word.length < MAX_LETTERS && !SINGLE_PATTERN.test(word);
    return { text: word.slice(0, MAX_LETTERS), isOpen };
  });
}

/** One letter leads to about as many documents as there are. */
const MIN_BEGINNING = 2;
/** More words of a phrase add nothing, and nor does more of a word. */
const MAX_PHRASE_WORDS = 16;
const MAX_UNITS = 64;

/**
 * What is looked up for words that all stand in a text, as PostgreSQL writes it (`tsquery`); undefined where it would be nothing.
 *
 * @param beginnings how each of the words begins
 */
export function wordsLookup(beginnings: readonly string[]): string | undefined {
  const first = beginnings.slice(0, 2 * MAX_PHRASE_WORDS).map((one) => one.slice(0, MAX_UNITS));
  const known = first.flatMap((one) => textWords(one)).filter(({ text, isOpen }) => !isOpen || text.length >= MIN_BEGINNING);
  const terms = [...new Set(known.map(({ text, isOpen }) => `'${text}'${isOpen ? ':*' : ''}`))];
  return terms.length === 0 ? undefined : terms.slice(0, MAX_PHRASE_WORDS).join(' & ');
}

/** {@link wordsLookup} for one of several. */
export function anyLookup(lookups: readonly string[]): string {
  return [...lookups.map((one) => `(${one})`), `'${ANY_WORD}'`].join(' | ');
}

/** Names the function of {@link textWordsFunction}. */
export const TEXT_WORDS = 'text_words';

/** A part of a pattern between `E'` and `'`. */
function escaped(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/gu, (character) => {
    const digits = (character.codePointAt(0) as number).toString(16);
    return digits.length > 4 ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
  });
}

/**
 * The function of the catalogue that makes the words of a text; NULL for what is no text. Part of a migration, so never to be changed: an index of another
 * meaning needs a function of another name.
 *
 * It raises no error whatever the text, and is the same whatever the settings, the collation and the version of PostgreSQL: what NFD makes of letters never
 * changes, and `lower` knows `A` to `Z` alone in the collation C. Most separators are single blanks, which need not be replaced. What it costs
 * was measured, 0.3 ms for 2 kB, so that PostgreSQL does not compute it for many documents where an index has it.
 */
export function textWordsFunction(s: string): string {
  return `CREATE FUNCTION ${s}.${TEXT_WORDS}(value jsonb) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 8000 AS $$
DECLARE
  words text COLLATE "C";
  found text[];
BEGIN
  IF jsonb_typeof(value) <> 'string' THEN
    RETURN NULL;
  END IF;
  words := value #>> '{}';
  IF octet_length(words) = length(words) THEN
    words := regexp_replace(lower(words), '[^a-z0-9 ]+', ' ', 'g');
  ELSE
    words := regexp_replace(words, E'[${escaped(MARKS)}]+', '', 'g');
    words := regexp_replace(words, E'[^A-Za-z0-9${escaped(COMPOSED)} ]+', ' ', 'g');
    words := regexp_replace(normalize(words, NFD), E'[${escaped(MARKS)}]+', '', 'g');
    words := lower(replace(replace(words, E'\\u00df', 'ss'), E'\\u1e9e', 'ss'));
    IF words ~ E'[\\u0370-\\u04ff]' THEN
      words := translate(words, E'${escaped(UPPER)}', E'${escaped(LOWER)}');
    END IF;
    words := regexp_replace(words, E'[^${escaped(`${LETTERS}${SINGLES}`)} ]+', ' ', 'g');
    IF words ~ E'[${escaped(SINGLES)}]' THEN
      words := regexp_replace(words, E'([${escaped(SINGLES)}])', E' \\\\1 ', 'g');
    END IF;
  END IF;
  found := array_remove(string_to_array(words, ' '), '');
  IF words ~ '[^ ]{${MAX_LETTERS + 1}}' OR cardinality(found) > ${MAX_WORDS} THEN
    found := ARRAY(SELECT DISTINCT left(word, ${MAX_LETTERS}) FROM unnest(found) AS word LIMIT ${MAX_WORDS + 1});
    IF cardinality(found) > ${MAX_WORDS} THEN
      found := ARRAY['${ANY_WORD}'];
    END IF;
  END IF;
  RETURN array_to_tsvector(found);
END $$`;
}
