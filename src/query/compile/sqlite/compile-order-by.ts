import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { orderKeys, orderOf, type SqlOrder } from '../common/order-keys.ts';
import { sql, type Sql } from '../common/sql-fragment.ts';
import { TYPES, type SqlValue } from '../common/sql-value.ts';
import { sqliteContext, type SqliteCompileOptions } from './compile-filter.ts';

/** The place of a value's type in the order: undefined, null, false, true, number, string. */
function rankOf(value: SqlValue): Sql {
  if (value.jsonType !== undefined) {
    return sql`CASE ${value.jsonType} WHEN 'integer' THEN 4 WHEN 'text' THEN 5 WHEN 'real' THEN 4 WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 WHEN 'array' THEN 6 WHEN 'object' THEN 6 ELSE 0 END`;
  }
  return sql`CASE WHEN ${value.is(TYPES.string)} THEN 5 WHEN ${value.is(TYPES.number)} THEN 4 WHEN ${value.is(TYPES.null)} THEN 1 WHEN ${value.is(TYPES.boolean)} THEN 2 + (${value.boolean()}) WHEN ${value.is(TYPES.array | TYPES.object)} THEN 6 ELSE 0 END`;
}

function termsOf(value: SqlValue, descending: boolean): readonly Sql[] {
  // Within a type `raw` is right: the digits of JSON numbers have the order of their doubles, and equal doubles have the same digits.
  const terms =
    value.jsonType !== undefined && value.raw !== undefined && value.types === TYPES.any
      ? [rankOf(value), value.raw]
      : value.types === TYPES.number
        ? [value.number()]
        : value.types === TYPES.string
          ? [value.string()]
          : [rankOf(value), value.number(), value.string()];
  return terms.map((term) => (descending ? sql`${term} DESC` : term));
}

/**
 * Compiles ORDER BY of a query whose rows are the documents of the container: types in their order, numbers as doubles, strings by code point,
 * ties in the order that the query gives them. Undefined where there is nothing to sort or SQLite cannot reach a key.
 */
export function compileOrderBy(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqlOrder | undefined {
  const context = sqliteContext(prepared, parameters, options);
  const keys = orderKeys(context);
  return keys === undefined ? undefined : orderOf(keys, termsOf, context);
}
