import { RESERVED_WORDS } from './parser/reserved-words.ts';

/** What a token is. `invalid` covers whatever no token can be; the parser refuses it when it gets there. */
export type TokenKind = 'name' | 'keyword' | 'string' | 'number' | 'parameter' | 'symbol' | 'invalid' | 'end';

/** A piece of the query text. */
export interface Token {
  readonly kind: TokenKind;
  /** Keywords in upper case; the value of a string; all others as written. */
  readonly text: string;
  /** 0-based characters, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

// Longest first: the first that fits is taken.
const SYMBOLS = '>>> >> >= << <= <> != || ?? > < = | & ^ ~ + - * / % ? : , . ( ) [ ] { }'.split(' ');
const SYMBOLS_BY_FIRST = new Map<string, readonly string[]>();
for (const symbol of SYMBOLS) {
  const first = symbol.charAt(0);
  SYMBOLS_BY_FIRST.set(first, [...(SYMBOLS_BY_FIRST.get(first) ?? []), symbol]);
}

const BLANK = /(?:\s+|--[^\r\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9A-Fa-f]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const PARAMETER = /@[A-Za-z0-9_]+/y;
const PLAIN_STRING = /"([^"\\]*)"|'([^'\\]*)'/y;
const STRING = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|'[^'\\]*(?:\\[\s\S][^'\\]*)*'/y;
const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|([\s\S]))/g;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  "'": "'",
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The value of a quoted text, `undefined` where an escape is unknown. */
function unescape(quoted: string): string | undefined {
  let valid = true;
  const value = quoted.slice(1, -1).replaceAll(ESCAPE, (_, hex: string | undefined, character: string | undefined) => {
    if (hex !== undefined) {
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const simple = SIMPLE_ESCAPES[character as string];
    valid &&= simple !== undefined;
    return simple ?? '';
  });
  return valid ? value : undefined;
}

function stringToken(text: string, start: number): Token {
  const plain = matchAt(PLAIN_STRING, text, start);
  if (plain !== null) {
    return { kind: 'string', text: (plain[1] ?? plain[2]) as string, start, end: start + plain[0].length };
  }
  const match = matchAt(STRING, text, start);
  if (match === null) {
    return { kind: 'invalid', text: text.slice(start), start, end: text.length };
  }
  const end = start + match[0].length;
  const value = unescape(match[0]);
  return value === undefined ? { kind: 'invalid', text: match[0], start, end } : { kind: 'string', text: value, start, end };
}

function wordToken(start: number, word: string): Token {
  const upper = word.toUpperCase();
  const end = start + word.length;
  return RESERVED_WORDS.has(upper) ? { kind: 'keyword', text: upper, start, end } : { kind: 'name', text: word, start, end };
}

function numberToken(text: string, start: number, digits: string): Token {
  const end = start + digits.length;
  const tail = matchAt(WORD, text, end);
  return tail === null
    ? { kind: 'number', text: digits, start, end }
    : { kind: 'invalid', text: digits + tail[0], start, end: end + tail[0].length };
}

function symbolToken(text: string, start: number): Token {
  if (text.startsWith('/*', start)) {
    return { kind: 'invalid', text: text.slice(start), start, end: text.length };
  }
  for (const symbol of SYMBOLS_BY_FIRST.get(text.charAt(start)) ?? []) {
    if (text.startsWith(symbol, start)) {
      return { kind: 'symbol', text: symbol, start, end: start + symbol.length };
    }
  }
  const character = String.fromCodePoint(text.codePointAt(start) as number);
  return { kind: 'invalid', text: character, start, end: start + character.length };
}

function tokenAt(text: string, start: number): Token {
  const first = text.charAt(start);
  if (first === '"' || first === "'") {
    return stringToken(text, start);
  }
  const word = matchAt(WORD, text, start);
  if (word !== null) {
    return wordToken(start, word[0]);
  }
  const digits = matchAt(NUMBER, text, start);
  if (digits !== null) {
    return numberToken(text, start, digits[0]);
  }
  const parameter = first === '@' ? matchAt(PARAMETER, text, start) : null;
  if (parameter !== null) {
    return { kind: 'parameter', text: parameter[0], start, end: start + parameter[0].length };
  }
  return symbolToken(text, start);
}

/**
 * Cuts a query text into tokens; the last is always `end`.
 *
 * It never fails: what cannot be a token (an unknown character or escape, an unfinished string or comment) is one of kind `invalid`.
 * Blanks, `-- …` and `/* … *\/` comments are left out.
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(BLANK, text, at)?.[0].length ?? 0;
    if (at >= text.length) {
      tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
      return tokens;
    }
    const token = tokenAt(text, at);
    tokens.push(token);
    at = token.end;
  }
}
