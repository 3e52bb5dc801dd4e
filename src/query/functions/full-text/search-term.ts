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

/** The most edits of a fuzzy term. */
export const MAX_FUZZY_DISTANCE = 2;

/**
 * Reads a term: a text, or `{"term": "text", "distance": 1}` for a fuzzy one (distance 0 to 2, 0 when it is absent); undefined for anything
 * else.
 */
export function readTerm(value: JsonValue | undefined, analyze: Analyzer): SearchTerm | undefined {
  if (typeof value === 'string') {
    return { words: analyze(value), distance: 0 };
  }
  if (!isJsonObject(value) || typeof value['term'] !== 'string') {
    return undefined;
  }
  const distance = value['distance'] ?? 0;
  return typeof distance === 'number' && Number.isInteger(distance) && distance >= 0 && distance <= MAX_FUZZY_DISTANCE
    ? { words: analyze(value['term']), distance }
    : undefined;
}

/** How often a term stands in a text. */
export function countTerm(text: readonly string[], { words, distance }: SearchTerm): number {
  const equal = distance === 0 ? (left: string, right: string): boolean => left === right : isWithin(distance);
  const [first] = words;
  if (first === undefined) {
    return 0;
  }
  let count = 0;
  for (let start = 0; start + words.length <= text.length; start += 1) {
    if (equal(text[start] as string, first) && words.every((word, offset) => equal(text[start + offset] as string, word))) {
      count += 1;
    }
  }
  return count;
}

function isWithin(distance: number): (left: string, right: string) => boolean {
  return (left, right) => isWithinDistance(left, right, distance);
}

/** Whether a term stands in a text. */
export function hasTerm(text: readonly string[], term: SearchTerm): boolean {
  const { words, distance } = term;
  return words.length === 1 && distance === 0 ? text.includes(words[0] as string) : countTerm(text, term) > 0;
}
