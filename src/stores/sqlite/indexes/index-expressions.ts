import type { IndexColumn } from '../../../query/access/index-definition.ts';
import { quotePath } from '../../../query/compile/sqlite/json-path.ts';
import { isOdd } from '../../../query/compile/sqlite/odd-documents.ts';
import { SYSTEM_PROPERTY_NAMES } from '../../../store/document.ts';

/** Ranks of types in the order of the language, as the expressions give them. */
export const RANKS = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  string: 5,
  array: 6,
  object: 7,
  /** An odd document, of which nothing is told in SQL. */
  odd: 9,
} as const;

/**
 * One column of an index in SQL. The texts stand in the index and in every statement that uses it: SQLite takes an index on expressions only for
 * the same expressions.
 */
export interface ColumnExpressions {
  /** The type's rank; undefined where all documents have `fixedRank`. */
  readonly rank: string | undefined;
  /** A number or a string, NULL for values of other types. */
  readonly value: string;
  readonly fixedRank: number | undefined;
}

const BODY = 'body';

function ofBody(path: readonly string[]): ColumnExpressions | undefined {
  const quoted = quotePath(path)?.text;
  if (quoted === undefined) {
    return undefined;
  }
  const type = `json_type(${BODY}, ${quoted})`;
  const value = `json_extract(${BODY}, ${quoted})`;
  const { odd, number, string, undefined: missing } = RANKS;
  return {
    rank: `CASE WHEN ${isOdd(BODY).text} THEN ${odd} ELSE CASE ${type} WHEN 'integer' THEN ${number} WHEN 'real' THEN ${number} WHEN 'text' THEN ${string} WHEN 'null' THEN ${RANKS.null} WHEN 'false' THEN ${RANKS.false} WHEN 'true' THEN ${RANKS.true} WHEN 'array' THEN ${RANKS.array} WHEN 'object' THEN ${RANKS.object} ELSE ${missing} END END`,
    // JSON text holds rounded digits of large integers, which are not the double that they stand for.
    value: `CASE ${type} WHEN 'integer' THEN CAST(${value} AS REAL) WHEN 'real' THEN ${value} WHEN 'text' THEN ${value} END`,
    fixedRank: undefined,
  };
}

/** A column in SQL; undefined for a path that no index of SQLite can have: system properties but `_ts`, and names that cannot be quoted. */
export function columnExpressions(path: readonly string[]): ColumnExpressions | undefined {
  const [first] = path;
  if (path.length === 1 && first === 'id') {
    return { rank: undefined, value: 'id', fixedRank: RANKS.string };
  }
  if (path.length === 1 && first === '_ts') {
    return { rank: undefined, value: 'ts', fixedRank: RANKS.number };
  }
  return first === undefined || (SYSTEM_PROPERTY_NAMES as readonly string[]).includes(first) ? undefined : ofBody(path);
}

/**
 * The expressions of an index; undefined where it cannot be. Its first column tells odd documents, unless no column is in `body`: then nothing
 * is odd.
 */
export function indexExpressions(columns: readonly IndexColumn[]): readonly ColumnExpressions[] | undefined {
  const expressions = columns.map(({ path }) => columnExpressions(path));
  if (expressions.length === 0 || !expressions.every((column) => column !== undefined)) {
    return undefined;
  }
  const isTold = expressions[0]?.rank !== undefined || expressions.every(({ rank }) => rank === undefined);
  return isTold ? expressions : undefined;
}

/** The list between the parentheses of CREATE INDEX; undefined where there can be no such index. */
export function indexTerms(columns: readonly IndexColumn[]): string | undefined {
  return indexExpressions(columns)
    ?.flatMap(({ rank, value }, index) => {
      const direction = columns[index]?.descending === true ? ' DESC' : '';
      return [rank, value].filter((term) => term !== undefined).map((term) => `(${term})${direction}`);
    })
    .join(', ');
}
