import { PerigeeError } from '../../core/errors.ts';
import { findText } from '../functions/string/find-text.ts';

/** Characters of a text that one LIKE may compare with characters of its pattern, sets counted by their ranges. */
const MAX_COMPARISONS = 50_000_000;

/** A set of characters: `[a-cx]`, or with `negated` all but these. */
interface CharacterSet {
  readonly negated: boolean;
  /** Pairs of code points, both included. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/** One character of a pattern: itself (a code point), any (`_`), or one of a set. */
type Element = number | 'any' | CharacterSet;

function accepts(element: Element, codePoint: number): boolean {
  if (element === 'any') {
    return true;
  }
  if (typeof element === 'number') {
    return element === codePoint;
  }
  return element.ranges.some(([from, to]) => codePoint >= from && codePoint <= to) !== element.negated;
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}

/** Reads a pattern one character at a time, taking the escape character out. */
class PatternReader {
  readonly #points: readonly number[];
  readonly #escape: number | undefined;
  position = 0;
  /** Whether it is known that no bracket is closed from here on, so that nobody looks again. */
  hasNoClose = false;

  constructor(pattern: string, escape: string | undefined) {
    this.#points = codePoints(pattern);
    this.#escape = escape?.codePointAt(0);
  }

  get atEnd(): boolean {
    return this.position >= this.#points.length;
  }

  /** The next character, and whether it was escaped. A final escape character stands for itself. */
  next(): { readonly point: number; readonly literal: boolean } {
    const point = this.#points[this.position] as number;
    this.position += 1;
    if (point !== this.#escape || this.atEnd) {
      return { point, literal: false };
    }
    const escaped = this.#points[this.position] as number;
    this.position += 1;
    return { point: escaped, literal: true };
  }
}

const PERCENT = 0x25;
const UNDERSCORE = 0x5f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;

/** The characters between brackets; undefined, with nothing read, where the closing one is missing. */
function readSet(reader: PatternReader): CharacterSet | undefined {
  if (reader.hasNoClose) {
    return undefined;
  }
  const start = reader.position;
  const items: { readonly point: number; readonly literal: boolean }[] = [];
  while (!reader.atEnd) {
    const item = reader.next();
    if (item.point === CLOSE && !item.literal) {
      return setOf(items);
    }
    items.push(item);
  }
  reader.position = start;
  reader.hasNoClose = true;
  return undefined;
}

function setOf(items: readonly { readonly point: number; readonly literal: boolean }[]): CharacterSet {
  const negated = items[0]?.point === CARET && !items[0].literal;
  const ranges: (readonly [number, number])[] = [];
  for (let index = negated ? 1 : 0; index < items.length; index += 1) {
    const from = (items[index] as { point: number }).point;
    const dash = items[index + 1];
    const to = items[index + 2];
    if (dash !== undefined && dash.point === DASH && !dash.literal && to !== undefined) {
      ranges.push([from, to.point]);
      index += 2;
    } else {
      ranges.push([from, from]);
    }
  }
  return { negated, ranges };
}

/** The runs of a pattern between its `%`. */
function parsePattern(pattern: string, escape: string | undefined): Element[][] {
  const reader = new PatternReader(pattern, escape);
  const runs: Element[][] = [[]];
  while (!reader.atEnd) {
    const { point, literal } = reader.next();
    const run = runs.at(-1) as Element[];
    if (literal) {
      run.push(point);
    } else if (point === PERCENT) {
      runs.push([]);
    } else if (point === UNDERSCORE) {
      run.push('any');
    } else {
      run.push(point === OPEN ? (readSet(reader) ?? point) : point);
    }
  }
  return runs;
}

function literalText(run: readonly Element[]): string | undefined {
  return run.every((element) => typeof element === 'number') ? run.map((point) => String.fromCodePoint(point)).join('') : undefined;
}

/** A pattern without `_` and sets: the pieces are found one after the other, so the time is linear. */
function literalMatcher(pieces: readonly string[]): (text: string) => boolean {
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  if (pieces.length === 1) {
    return (text) => text === first;
  }
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) {
      return false;
    }
    let position = first.length;
    for (const piece of middle) {
      const found = findText(text, piece, position);
      if (found < 0) {
        return false;
      }
      position = found + piece.length;
    }
    return position <= text.length - last.length;
  };
}

/** A run, and how much the comparison of a character with one of its elements takes at most. */
interface Run {
  readonly elements: readonly Element[];
  readonly weight: number;
}

function weighed(elements: readonly Element[]): Run {
  return {
    elements,
    weight: elements.reduce<number>((most, element) => (typeof element === 'object' ? Math.max(most, element.ranges.length) : most), 1),
  };
}

/** A text as code points, and how much it was compared. */
class Subject {
  readonly points: readonly number[];
  #left = MAX_COMPARISONS;

  constructor(text: string) {
    this.points = codePoints(text);
  }

  /** @throws QUERY_LIMIT */
  matchesAt({ elements, weight }: Run, position: number): boolean {
    const { points } = this;
    let index = 0;
    while (index < elements.length && accepts(elements[index] as Element, points[position + index] as number)) {
      index += 1;
    }
    this.#left -= (index + 1) * weight;
    if (this.#left < 0) {
      throw new PerigeeError(
        'QUERY_LIMIT',
        `Cannot run the query: LIKE met a pattern and a text that are too long together, over ${MAX_COMPARISONS} comparisons. Shorten the pattern.`,
      );
    }
    return index === elements.length;
  }
}

/** Any pattern, over code points. The first place of a run is the best one, so nothing is tried twice: time is text times longest run. */
function generalMatcher(runs: readonly (readonly Element[])[]): (text: string) => boolean {
  const first = weighed(runs[0] as readonly Element[]);
  const last = weighed(runs.at(-1) as readonly Element[]);
  const middle = runs.slice(1, -1).map(weighed);
  return (text) => {
    const subject = new Subject(text);
    const { length } = subject.points;
    if (runs.length === 1) {
      return length === first.elements.length && subject.matchesAt(first, 0);
    }
    const end = length - last.elements.length;
    if (end < first.elements.length || !subject.matchesAt(first, 0) || !subject.matchesAt(last, end)) {
      return false;
    }
    let position = first.elements.length;
    for (const run of middle) {
      while (position + run.elements.length <= end && !subject.matchesAt(run, position)) {
        position += 1;
      }
      position += run.elements.length;
      if (position > end) {
        return false;
      }
    }
    return true;
  };
}

/**
 * Compiles a LIKE pattern: `%` any run, `_` one character, `[a-f]` one of, `[^a-f]` none of, and the escape character, if there is one,
 * makes the next character literal. A bracket that is never closed stands for itself.
 *
 * The match covers the whole text and minds case. Characters are code points. It throws QUERY_LIMIT where pattern and text are too long together.
 */
export function compileLikePattern(pattern: string, escape: string | undefined): (text: string) => boolean {
  const runs = parsePattern(pattern, escape);
  const pieces: string[] = [];
  for (const run of runs) {
    const text = literalText(run);
    if (text === undefined) {
      return generalMatcher(runs);
    }
    pieces.push(text);
  }
  return literalMatcher(pieces);
}
