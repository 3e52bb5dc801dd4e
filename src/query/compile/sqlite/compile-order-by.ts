import type { PreparedQuery } from '../../prepared-query.ts';
import { rewrittenOrder } from '../../rewritten-order.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { createContext, isDocumentSource, type SqliteCompileOptions } from './compile-filter.ts';
import { documentBinding } from './exists-compiler.ts';
import { isOdd } from './odd-documents.ts';
import { balanced, sql, type Sql, type SqliteValue } from './sql-fragment.ts';
import { TYPES, type SqlValue } from './sql-value.ts';

/** The order of a query as terms of an ORDER BY clause. */
export interface SqliteOrderBy {
  /** Terms without `ORDER BY`; the last is the order of creation, or its reverse, by the column `ordinal`. */
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
  /** Whether the order is right for all documents that are not odd. */
  readonly exact: boolean;
  /** Where this is true of a document (it may be NULL), its place is not told: arrays and objects have an order that SQLite lacks, and of odd documents it tells nothing. */
  readonly unless: { readonly sql: string; readonly parameters: readonly SqliteValue[] };
}

/** The place of a value's type in the order: undefined, null, false, true, number, string. */
function rankOf(value: SqlValue): Sql {
  if (value.jsonType !== undefined) {
    return sql`CASE ${value.jsonType} WHEN 'integer' THEN 4 WHEN 'text' THEN 5 WHEN 'real' THEN 4 WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 WHEN 'array' THEN 6 WHEN 'object' THEN 6 ELSE 0 END`;
  }
  return sql`CASE WHEN ${value.is(TYPES.string)} THEN 5 WHEN ${value.is(TYPES.number)} THEN 4 WHEN ${value.is(TYPES.null)} THEN 1 WHEN ${value.is(TYPES.boolean)} THEN 2 + ${value.boolean()} WHEN ${value.is(TYPES.array | TYPES.object)} THEN 6 ELSE 0 END`;
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
): SqliteOrderBy | undefined {
  const { orderBy, sources, groupBy, isAggregate } = prepared.root;
  const [source] = sources;
  if (
    orderBy.length === 0 ||
    source === undefined ||
    sources.length > 1 ||
    !isDocumentSource(source) ||
    groupBy !== undefined ||
    isAggregate
  ) {
    return undefined;
  }
  const context = createContext(prepared, parameters, options);
  context.bindings.set(source.slot, documentBinding(context));
  const values = orderBy.map(({ expression }) => context.value(expression));
  if (!values.every((value) => value !== undefined && value.unsure.length === 0)) {
    return undefined;
  }
  const keys = values as readonly SqlValue[];
  const terms = keys.flatMap((value, index) => termsOf(value, orderBy[index]?.descending === true));
  const containers = keys.filter((value) => (value.types & (TYPES.array | TYPES.object)) !== 0);
  const pieces = [isOdd(context.columns.body), ...containers.map((value) => value.is(TYPES.array | TYPES.object))];
  const unless = balanced('OR', pieces);
  return {
    sql: [...terms.map((term) => term.text), rewrittenOrder(prepared)?.tiesDescend === true ? 'ordinal DESC' : 'ordinal'].join(', '),
    parameters: terms.flatMap((term) => term.values),
    exact: containers.length === 0,
    unless: { sql: unless.text, parameters: unless.values },
  };
}
