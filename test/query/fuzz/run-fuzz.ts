import fc from 'fast-check';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { bindQuery } from '../../../src/query/binder/bind-query.ts';
import { functionCatalog } from '../../../src/query/functions/function-table.ts';
import { parseQuery } from '../../../src/query/parser/parse-query.ts';
import type { QueryErrorEntry } from '../../../src/query/query-errors.ts';
import { seededRandom } from '../../../src/core/seeded-random.ts';
import { arbitraryLanguage } from '../differential/arbitrary-language.ts';

/** How the texts of a run ended. */
export interface FuzzCounts {
  texts: number;
  accepted: number;
  refused: Record<string, number>;
  slowestMs: number;
}

const CODES: ReadonlySet<string> = new Set(['QUERY_SYNTAX', 'QUERY_INVALID', 'QUERY_NOT_SUPPORTED', 'QUERY_LIMIT']);
const MAX_MS = 50;

const PIECES: readonly string[] = [
  ...'SELECT VALUE DISTINCT TOP FROM WHERE GROUP BY ORDER RANK OFFSET LIMIT JOIN IN AS AND OR NOT LIKE ESCAPE BETWEEN EXISTS ARRAY ALL FIRST LAST LET UDF udf'.split(
    ' ',
  ),
  ...'( ) [ ] { } , : ? ?? . * + - / % = != <> < <= > >= << >> >>> | || & ^ ~ @ @p # $ \\ ; ` !'.split(' '),
  ...'c r x 1 0 2.5 1e999 0x 0xFF .5 5. 9223372036854775808 "a" \'b\' "\\u00" "\\u0041" \' " -- /* */ null true undefined NaN Infinity'.split(
    ' ',
  ),
  ...'COUNT( SUM( ABS( LEFT( ST_DISTANCE( FULLTEXTSCORE( RRF( VECTORDISTANCE( REGEXMATCH( NOPE( udf.f( (SELECT'.split(' '),
  ' ',
  '\n',
  '\t',
  '\u0000',
  '\u00a0',
  '\u2028',
  '\ufeff',
  'é',
  '😀',
  '\ud800',
  '\udc00',
  '',
];

/** Draws numbers in [0, 1). */
type Random = () => number;

function unitRandom(seed: number): Random {
  const words = seededRandom(seed);
  return () => words() / 2 ** 32;
}

type Mutation = (text: string, random: Random, corpus: readonly string[]) => string;

function place(text: string, random: Random): number {
  return Math.floor(random() * (text.length + 1));
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

const MUTATIONS: readonly Mutation[] = [
  (text, random) => {
    const at = place(text, random);
    return text.slice(0, at) + pick(PIECES, random) + text.slice(at);
  },
  (text, random) => {
    const at = place(text, random);
    return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 8));
  },
  (text, random) => {
    const [from, at] = [place(text, random), place(text, random)];
    return text.slice(0, at) + text.slice(from, from + Math.floor(random() * 20)) + text.slice(at);
  },
  (text, random, corpus) => text.slice(0, place(text, random)) + pick(corpus, random).slice(place(text, random)),
  (text, random) => text.slice(0, place(text, random)),
  (text, random) => text.slice(place(text, random)),
  (text, random) => {
    const at = place(text, random);
    return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x10000)) + text.slice(at + 1);
  },
  (text, random) => {
    const words = text.split(' ');
    const [left, right] = [Math.floor(random() * words.length), Math.floor(random() * words.length)];
    [words[left], words[right]] = [words[right] as string, words[left] as string];
    return words.join(' ');
  },
  (text, random) => text.replace(/[a-z]/giu, (letter) => (random() < 0.5 ? letter.toUpperCase() : letter.toLowerCase())),
  (text, random) => pick(['(', '[', '{"a":', 'NOT ', '-', 'ABS('], random).repeat(Math.floor(random() * 300)) + text,
];

function randomText(random: Random): string {
  const length = Math.floor(random() * 25);
  return Array.from({ length }, () => pick(PIECES, random)).join(random() < 0.7 ? ' ' : '');
}

function nextText(random: Random, corpus: readonly string[]): string {
  if (random() < 0.15) {
    return (random() < 0.5 ? 'SELECT * FROM c WHERE ' : '') + randomText(random);
  }
  let text = pick(corpus, random);
  for (let count = Math.floor(random() * 3); count > 0; count -= 1) {
    text = pick(MUTATIONS, random)(text, random, corpus);
  }
  return text;
}

function checkEntries(text: string, entries: unknown): void {
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new Error('A refusal has no entries.');
  }
  for (const { location, message } of entries as readonly QueryErrorEntry[]) {
    const isInside = location.start >= 0 && location.start <= location.end && location.end <= text.length;
    if (!Number.isInteger(location.start) || !Number.isInteger(location.end) || !isInside || message === '') {
      throw new Error(`A refusal has the place ${JSON.stringify(location)} in a text of ${text.length} characters.`);
    }
  }
}

/** Prepares a text: `undefined` where it is accepted, the error's code where it is refused as it should be. @throws anything else */
export function fuzzOne(text: string): string | undefined {
  try {
    bindQuery(parseQuery(text), text, functionCatalog);
    return undefined;
  } catch (error) {
    if (!isPerigeeError(error) || !CODES.has(error.code)) {
      throw error;
    }
    checkEntries(text, error.details['errors']);
    return error.code;
  }
}

/** The time of the quickest of a few runs, so that a machine that is busy elsewhere is not taken for a slow parser. */
function elapsedMs(text: string): number {
  const times = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    fuzzOne(text);
    return performance.now() - startMs;
  });
  return Math.min(...times);
}

/** Sends random and mutated texts through lexer, parser and binder. @throws Error naming the text that crashed, hung or was refused without a place */
export function runFuzz(texts: number, seed: number, onProgress: (counts: FuzzCounts) => void = () => undefined): FuzzCounts {
  const random = unitRandom(seed);
  const corpus = fc.sample(arbitraryLanguage, { seed, numRuns: 2000 });
  const counts: FuzzCounts = { texts: 0, accepted: 0, refused: {}, slowestMs: 0 };
  for (; counts.texts < texts; counts.texts += 1) {
    const text = nextText(random, corpus);
    const startMs = performance.now();
    let outcome: string | undefined;
    try {
      outcome = fuzzOne(text);
    } catch (cause) {
      throw new Error(`The parser fails on ${JSON.stringify(text)}.`, { cause });
    }
    let took = performance.now() - startMs;
    took = took > MAX_MS / 5 ? elapsedMs(text) : took;
    counts.slowestMs = Math.max(counts.slowestMs, took);
    if (took > MAX_MS) {
      throw new Error(`The parser takes ${took.toFixed(0)} ms for ${JSON.stringify(text)}.`);
    }
    if (outcome === undefined) {
      counts.accepted += 1;
    } else {
      counts.refused[outcome] = (counts.refused[outcome] ?? 0) + 1;
    }
    if (counts.texts % 10_000 === 0) {
      onProgress(counts);
    }
  }
  return counts;
}
