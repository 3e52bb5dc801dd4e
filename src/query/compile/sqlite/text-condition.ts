import { anyOf, over, type Condition } from '../common/condition.ts';
import type { TextTest } from '../common/dialect.ts';
import { bound, sql, type Sql } from '../common/sql-fragment.ts';
import { TYPES, type SqlValue } from '../common/sql-value.ts';
import { textBehind } from '../common/text-range.ts';

/** Whether a text starts with another, as a range, which an index can serve. */
function startsWithConstant(value: SqlValue, prefix: string): Sql {
  const end = textBehind(prefix);
  const isPlain = value.raw !== undefined && prefix !== '' && !prefix.startsWith('[') && !prefix.startsWith('{');
  const text = isPlain ? (value.raw as Sql) : value.string();
  const start = sql`${text} >= ${bound(prefix)}`;
  return end === undefined ? start : sql`(${start} AND ${text} < ${bound(end)})`;
}

/**
 * A test of two texts; NULL unless both are there.
 *
 * Bytes are compared, which is faster than counting characters; a mark is added to both, because a part of no bytes would be NULL.
 */
function test(kind: TextTest, text: Sql, other: Sql): Sql {
  switch (kind) {
    case 'text':
      return sql`${text} = ${other}`;
    case 'infix':
      return sql`instr(${text}, ${other}) > 0`;
    case 'prefix':
      return sql`substr(CAST('^' || ${text} AS BLOB), 1, octet_length(${other}) + 1) = CAST('^' || ${other} AS BLOB)`;
    default: {
      const start = sql`octet_length(${text}) - octet_length(${other}) + 1`;
      return sql`(${start} > 0 AND substr(CAST(${text} || '$' AS BLOB), ${start}) = CAST(${other} || '$' AS BLOB))`;
    }
  }
}

/** Where a text is, starts with, ends with or contains another, or where both are strings and it does not. */
export function textCondition(kind: TextTest, value: SqlValue, other: SqlValue, wanted: boolean): Condition {
  if ((value.types & other.types & TYPES.string) === 0) {
    return anyOf([]);
  }
  const constant = other.constant?.value;
  if (wanted && kind === 'prefix' && typeof constant === 'string') {
    return over(startsWithConstant(value, constant), value);
  }
  const holds = test(kind, value.string(), other.string());
  return over(wanted ? holds : sql`NOT (${holds})`, value, other);
}
