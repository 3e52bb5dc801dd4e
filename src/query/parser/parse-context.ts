import { querySyntaxError, queryLimitError } from '../query-errors.ts';
import { QUERY_LIMITS } from '../query-limits.ts';
import { tokenize, type Token } from '../lexer.ts';
import type { ExpressionNode, QueryNode, SourceRange } from '../syntax-nodes.ts';
import { exceedsBytes } from '../../store/limits.ts';

/** The rules that call each other across files. */
export interface Grammar {
  query(context: ParseContext): QueryNode;
  /** Arithmetic, concatenation and comparison: what stands beside IN, LIKE, BETWEEN and AND. */
  binary(context: ParseContext): ExpressionNode;
  expression(context: ParseContext): ExpressionNode;
}

const NEAR_CHARACTERS = 40;

/** The tokens of one text, a place among them, and how deep the parser is. Every failure throws QUERY_SYNTAX or QUERY_LIMIT. */
export class ParseContext {
  readonly text: string;
  readonly #tokens: readonly Token[];
  readonly #grammar: Grammar;
  #position = 0;
  #depth = 0;

  constructor(text: string, grammar: Grammar) {
    if (exceedsBytes(text, QUERY_LIMITS.textBytes)) {
      throw queryLimitError('', { start: 0, end: text.length }, `The query text is longer than ${QUERY_LIMITS.textBytes} bytes.`);
    }
    this.text = text;
    this.#tokens = tokenize(text);
    this.#grammar = grammar;
  }

  /** The token `ahead` places from here; beyond the end it is `end`. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#position + ahead, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.#position += 1;
    return token;
  }

  /** Where the last token taken ends. */
  get lastEnd(): number {
    return this.#position === 0 ? 0 : (this.#tokens[Math.min(this.#position, this.#tokens.length) - 1] as Token).end;
  }

  /** From `start` to the end of the last token taken. */
  rangeFrom(start: number): SourceRange {
    return { start, end: this.lastEnd };
  }

  isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'symbol' && token.text === symbol;
  }

  isKeyword(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'keyword' && token.text === word;
  }

  /** Whether a name is there that reads as `word`, which is not reserved: `LET`, `RANK`, `ALL`, … */
  isContextualWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'name' && token.text.toUpperCase() === word;
  }

  takeSymbol(symbol: string): boolean {
    return this.isSymbol(symbol) && this.next() !== undefined;
  }

  takeKeyword(word: string): boolean {
    return this.isKeyword(word) && this.next() !== undefined;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) {
      this.fail();
    }
  }

  expectKeyword(word: string): void {
    if (!this.takeKeyword(word)) {
      this.fail();
    }
  }

  expectName(): string {
    return this.peek().kind === 'name' ? this.next().text : this.fail();
  }

  /** Refuses the token that comes next. */
  fail(hint?: string): never {
    const token = this.peek();
    const near = this.text.slice(token.start, token.end);
    const shown = near.length > NEAR_CHARACTERS ? `${near.slice(0, NEAR_CHARACTERS)}…` : near;
    throw querySyntaxError(this.text, token, token.kind === 'end' ? undefined : shown, hint);
  }

  /** Refuses the text for a limit; the place is the token that comes next. */
  failLimit(message: string): never {
    throw queryLimitError(this.text, this.peek(), message);
  }

  /** One level deeper until {@link leave}. A failure ends the parse, so it need not be left then. */
  enter(): void {
    this.#depth += 1;
    if (this.#depth > QUERY_LIMITS.nesting) {
      this.failLimit(`The query nests deeper than ${QUERY_LIMITS.nesting} levels.`);
    }
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** An expression, one level deeper. */
  expression(): ExpressionNode {
    this.enter();
    const node = this.#grammar.expression(this);
    this.leave();
    return node;
  }

  /** An operand, on the same level. */
  binary(): ExpressionNode {
    return this.#grammar.binary(this);
  }

  /** A query, one level deeper; used for the text itself and for what stands in the parentheses of a subquery. */
  query(): QueryNode {
    this.enter();
    const node = this.#grammar.query(this);
    this.leave();
    return node;
  }

  /** `item {, item}` */
  list<T>(item: () => T): readonly T[] {
    const items = [item()];
    while (this.takeSymbol(',')) {
      items.push(item());
    }
    return Object.freeze(items);
  }
}
