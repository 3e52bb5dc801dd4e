import type { IndexColumn } from '../../../query/access/index-definition.ts';
import { indexTerms, type IndexTerms } from '../../../query/compile/postgres/index-terms.ts';
import { SYSTEM_PROPERTY_NAMES } from '../../../store/document.ts';

/**
 * One column of an index in SQL. The texts stand in the index and in every statement that is to use it: PostgreSQL takes an index on expressions for
 * the same expressions only.
 */
export type ColumnTerms = { readonly kind: 'value'; readonly terms: IndexTerms } | { readonly kind: 'whole'; readonly column: string };

/** The columns of an index, and how much of a text they hold. */
export interface IndexColumns {
  readonly columns: readonly ColumnTerms[];
  /** A text of so many code points may go on beyond what the index has of it. */
  readonly textLength: number;
}

/** Bytes that the texts of an entry may have together; an entry ends near 2,700. */
const TEXT_BYTES = 2400;
/** Of a code point in UTF-8. */
const POINT_BYTES = 4;
const MAX_TEXT_LENGTH = 250;
/** A policy has no composite index with more. */
const MAX_COLUMNS = 8;

function termsOf(path: readonly string[], textLength: number): ColumnTerms | undefined {
  const [first] = path;
  if (path.length === 1 && first === '_ts') {
    return { kind: 'whole', column: 'ts' };
  }
  if (first === undefined || (SYSTEM_PROPERTY_NAMES as readonly string[]).includes(first)) {
    return undefined;
  }
  const terms = indexTerms(path, textLength);
  return terms === undefined ? undefined : { kind: 'value', terms };
}

/** The columns of an index; undefined where PostgreSQL can have none: over system properties but `_ts`, and names that it cannot be told. */
export function indexColumns(columns: readonly IndexColumn[]): IndexColumns | undefined {
  if (columns.length === 0 || columns.length > MAX_COLUMNS) {
    return undefined;
  }
  const textLength = Math.min(MAX_TEXT_LENGTH, Math.floor(TEXT_BYTES / POINT_BYTES / columns.length));
  const terms = columns.map(({ path }) => termsOf(path, textLength));
  return terms.every((column) => column !== undefined) ? { columns: terms, textLength } : undefined;
}

/** The expressions of a column, in the order in which they are compared. */
export function expressionsOf(column: ColumnTerms): readonly string[] {
  return column.kind === 'whole' ? [column.column] : [column.terms.number, column.terms.text];
}

/** The list between the parentheses of CREATE INDEX; undefined where there can be no such index. Equal entries lie in creation order. */
export function indexForm(columns: readonly IndexColumn[]): string | undefined {
  const found = indexColumns(columns);
  if (found === undefined) {
    return undefined;
  }
  const terms = found.columns.flatMap((column, at) => {
    const direction = columns[at]?.descending === true ? ' DESC' : '';
    return expressionsOf(column).map((term) => `${term}${direction}`);
  });
  return [...terms, 'ordinal'].join(', ');
}
