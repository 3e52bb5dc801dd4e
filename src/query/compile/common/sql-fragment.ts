import { PerigeeError } from '../../../core/errors.ts';

/** A value bound to a placeholder. */
export type SqlParameter = null | number | string | Uint8Array;

/** A piece of SQL with the values of its `?` placeholders, in the order of the text. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SqlParameter[];
}

/** The longest text of one comparison or call; a longer one is left to the evaluator. */
const MAX_PIECE_LENGTH = 16_000;
/** The longest text of a whole condition, and the most values that it binds. SQLite takes 32,766 values, PostgreSQL 65,535. */
const MAX_TEXT_LENGTH = 400_000;
const MAX_VALUES = 8_000;

/** Thrown inside the compiler where a piece cannot be written, and caught where it may be left out. */
export class SqlLeftOut extends Error {
  /** Why, as `explain` says it. */
  readonly reason: string;

  constructor(reason: string = 'an expression is very long') {
    super(`The piece of SQL is left out: ${reason}.`);
    this.reason = reason;
  }
}

/** Text taken as it is: fixed words, checked names and quoted paths only, never a value. */
export function rawSql(text: string): Sql {
  return { text, values: [] };
}

/** A placeholder for a value. */
export function bound(value: SqlParameter): Sql {
  return { text: '?', values: [value] };
}

/** Composes pieces; what stands between them is fixed text of this source. @throws SqlLeftOut */
export function sql(strings: TemplateStringsArray, ...pieces: readonly Sql[]): Sql {
  let text = strings[0] as string;
  const values: SqlParameter[] = [];
  for (const [index, piece] of pieces.entries()) {
    text += piece.text + (strings[index + 1] as string);
    values.push(...piece.values);
  }
  if (text.length > MAX_PIECE_LENGTH) {
    throw new SqlLeftOut();
  }
  return { text, values };
}

/** A list of pieces with commas between. @throws SqlLeftOut */
export function commaList(pieces: readonly Sql[]): Sql {
  const text = pieces.map((piece) => piece.text).join(', ');
  if (text.length > MAX_PIECE_LENGTH) {
    throw new SqlLeftOut();
  }
  return { text, values: pieces.flatMap((piece) => piece.values) };
}

/** Whether pieces together fit into one statement. */
export function fitsStatement(pieces: readonly Sql[]): boolean {
  let length = 0;
  let values = 0;
  for (const piece of pieces) {
    length += piece.text.length;
    values += piece.values.length;
  }
  return length <= MAX_TEXT_LENGTH && values <= MAX_VALUES;
}

/**
 * Chains pieces with AND or OR as a balanced tree: the engines bound the depth of an expression, and `a OR b OR c` may nest to the left.
 *
 * @throws PerigeeError for no pieces, which has no meaning here
 */
export function balanced(operator: 'AND' | 'OR', pieces: readonly Sql[]): Sql {
  const [first] = pieces;
  if (first === undefined) {
    throw new PerigeeError('INTERNAL', `Cannot chain no conditions with ${operator}.`);
  }
  if (pieces.length === 1) {
    return first;
  }
  const middle = pieces.length >> 1;
  const left = balanced(operator, pieces.slice(0, middle));
  const right = balanced(operator, pieces.slice(middle));
  return { text: `(${left.text} ${operator} ${right.text})`, values: [...left.values, ...right.values] };
}
