/** Code points from the first to the last. */
export type CodePoints = readonly [first: number, last: number];

/** A set of characters. What is in `cased` is matched in any case where case is ignored; the other members never are. */
export interface CharacterSet {
  readonly negated: boolean;
  readonly cased: readonly CodePoints[];
  readonly fixed: readonly CodePoints[];
  /** General categories, as `\p{Lu}` or `\P{Lu}`. */
  readonly categories: readonly string[];
}

const LAST = 0x10_ff_ff;

const DIGITS: readonly CodePoints[] = [[0x30, 0x39]];
const UPPER: readonly CodePoints[] = [[0x41, 0x5a]];
const LOWER: readonly CodePoints[] = [[0x61, 0x7a]];
const LETTERS: readonly CodePoints[] = [...UPPER, ...LOWER];
const WORD: readonly CodePoints[] = [...DIGITS, ...UPPER, [0x5f, 0x5f], ...LOWER];
const SPACE: readonly CodePoints[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const HORIZONTAL: readonly CodePoints[] = [
  [0x09, 0x09],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x16_80, 0x16_80],
  [0x18_0e, 0x18_0e],
  [0x20_00, 0x20_0a],
  [0x20_2f, 0x20_2f],
  [0x20_5f, 0x20_5f],
  [0x30_00, 0x30_00],
];
const VERTICAL: readonly CodePoints[] = [
  [0x0a, 0x0d],
  [0x85, 0x85],
  [0x20_28, 0x20_29],
];

/** What the letters after a backslash stand for; in capitals, everything else. As in PCRE without its UCP option, only ASCII counts. */
const ESCAPES: Readonly<Record<string, readonly CodePoints[]>> = { d: DIGITS, w: WORD, s: SPACE, h: HORIZONTAL, v: VERTICAL };

const PUNCTUATION: readonly CodePoints[] = [
  [0x21, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0x7e],
];

const POSIX: ReadonlyMap<string, readonly CodePoints[]> = new Map<string, readonly CodePoints[]>([
  ['alpha', LETTERS],
  ['alnum', [...DIGITS, ...LETTERS]],
  ['ascii', [[0, 0x7f]]],
  [
    'blank',
    [
      [0x09, 0x09],
      [0x20, 0x20],
    ],
  ],
  [
    'cntrl',
    [
      [0, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  ['digit', DIGITS],
  ['graph', [[0x21, 0x7e]]],
  ['lower', LOWER],
  ['print', [[0x20, 0x7e]]],
  ['punct', PUNCTUATION],
  ['space', SPACE],
  ['upper', UPPER],
  ['word', WORD],
  ['xdigit', [...DIGITS, [0x41, 0x46], [0x61, 0x66]]],
]);

/** Everything but the given code points. */
export function complement(ranges: readonly CodePoints[]): readonly CodePoints[] {
  const sorted = ranges.toSorted((left, right) => left[0] - right[0]);
  const result: CodePoints[] = [];
  let next = 0;
  for (const [first, last] of sorted) {
    if (first > next) {
      result.push([next, first - 1]);
    }
    next = Math.max(next, last + 1);
  }
  return next <= LAST ? [...result, [next, LAST]] : result;
}

/** The set of `\d`, `\W` and their kin; undefined for another letter. */
export function escapeSet(letter: string): readonly CodePoints[] | undefined {
  const small = letter.toLowerCase();
  const ranges = Object.hasOwn(ESCAPES, small) ? ESCAPES[small] : undefined;
  return ranges === undefined || small === letter ? ranges : complement(ranges);
}

/** The set of `[:name:]`; `upper` and `lower` are all letters where case is ignored. Undefined for an unknown name. */
export function posixSet(name: string, ignoreCase: boolean): readonly CodePoints[] | undefined {
  return ignoreCase && (name === 'upper' || name === 'lower') ? LETTERS : POSIX.get(name);
}

/** Whether a code point is in one of the ranges. */
export function includes(ranges: readonly CodePoints[], codePoint: number): boolean {
  return ranges.some(([first, last]) => first <= codePoint && codePoint <= last);
}
