import { rawSql, sql, type Sql } from '../common/sql-fragment.ts';

const ESCAPED_NUL = '\\u0000';

/**
 * Whether the JSON text of a document holds an escaped NUL, in a key or a value: an odd document.
 *
 * SQLite ends a text at its first NUL in some of its functions, and takes the key `"a\u0000b"` for `"a"`. So nothing is told of odd documents
 * in SQL: filters keep them all, and the evaluator looks at them. They are very rare.
 */
export function isOddText(text: string): boolean {
  return text.includes(ESCAPED_NUL);
}

/**
 * {@link isOddText} in SQL. A store keeps odd documents as text and all others as JSONB, so a look at the storage class, which reads nothing of
 * the document, tells nearly all of them; of text, as early versions wrote it for all, the characters decide.
 */
export function isOdd(body: string): Sql {
  return sql`(typeof(${rawSql(body)}) = 'text' AND ${rawSql(body)} GLOB '*${rawSql(ESCAPED_NUL)}*')`;
}
