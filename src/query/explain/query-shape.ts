import { tokenize, type Token } from '../lexer.ts';

/** Longer shapes end in `…`. */
const MAX_SHAPE = 2000;
const PLACEHOLDER = '?';
const CONSTANTS: ReadonlySet<string> = new Set(['TRUE', 'FALSE', 'NULL']);

function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}

/** Whether the token at `at` may end an expression, so that a bracket behind it is an index and not an array. */
function endsOperand(token: Token | undefined): boolean {
  return token?.kind === 'name' || isSymbol(token, ']') || isSymbol(token, ')');
}

/** Whether a string or number names a part of a document or of the result: an index, a key of an object, an alias. */
function isName(tokens: readonly Token[], at: number): boolean {
  const [before, after] = [tokens[at - 1], tokens[at + 1]];
  const isIndex = isSymbol(before, '[') && isSymbol(after, ']') && endsOperand(tokens[at - 2]);
  const isKey = isSymbol(after, ':') && (isSymbol(before, '{') || isSymbol(before, ','));
  return isIndex || isKey || (before?.kind === 'keyword' && before.text === 'AS');
}

function textOf(tokens: readonly Token[], at: number, text: string): string {
  const { kind, text: word, start, end } = tokens[at] as Token;
  const isValue = kind === 'string' || kind === 'number' || kind === 'invalid' || (kind === 'keyword' && CONSTANTS.has(word));
  return isValue && !isName(tokens, at) ? PLACEHOLDER : kind === 'keyword' ? word : text.slice(start, end);
}

/** The end of a run `?, ?, …` that starts at `at`, and how many values it has. */
function runOf(words: readonly string[], at: number): { readonly end: number; readonly count: number } {
  let end = at;
  let count = 1;
  while (words[end + 1] === ',' && words[end + 2] === PLACEHOLDER) {
    end += 2;
    count += 1;
  }
  return { end, count };
}

/** From so many values in a row on, their number stands for them. */
const LONG_RUN = 4;

/**
 * The text of a query, or of a piece of one, with a placeholder for each value: nothing of a document or of what somebody searched for is left in
 * it, so that it may go into logs and explanations. Keywords are in upper case, comments are gone, blanks and line ends are one blank, long lists of
 * values are counted. Names stay as they are: properties, aliases, functions, parameters.
 *
 * It takes any text, also one that does not parse.
 */
export function queryShape(text: string): string {
  const tokens = tokenize(text).filter(({ kind }) => kind !== 'end');
  const words = tokens.map((_, at) => textOf(tokens, at, text));
  let shape = '';
  for (let at = 0; at < words.length && shape.length <= MAX_SHAPE; at += 1) {
    const gap = at > 0 && (tokens[at] as Token).start > (tokens[at - 1] as Token).end ? ' ' : '';
    const run = words[at] === PLACEHOLDER && tokens[at]?.kind !== 'symbol' ? runOf(words, at) : undefined;
    if (run !== undefined && run.count >= LONG_RUN) {
      shape += `${gap}?, … (${run.count} values)`;
      at = run.end;
    } else {
      shape += gap + (words[at] as string);
    }
  }
  return shape.length > MAX_SHAPE ? `${shape.slice(0, MAX_SHAPE)}…` : shape;
}
