import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { splitWords } from './split-words.ts';
import { ENGLISH_STOP_WORDS } from './stop-words.ts';

/** Makes the searchable words of a text: split, in lower case, without stop words, stemmed. Equal texts give equal words, on every platform. */
export type Analyzer = (text: string) => readonly string[];

interface LanguageRules {
  readonly stem: (word: string) => string;
  readonly stopWords: ReadonlySet<string>;
  /** Whether an apostrophe ends a word, as in `l'eau`. */
  readonly splitsApostrophes: boolean;
}

const NO_STOP_WORDS: ReadonlySet<string> = new Set();

const RULES: ReadonlyMap<string, LanguageRules> = new Map([
  ['de', { stem: german, stopWords: NO_STOP_WORDS, splitsApostrophes: false }],
  ['en', { stem: english, stopWords: ENGLISH_STOP_WORDS, splitsApostrophes: false }],
  ['es', { stem: spanish, stopWords: NO_STOP_WORDS, splitsApostrophes: false }],
  ['fr', { stem: french, stopWords: NO_STOP_WORDS, splitsApostrophes: true }],
  ['it', { stem: italian, stopWords: NO_STOP_WORDS, splitsApostrophes: true }],
  ['pt', { stem: portuguese, stopWords: NO_STOP_WORDS, splitsApostrophes: false }],
]);

/** The language of a text whose policy names none. */
export const DEFAULT_LANGUAGE = 'en-US';

/** Longer ones are no words of a language, and stemmers are written for words. */
const MAX_STEMMED_LENGTH = 64;
const MAX_REMEMBERED_WORDS = 20_000;
const MAX_REMEMBERED_TEXTS = 8;
/** Of texts above this the last one only is remembered. */
const MAX_REMEMBERED_LENGTH = 100_000;

/** Remembers results by text, and forgets all of them when there are too many. */
function remembering<T>(compute: (text: string) => T, most: number): (text: string) => T {
  const known = new Map<string, T>();
  let large: { readonly text: string; readonly result: T } | undefined;
  return (text) => {
    if (text.length > MAX_REMEMBERED_LENGTH) {
      large = large?.text === text ? large : { text, result: compute(text) };
      return large.result;
    }
    const found = known.get(text);
    if (found !== undefined) {
      return found;
    }
    const computed = compute(text);
    if (known.size >= most) {
      known.clear();
    }
    known.set(text, computed);
    return computed;
  };
}

function createAnalyzer(rules: LanguageRules): Analyzer {
  const { stem, stopWords, splitsApostrophes } = rules;
  const possessive = splitsApostrophes ? undefined : "'s";
  const normalise = (word: string): string => {
    if (stopWords.has(word)) {
      return '';
    }
    const bare = possessive !== undefined && word.endsWith(possessive) ? word.slice(0, -possessive.length) : word;
    return bare.length > MAX_STEMMED_LENGTH ? bare : stem(bare);
  };
  const stemmed = remembering(normalise, MAX_REMEMBERED_WORDS);
  const analyze: Analyzer = (text) => splitWords(text, splitsApostrophes).flatMap((word) => stemmed(word) || []);
  // One document is asked for several terms in a row, and scored after it is filtered.
  return remembering(analyze, MAX_REMEMBERED_TEXTS);
}

/** Says how words are made. It changes with whatever changes them, so that an index of such words is made anew. */
export const ANALYZER_FORM = 'words 2';

const analyzers = new Map<string, Analyzer>();

/** The language whose rules hold for a tag such as `en-US`: only its first part counts. Texts in a language without rules are read as English. */
export function analyzerLanguage(tag: string = DEFAULT_LANGUAGE): string {
  const language = tag.toLowerCase().split('-')[0] ?? '';
  return RULES.has(language) ? language : 'en';
}

/** The analyzer of a language tag; English, French, German, Italian, Portuguese and Spanish have rules of their own. */
export function analyzerOf(tag?: string): Analyzer {
  const language = analyzerLanguage(tag);
  const known = analyzers.get(language);
  if (known !== undefined) {
    return known;
  }
  const created = createAnalyzer(RULES.get(language) as LanguageRules);
  analyzers.set(language, created);
  return created;
}
