import { RE2JS } from 're2js';
import { newlineFormOf } from './newline-needs.ts';
import { PatternFault } from './pattern-fault.ts';
import { canBeEmpty, type PatternNode } from './pattern-node.ts';
import { readPattern } from './read-pattern.ts';
import { requiredTextOf, type RequiredText } from './required-text.ts';
import { NEWLINE_MARK, writePattern, type NewlineForm } from './write-pattern.ts';

/** The longest pattern, in UTF-16 units. */
export const MAX_PATTERN_LENGTH = 10_000;
/** The most characters that a pattern has when its repetitions are written out. */
export const MAX_PATTERN_SIZE = 20_000;
/** The most steps of a search: the size of the pattern times the length of the text. */
export const MAX_SEARCH_STEPS = 50_000_000;

/** A part of a text; `start` is a position in it. */
export interface PatternMatch {
  readonly start: number;
  readonly end: number;
  /** The text of a group, 0 for the whole match; undefined where the group took no part. */
  group(number: number): string | undefined;
}

interface Program {
  readonly engine: RE2JS;
  readonly groups: readonly number[];
  readonly finals: readonly number[];
}

function sizeOf(node: PatternNode): number {
  switch (node.kind) {
    case 'group':
      return sizeOf(node.body);
    case 'repeat':
      return Math.max(1, Number.isFinite(node.most) ? node.most : node.least) * sizeOf(node.body);
    case 'sequence':
      return node.items.reduce((total, item) => total + sizeOf(item), 1);
    case 'choice':
      return node.options.reduce((total, option) => total + sizeOf(option), 1);
    default:
      return 1;
  }
}

/** Whether a loop may run without taking a character. Engines agree on whether such a pattern matches, but not on what its groups hold. */
function hasEmptyLoop(node: PatternNode): boolean {
  switch (node.kind) {
    case 'group':
      return hasEmptyLoop(node.body);
    case 'repeat':
      return (node.most > 1 && canBeEmpty(node.body)) || hasEmptyLoop(node.body);
    case 'sequence':
      return node.items.some(hasEmptyLoop);
    case 'choice':
      return node.options.some(hasEmptyLoop);
    default:
      return false;
  }
}

function compile(node: PatternNode, form: NewlineForm): Program {
  const { text, groups, finals } = writePattern(node, form);
  try {
    return { engine: RE2JS.compile(text), groups, finals };
  } catch (cause) {
    const fault = new PatternFault('unsupported', 'repetitions within repetitions beyond what the engine has');
    fault.cause = cause;
    throw fault;
  }
}

function marked(text: string, form: NewlineForm): string {
  if (text.includes(NEWLINE_MARK)) {
    throw new PatternFault('unsupported', 'an end of the text before a final newline, in a text with U+FFFF');
  }
  return form === 'marked-final' ? `${text.slice(0, -1)}${NEWLINE_MARK}` : `${text.slice(0, -1).replaceAll('\n', NEWLINE_MARK)}\n`;
}

/** A pattern of PCRE, ready to search in time linear in the length of the text. */
export class CompiledPattern {
  readonly groupCount: number;
  /** Whether what its groups hold is the same in PCRE. */
  readonly hasEmptyLoop: boolean;
  /** What a text must hold to match. */
  readonly required: RequiredText | undefined;
  readonly #form: NewlineForm;
  readonly #plain: Program;
  readonly #marked: Program | undefined;

  constructor(node: PatternNode, groupCount: number) {
    this.groupCount = groupCount;
    this.hasEmptyLoop = hasEmptyLoop(node);
    this.required = requiredTextOf(node);
    this.#form = newlineFormOf(node);
    this.#plain = compile(node, 'plain');
    // Now, and not at the first text that needs it: a pattern is refused whatever the texts are.
    this.#marked = this.#form === 'plain' ? undefined : compile(node, this.#form);
  }

  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean {
    if (!this.#mayMatch(text)) {
      return false;
    }
    const [program, searched] = this.#programFor(text);
    return program.engine.test(searched);
  }

  /** The matches from the left, none within another; after an empty one the search goes on one character further. */
  *matches(text: string): Generator<PatternMatch> {
    if (!this.#mayMatch(text)) {
      return;
    }
    const [{ engine, groups, finals }, searched] = this.#programFor(text);
    const matcher = engine.matcher(searched);
    while (matcher.find()) {
      const final = finals.map((number) => matcher.start(number)).find((start) => start >= 0);
      const limit = final ?? text.length;
      const end = Math.min(matcher.end(), limit);
      yield {
        start: matcher.start(),
        end,
        group: (number) => {
          const group = groups[number];
          const start = group === undefined ? -1 : matcher.start(group);
          return group === undefined || start < 0 ? undefined : text.slice(start, Math.min(matcher.end(group), limit));
        },
      };
    }
  }

  /** A text without what a match must hold is no failure either, however long: a store that leaves its document out gives the same answer. */
  #mayMatch(text: string): boolean {
    const { required } = this;
    return required === undefined || (required.place === 'start' ? text.startsWith(required.text) : text.includes(required.text));
  }

  #programFor(text: string): readonly [program: Program, searched: string] {
    const marks = this.#marked !== undefined && text.endsWith('\n');
    const program = marks ? (this.#marked as Program) : this.#plain;
    if (program.engine.programSize() * text.length > MAX_SEARCH_STEPS) {
      throw new PatternFault('limit', 'a pattern and a text that are too long together');
    }
    return [program, marks ? marked(text, this.#form) : text];
  }
}

/** Compiles a pattern with the options in `modifiers`, any of `m`, `s`, `i` and `x`; throws a `PatternFault`. */
export function compilePattern(pattern: string, modifiers: string): CompiledPattern {
  if (/[^msix]/.test(modifiers)) {
    throw new PatternFault('invalid', 'an unknown modifier');
  }
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new PatternFault('limit', `a pattern of more than ${MAX_PATTERN_LENGTH} characters`);
  }
  const has = (letter: string): boolean => modifiers.includes(letter);
  const flags = { multiline: has('m'), dotAll: has('s'), ignoreCase: has('i'), extended: has('x') };
  const { node, groupCount } = readPattern(pattern, flags);
  if (sizeOf(node) > MAX_PATTERN_SIZE) {
    throw new PatternFault('limit', `a pattern of more than ${MAX_PATTERN_SIZE} characters with its repetitions written out`);
  }
  return new CompiledPattern(node, groupCount);
}
