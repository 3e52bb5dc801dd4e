import { invalid } from './pattern-fault.ts';

/** The options that letters switch: `m`, `s`, `i` and `x`. */
export interface PatternFlags {
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly ignoreCase: boolean;
  readonly extended: boolean;
}

/** The deepest nesting of groups; PCRE has the same limit. */
const MAX_DEPTH = 250;

/** Where the reading of a pattern is, and which options hold there. */
export class PatternReader {
  readonly text: string;
  at = 0;
  flags: PatternFlags;
  groupCount = 0;
  readonly groupNames: Set<string> = new Set();
  #depth = 0;

  constructor(text: string, flags: PatternFlags) {
    this.text = text;
    this.flags = flags;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character, or '' at the end. */
  peek(): string {
    const codePoint = this.text.codePointAt(this.at);
    return codePoint === undefined ? '' : String.fromCodePoint(codePoint);
  }

  /** Takes the next character; a pattern that ends here is invalid. */
  next(): string {
    const character = this.peek();
    if (character === '') {
      invalid();
    }
    this.at += character.length;
    return character;
  }

  /** Takes `token` if it comes next. */
  take(token: string): boolean {
    const found = this.text.startsWith(token, this.at);
    this.at += found ? token.length : 0;
    return found;
  }

  /** Takes what a sticky pattern matches here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text) ?? undefined;
    this.at += found === undefined ? 0 : found[0].length;
    return found;
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      invalid();
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}
