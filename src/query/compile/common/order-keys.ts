import { rewrittenOrder } from '../../rewritten-order.ts';
import type { CompileContext } from './compile-context.ts';
import { isDocumentSource } from './query-shape.ts';
import { balanced, type Sql, type SqlParameter } from './sql-fragment.ts';
import { TYPES, type SqlValue } from './sql-value.ts';

/** The order of a query as terms of an ORDER BY clause. */
export interface SqlOrder {
  /** Terms without `ORDER BY`; the last is the order of creation, or its reverse, by the column `ordinal`. */
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
  /** Whether the order is right for all documents that are not odd. */
  readonly exact: boolean;
  /** Where this is true of a document (it may be NULL), its place is not told: arrays and objects have an order that SQL lacks, and of odd documents it tells nothing. */
  readonly unless: { readonly sql: string; readonly parameters: readonly SqlParameter[] };
}

/** What a query sorts by. */
export interface OrderKey {
  readonly value: SqlValue;
  readonly descending: boolean;
}

const CONTAINERS = TYPES.array | TYPES.object;

/** The keys of a query whose rows are the documents of the container; undefined where there is nothing to sort or SQL cannot tell a key. */
export function orderKeys(context: CompileContext): readonly OrderKey[] | undefined {
  const { orderBy, sources, groupBy, isAggregate } = context.prepared.root;
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
  context.bindings.set(source.slot, context.dialect.document());
  const keys: OrderKey[] = [];
  for (const { expression, descending } of orderBy) {
    const value = context.value(expression);
    if (value === undefined || value.unsure.length > 0) {
      return undefined;
    }
    keys.push({ value, descending });
  }
  return keys;
}

/** The order that keys make: types in their order, ties in the order that the query gives them. */
export function orderOf(
  keys: readonly OrderKey[],
  termsOf: (value: SqlValue, descending: boolean) => readonly Sql[],
  { dialect, prepared }: CompileContext,
): SqlOrder {
  const terms = keys.flatMap(({ value, descending }) => termsOf(value, descending));
  const containers = keys.flatMap(({ value }) => ((value.types & CONTAINERS) === 0 ? [] : [value.is(CONTAINERS)]));
  const unless = balanced('OR', [dialect.isOdd(), ...containers]);
  return {
    sql: [...terms.map((term) => term.text), rewrittenOrder(prepared)?.tiesDescend === true ? 'ordinal DESC' : 'ordinal'].join(', '),
    parameters: terms.flatMap((term) => term.values),
    exact: containers.length === 0,
    unless: { sql: unless.text, parameters: unless.values },
  };
}
