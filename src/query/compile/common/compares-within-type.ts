import type { JsonValue } from '../../../core/json.ts';
import { MIRRORED } from '../../mirrored-comparison.ts';
import { anyOf, over, type Condition } from './condition.ts';
import type { Comparison } from './dialect.ts';
import { sql, type Sql } from './sql-fragment.ts';
import { TYPES, type SqlValue } from './sql-value.ts';

/** How an engine writes that two views of one type compare, and that a value compares with a constant. */
export interface ComparisonPieces {
  views(left: Sql, comparison: Comparison, right: Sql): Sql;
  constant(value: SqlValue, comparison: Comparison, constant: JsonValue): Sql;
}

/** Where `left comparison right` is true, for one of `< <= > >=`: two values compare only where they are of one type that has an order. */
export function comparesWithinType(left: SqlValue, comparison: Comparison, right: SqlValue, pieces: ComparisonPieces): Condition {
  if (left.constant?.value !== undefined) {
    return over(pieces.constant(right, MIRRORED[comparison], left.constant.value), right);
  }
  if (right.constant?.value !== undefined) {
    return over(pieces.constant(left, comparison, right.constant.value), left);
  }
  const common = left.types & right.types;
  const parts: Sql[] = [];
  if ((common & TYPES.null) !== 0 && comparison.endsWith('=')) {
    parts.push(sql`(${left.is(TYPES.null)} AND ${right.is(TYPES.null)})`);
  }
  for (const [type, view] of [
    [TYPES.boolean, 'boolean'],
    [TYPES.number, 'number'],
    [TYPES.string, 'string'],
  ] as const) {
    if ((common & type) !== 0) {
      parts.push(pieces.views(left[view](), comparison, right[view]()));
    }
  }
  return over(anyOf(parts.map((piece) => ({ sql: piece, exact: true }))).sql, left, right);
}
