import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { orderKeys, orderOf, type SqlOrder } from '../common/order-keys.ts';
import { rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { TYPES, type SqlValue } from '../common/sql-value.ts';
import { postgresContext, type PostgresCompileOptions } from './compile-filter.ts';
import { jsonValue } from './json-value.ts';
import { pathOf, type PathStep } from './path-expression.ts';

/** The place of a value's type in the order: undefined, null, false, true, number, string, and what has no place in SQL. */
function rankOf(value: SqlValue): Sql {
  return value.raw === undefined || value.jsonType === undefined
    ? sql`CASE WHEN ${value.is(TYPES.string)} THEN 5 WHEN ${value.is(TYPES.number)} THEN 4 WHEN ${value.is(TYPES.null)} THEN 1 WHEN ${value.is(TYPES.boolean)} THEN CASE WHEN ${value.boolean()} THEN 3 ELSE 2 END WHEN ${value.is(TYPES.array | TYPES.object)} THEN 6 ELSE 0 END`
    : sql`CASE ${value.jsonType} WHEN 'number' THEN 4 WHEN 'string' THEN 5 WHEN 'null' THEN 1 WHEN 'boolean' THEN CASE WHEN ${value.raw} = 'true'::jsonb THEN 3 ELSE 2 END WHEN 'array' THEN 6 WHEN 'object' THEN 6 ELSE 0 END`;
}

function keysOf(value: SqlValue): readonly Sql[] {
  if (value.encoded !== undefined) {
    return [value.encoded.column];
  }
  if (value.whole !== undefined) {
    return [value.whole];
  }
  return value.types === TYPES.number
    ? [value.number()]
    : value.types === TYPES.string
      ? [value.string()]
      : [rankOf(value), value.number(), value.string()];
}

/**
 * The terms by which documents are ordered at a path: an index over them serves ORDER BY. Undefined for a path that PostgreSQL cannot be told.
 */
export function orderExpressions(path: readonly PathStep[], doc: string = 'doc'): readonly string[] | undefined {
  const at = pathOf(rawSql(doc), path);
  return at === undefined ? undefined : keysOf(jsonValue(at.json, at.text)).map(({ text }) => text);
}

/**
 * Compiles ORDER BY of a query whose rows are the documents of the container: types in their order, numbers as doubles, strings by code point,
 * ties in the order that the query gives them. Undefined where there is nothing to sort or PostgreSQL cannot reach a key.
 */
export function compileOrderBy(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: PostgresCompileOptions = {},
): SqlOrder | undefined {
  const context = postgresContext(prepared, parameters, options);
  const keys = orderKeys(context);
  const termsOf = (value: SqlValue, descending: boolean): readonly Sql[] =>
    keysOf(value).map((term) => (descending ? sql`${term} DESC` : term));
  return keys === undefined ? undefined : orderOf(keys, termsOf, context);
}
