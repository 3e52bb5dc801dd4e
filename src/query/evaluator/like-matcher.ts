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
      const found = text.indexOf(piece, position);
      if (found < 0) {
        return false;
      }
      position = found + piece.length;
    }
    return position <= text.length - last.length;
  };
}

function matchesAt(points: readonly number[], run: readonly Element[], position: number): boolean {
  return run.every((element, index) => accepts(element, points[position + index] as number));
}

/** Any pattern, over code points. The first place of a run is the best one, so nothing is tried twice: time is text times longest run. */
function generalMatcher(runs: readonly (readonly Element[])[]): (text: string) => boolean {
  const first = runs[0] as readonly Element[];
  const last = runs.at(-1) as readonly Element[];
  const middle = runs.slice(1, -1);
  return (text) => {
    const points = codePoints(text);
    if (runs.length === 1) {
      return points.length === first.length && matchesAt(points, first, 0);
    }
    const end = points.length - last.length;
    if (end < first.length || !matchesAt(points, first, 0) || !matchesAt(points, last, end)) {
      return false;
    }
    let position = first.length;
    for (const run of middle) {
      while (position + run.length <= end && !matchesAt(points, run, position)) {
        position += 1;
      }
      position += run.length;
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
 * The match covers the whole text and minds case. Characters are code points.
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
