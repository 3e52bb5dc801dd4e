import { invalid, unsupported } from './pattern-fault.ts';
import type { PatternNode, Place } from './pattern-node.ts';
import { PatternReader, type PatternFlags } from './pattern-reader.ts';
import { readClass } from './read-class.ts';
import { readEscape } from './read-escape.ts';
import { readGroupOpening } from './read-group-opening.ts';

/** A pattern taken apart. */
export interface ReadPattern {
  readonly node: PatternNode;
  readonly groupCount: number;
}

const PLACES: Readonly<Record<string, Place>> = { A: 'start', Z: 'end-or-final-newline', z: 'end', b: 'boundary', B: 'no-boundary' };

const REFUSED_ESCAPES: Readonly<Record<string, string>> = {
  C: 'a single code unit (\\C)',
  G: 'the start of the search (\\G)',
  K: 'a new start of the match (\\K)',
  R: 'any line break (\\R)',
  X: 'an extended grapheme (\\X)',
  g: 'a back-reference or a call of a group (\\g)',
  k: 'a named back-reference (\\k)',
};

/** The most repetitions that the engine has for one piece. */
const MAX_REPEAT = 1000;
/** The most that PCRE reads. */
const MAX_PCRE_REPEAT = 65_535;

function escapedNode(reader: PatternReader): PatternNode {
  const { ignoreCase } = reader.flags;
  const escape = readEscape(reader);
  switch (escape.kind) {
    case 'character':
      return { kind: 'character', codePoint: escape.codePoint, ignoreCase };
    case 'ranges':
      return { kind: 'set', set: { negated: false, cased: [], fixed: escape.ranges, categories: [] }, ignoreCase };
    case 'category':
      return { kind: 'set', set: { negated: false, cased: [], fixed: [], categories: [escape.text] }, ignoreCase };
    default:
      break;
  }
  const { letter } = escape;
  const place = Object.hasOwn(PLACES, letter) ? PLACES[letter] : undefined;
  if (place !== undefined) {
    return { kind: 'place', place };
  }
  if (/[1-9]/.test(letter)) {
    unsupported('a back-reference');
  }
  if (letter === 'N') {
    return reader.peek() === '{' ? unsupported('a character by its name (\\N{…})') : anyCharacter(false);
  }
  return Object.hasOwn(REFUSED_ESCAPES, letter) ? unsupported(REFUSED_ESCAPES[letter] as string) : invalid();
}

function anyCharacter(dotAll: boolean): PatternNode {
  const fixed = dotAll ? [] : ([[10, 10]] as const);
  return { kind: 'set', set: { negated: true, cased: [], fixed, categories: [] }, ignoreCase: false };
}

