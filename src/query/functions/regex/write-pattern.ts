import { complement, includes, type CharacterSet, type CodePoints } from './character-set.ts';
import { unsupported } from './pattern-fault.ts';
import type { PatternNode, Place } from './pattern-node.ts';

/**
 * Stands for some of the newlines of a text, so that the engine's anchors tell them apart: a code point that is no character. Sets and
 * newlines of the pattern then match it wherever they match a newline.
 */
export const NEWLINE_MARK = '\uffff';
const MARK = 0xff_ff;
const NEWLINE = 10;

/**
 * How the newlines of the text are written.
 *
 * - `plain`: as they are; no place of the pattern looks for a final one.
 * - `marked-inner`: the text ends with a newline, and all others are marked, so that the engine's end of line is "the end, or before the
 *   final newline".
 * - `marked-final`: the text ends with a newline that is marked, so that no line begins after it. Ends before it take the mark into a group
 *   of their own.
 */
export type NewlineForm = 'plain' | 'marked-inner' | 'marked-final';

/** A pattern in the engine's own language. */
export interface WrittenPattern {
  readonly text: string;
  /** The engine's number of each group, the whole match first. */
  readonly groups: readonly number[];
  /** Groups that hold a final newline which is no part of the match. */
  readonly finals: readonly number[];
}

const NOTHING = '[^\\x{0}-\\x{10FFFF}]';

function escaped(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  return /[0-9A-Za-z_]/.test(character) ? character : `\\x{${codePoint.toString(16)}}`;
}

function rangeText(ranges: readonly CodePoints[]): string {
  return ranges.map(([first, last]) => (first === last ? escaped(first) : `${escaped(first)}-${escaped(last)}`)).join('');
}

/** Whether ignoring case adds nothing to the ranges: only ASCII without letters. */
function hasNoCase(ranges: readonly CodePoints[]): boolean {
  return ranges.every(([first, last]) => last < 0x41 || (first > 0x5a && last < 0x61) || (first > 0x7a && last < 0xb5));
}

/** One class of the engine; `inner` is what stands between the brackets. */
function bracketed(inner: string, negated: boolean): string {
  return inner === '' ? (negated ? '(?s:.)' : NOTHING) : `[${negated ? '^' : ''}${inner}]`;
}

function setText({ negated, cased, fixed, categories }: CharacterSet, ignoreCase: boolean): string {
  const constant = rangeText(fixed) + categories.join('');
  if (!ignoreCase || hasNoCase(cased)) {
    return `(?-i:${bracketed(rangeText(cased) + constant, negated)})`;
  }
  if (constant === '') {
    return `(?i:${bracketed(rangeText(cased), negated)})`;
  }
  if (!negated) {
    return `(?:(?i:[${rangeText(cased)}])|(?-i:[${constant}]))`;
  }
  return categories.length === 0 && hasNoCase(fixed)
    ? `(?i:[^${rangeText(cased)}${constant}])`
    : unsupported('a negated class of letters and sets of characters where case is ignored');
}

/** The set over a text with marks: the mark is in it exactly where the newline is. */
function withMark(set: CharacterSet): CharacterSet {
  const { negated, categories } = set;
  if (categories.some((category) => category.includes('{C'))) {
    unsupported('a category of control characters beside an end of the text');
  }
  const holdsNewline =
    includes(set.cased, NEWLINE) || includes(set.fixed, NEWLINE) || categories.some((category) => category.startsWith('\\P'));
  const without = (ranges: readonly CodePoints[]): readonly CodePoints[] =>
    includes(ranges, MARK) ? complement([...complement(ranges), [MARK, MARK]]) : ranges;
  const cased = without(set.cased);
  const fixed = without(set.fixed);
  // Every negated category but those of control characters holds the mark as well as the newline.
  const isThere = categories.some((category) => category.startsWith('\\P'));
  return { negated, cased, fixed: holdsNewline && !isThere ? [...fixed, [MARK, MARK]] : fixed, categories };
}

class PatternWriter {
  readonly #form: NewlineForm;
  readonly groups: number[] = [0];
  readonly finals: number[] = [];
  #count = 0;

  constructor(form: NewlineForm) {
    this.#form = form;
  }

  write(node: PatternNode): string {
    switch (node.kind) {
      case 'character':
        return this.#character(node.codePoint, node.ignoreCase);
      case 'set':
        return setText(this.#form === 'plain' ? node.set : withMark(node.set), node.ignoreCase);
      case 'place':
        return this.#place(node.place);
      case 'group':
        return this.#group(node.captures, node.body);
      case 'repeat': {
        const most = Number.isFinite(node.most) ? String(node.most) : '';
        return `(?:${this.write(node.body)}){${node.least},${most}}${node.lazy ? '?' : ''}`;
      }
      case 'sequence':
        return node.items.map((item) => this.write(item)).join('');
      case 'choice':
        return `(?:${node.options.map((option) => this.write(option)).join('|')})`;
      default:
        return node satisfies never;
    }
  }

  #character(codePoint: number, ignoreCase: boolean): string {
    if (this.#form !== 'plain' && codePoint === NEWLINE) {
      return `[\\n${escaped(MARK)}]`;
    }
    if (this.#form !== 'plain' && codePoint === MARK) {
      return NOTHING;
    }
    return ignoreCase ? `(?i:${escaped(codePoint)})` : escaped(codePoint);
  }

  #group(captures: boolean, body: PatternNode): string {
    if (captures) {
      this.#count += 1;
      this.groups.push(this.#count);
    }
    return `(${captures ? '' : '?:'}${this.write(body)})`;
  }

  #beforeFinal(otherwise: string): string {
    this.#count += 1;
    this.finals.push(this.#count);
    return `(?:${otherwise}|(${escaped(MARK)})\\z)`;
  }

  #place(place: Place): string {
    switch (place) {
      case 'start':
        return '\\A';
      case 'end':
        return '\\z';
      case 'boundary':
        return '\\b';
      case 'no-boundary':
        return '\\B';
      case 'line-start':
        return '(?m:^)';
      case 'line-end':
        return this.#form === 'marked-final' ? this.#beforeFinal('(?m:$)') : '(?m:$)';
      case 'end-or-final-newline':
        return this.#form === 'marked-final' ? this.#beforeFinal('\\z') : this.#form === 'marked-inner' ? '(?m:$)' : '\\z';
      default:
        return place satisfies never;
    }
  }
}

/** Writes a pattern for a text whose newlines are written in a form; throws a `PatternFault` for what the engine has no equal of. */
export function writePattern(node: PatternNode, form: NewlineForm): WrittenPattern {
  const writer = new PatternWriter(form);
  const text = writer.write(node);
  return { text, groups: writer.groups, finals: writer.finals };
}
