import { tokenize } from '../../query/lexer.ts';

/** What of a typed text is complete. */
export interface SplitText {
  /** Complete queries, without the `;` behind them. */
  readonly statements: readonly string[];
  /** What comes behind the last `;`. */
  readonly rest: string;
}

/** Splits a text at each `;` that is not inside a string or a comment. Comments alone are no statement. */
export function splitStatements(text: string): SplitText {
  const statements: string[] = [];
  let start = 0;
  let isEmpty = true;
  for (const { kind, text: word, end } of tokenize(text)) {
    if (kind === 'invalid' && word === ';') {
      if (!isEmpty) {
        statements.push(text.slice(start, end - 1).trim());
      }
      start = end;
      isEmpty = true;
    } else if (kind !== 'end') {
      isEmpty = false;
    }
  }
  return { statements, rest: isEmpty ? '' : text.slice(start) };
}

/** Names of the parameters in a query, in any text. */
export function parametersIn(query: string): readonly string[] {
  return [...new Set(tokenize(query).flatMap(({ kind, text }) => (kind === 'parameter' ? [text] : [])))];
}
