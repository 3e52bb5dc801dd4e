import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import type { Analyzer } from './analyzer.ts';
import { isWithinDistance } from './edit-distance.ts';

/**
 * What a call of a full text function looks for: one word, or several that stand side by side (a phrase). In a fuzzy term each word may differ
 * by so many edits.
 */
export interface SearchTerm {
  /** As the analyzer gives them; none where the term has stop words and punctuation only: then nothing is found. */
  readonly words: readonly string[];
  readonly distance: number;
}

/** The most edits of a fuzzy term, and the most words: each is compared with every word of a text. */
const MAX_FUZZY_DISTANCE = 2;
const MAX_FUZZY_WORDS = 4;

/**
 * Reads a term: a text, or `{"term": "text", "distance": 1}` for a fuzzy one (distance 0 to 2, 0 when it is absent; four words at most); undefined
 * for anything else.
 */
export function readTerm(value: JsonValue | undefined, analyze: Analyzer): SearchTerm | undefined {
  if (typeof value === 'string') {
    return { words: analyze(value), distance: 0 };
  }
  if (!isJsonObject(value) || typeof value['term'] !== 'string') {
    return undefined;
  }
  const distance = value['distance'] ?? 0;
  const words = analyze(value['term']);
  const isDistance = typeof distance === 'number' && Number.isInteger(distance) && distance >= 0 && distance <= MAX_FUZZY_DISTANCE;
  return isDistance && (distance === 0 || words.length <= MAX_FUZZY_WORDS) ? { words, distance } : undefined;
}

/** Words of shorter texts are compared one by one, which is faster than counting all of them. */
const COUNTED_LENGTH = 1000;

const known = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** How often each word stands in a text; counted once for a text. */
function wordCounts(text: readonly string[]): ReadonlyMap<string, number> {
  const found = known.get(text);
  if (found !== undefined) {
    return found;
  }
  const counts = new Map<string, number>();
  for (const word of text) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  known.set(text, counts);
  return counts;
}

function countWord(text: readonly string[], word: string): number {
  if (text.length >= COUNTED_LENGTH) {
    return wordCounts(text).get(word) ?? 0;
  }
  let count = 0;
  for (const one of text) {
    count += one === word ? 1 : 0;
  }
  return count;
}

/** For each beginning of a phrase, how many of its first words are also its last ones (Knuth, Morris and Pratt). */
function overlaps(phrase: readonly string[]): readonly number[] {
  const lengths = [0];
  let length = 0;
  for (let index = 1; index < phrase.length; index += 1) {
    while (length > 0 && phrase[index] !== phrase[length]) {
      length = lengths[length - 1] as number;
    }
    length += phrase[index] === phrase[length] ? 1 : 0;
    lengths.push(length);
  }
  return lengths;
}

/** How often a phrase stands in a text, in time that grows with the two together, whatever they hold. */
function countPhrase(text: readonly string[], phrase: readonly string[]): number {
  const lengths = overlaps(phrase);
  let matched = 0;
  let count = 0;
  for (const word of text) {
    while (matched > 0 && word !== phrase[matched]) {
      matched = lengths[matched - 1] as number;
    }
    matched += word === phrase[matched] ? 1 : 0;
    if (matched === phrase.length) {
      count += 1;
      matched = lengths[matched - 1] as number;
    }
  }
  return count;
}

function countFuzzy(text: readonly string[], { words, distance }: SearchTerm): number {
  let count = 0;
  for (let start = 0; start + words.length <= text.length; start += 1) {
    if (words.every((word, offset) => isWithinDistance(text[start + offset] as string, word, distance))) {
      count += 1;
    }
  }
  return count;
}

/** How often a term stands in a text, in words. */
export function countTerm(text: readonly string[], term: SearchTerm): number {
  const { words, distance } = term;
  const [first] = words;
  if (first === undefined) {
    return 0;
  }
  if (distance > 0) {
    return countFuzzy(text, term);
  }
  if (words.length === 1) {
    return countWord(text, first);
  }
  return words.length <= text.length && words.every((word) => countWord(text, word) > 0) ? countPhrase(text, words) : 0;
}

/** Whether a term stands in a text. */
export function hasTerm(text: readonly string[], term: SearchTerm): boolean {
  return countTerm(text, term) > 0;
}