/** Passes over what means nothing: comments, `\E`, and with `x` blanks. */
function skip(reader: PatternReader): void {
  for (;;) {
    const found =
      reader.match(/\(\?#[^)]*\)|\\E/y) ??
      (reader.flags.extended ? reader.match(/[\t-\r \u0085\u200e\u200f\u2028\u2029]+|#[^\n]*/y) : undefined);
    if (found === undefined) {
      if (reader.text.startsWith('(?#', reader.at)) {
        invalid();
      }
      return;
    }
  }
}

function readQuantifier(reader: PatternReader): readonly [least: number, most: number] | undefined {
  if (reader.match(/\{(?:\d{10}|\d{0,9},\d{10})/y) !== undefined) {
    unsupported('a number of ten digits in braces');
  }
  if (reader.match(/\{ {0,9}, {0,9}\d{1,9} {0,9}\}/y) !== undefined) {
    unsupported('a repetition without its least number ({,n})');
  }
  const counted = reader.match(/\{(\d{1,9})(,?)(\d{0,9})\}/y);
  if (counted !== undefined) {
    const least = Number(counted[1]);
    const most = counted[2] === '' ? least : counted[3] === '' ? Number.POSITIVE_INFINITY : Number(counted[3]);
    const greatest = Number.isFinite(most) ? Math.max(least, most) : least;
    if (greatest > MAX_PCRE_REPEAT || most < least) {
      invalid();
    }
    return greatest > MAX_REPEAT ? unsupported(`a repetition of more than ${MAX_REPEAT} times`) : [least, most];
  }
  return reader.take('*')
    ? [0, Number.POSITIVE_INFINITY]
    : reader.take('+')
      ? [1, Number.POSITIVE_INFINITY]
      : reader.take('?')
        ? [0, 1]
        : undefined;
}

function withQuantifier(reader: PatternReader, body: PatternNode): PatternNode {
  skip(reader);
  const counts = readQuantifier(reader);
  if (counts === undefined) {
    return body;
  }
  if (body.kind === 'place') {
    unsupported('a repetition of a place, such as ^*');
  }
  const lazy = reader.take('?');
  if (!lazy && reader.take('+')) {
    unsupported('a possessive repetition');
  }
  const start = reader.at;
  skip(reader);
  const more = reader.peek();
  if (more === '*' || more === '+' || more === '?' || /\{\d+,?\d*\}/y.test(reader.text.slice(reader.at, reader.at + 16))) {
    // With nothing between, PCRE finds nothing to repeat; its versions differ in what else they say.
    unsupported(start === reader.at ? 'a repetition of a repetition' : 'blanks within a repetition');
  }
  return { kind: 'repeat', least: counts[0], most: counts[1], lazy, body };
}

function readQuotation(reader: PatternReader): PatternNode {
  const end = reader.text.indexOf('\\E', reader.at);
  const quoted = reader.text.slice(reader.at, end < 0 ? undefined : end);
  reader.at += quoted.length + (end < 0 ? 0 : 2);
  const { ignoreCase } = reader.flags;
  const items = Array.from(quoted, (character): PatternNode => ({
    kind: 'character',
    codePoint: character.codePointAt(0) as number,
    ignoreCase,
  }));
  const last = items.pop();
  // What follows repeats the last character only.
  return last === undefined ? { kind: 'sequence', items } : { kind: 'sequence', items: [...items, withQuantifier(reader, last)] };
}

function readAtom(reader: PatternReader): PatternNode {
  const { flags } = reader;
  const character = reader.next();
  switch (character) {
    case '\\':
      return escapedNode(reader);
    case '[':
      return { kind: 'set', set: readClass(reader), ignoreCase: flags.ignoreCase };
    case '.':
      return anyCharacter(flags.dotAll);
    case '^':
      return { kind: 'place', place: flags.multiline ? 'line-start' : 'start' };
    case '$':
      return { kind: 'place', place: flags.multiline ? 'line-end' : 'end-or-final-newline' };
    case '*':
    case '+':
    case '?':
      return invalid();
    default:
      return { kind: 'character', codePoint: character.codePointAt(0) as number, ignoreCase: flags.ignoreCase };
  }
}

function readGroup(reader: PatternReader): PatternNode | undefined {
  const outer = reader.flags;
  const opening = readGroupOpening(reader);
  if (opening === 'options') {
    return undefined;
  }
  if (opening === 'captures') {
    reader.groupCount += 1;
  }
  reader.enter();
  const body = readChoice(reader);
  reader.leave();
  if (!reader.take(')')) {
    invalid();
  }
  reader.flags = outer;
  return withQuantifier(reader, { kind: 'group', captures: opening === 'captures', body });
}

function readSequence(reader: PatternReader): PatternNode {
  const items: PatternNode[] = [];
  for (skip(reader); !reader.atEnd && reader.peek() !== '|' && reader.peek() !== ')'; skip(reader)) {
    if (reader.take('\\Q')) {
      items.push(readQuotation(reader));
    } else if (reader.take('(')) {
      const group = readGroup(reader);
      if (group !== undefined) {
        items.push(group);
      }
    } else {
      const counted = /\{\d{1,9}(?:,\d{0,9})?\}/y;
      counted.lastIndex = reader.at;
      items.push(counted.test(reader.text) ? invalid() : withQuantifier(reader, readAtom(reader)));
    }
  }
  return { kind: 'sequence', items };
}

function readChoice(reader: PatternReader): PatternNode {
  const options = [readSequence(reader)];
  while (reader.take('|')) {
    options.push(readSequence(reader));
  }
  const [only] = options;
  return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
}

/** Takes a pattern of PCRE (UTF mode, otherwise default options) apart; throws a `PatternFault`. */
export function readPattern(text: string, flags: PatternFlags): ReadPattern {
  const reader = new PatternReader(text, flags);
  const node = readChoice(reader);
  return reader.atEnd ? { node, groupCount: reader.groupCount } : invalid();
}
