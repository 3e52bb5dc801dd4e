import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { aggregatesOfQuery, type SqlAggregates } from '../common/compile-aggregates.ts';
import { sqliteContext, type SqliteCompileOptions } from './compile-filter.ts';

/** The counts of a query without GROUP BY, to be selected over slices of the documents that pass the filter. */
export type SqliteAggregates = SqlAggregates;

/** Compiles a query that does nothing but COUNT; see {@link aggregatesOfQuery}. SQLite cuts values out faster than it tells types and adds. */
export function compileAggregates(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqliteAggregates | undefined {
  return aggregatesOfQuery(sqliteContext(prepared, parameters, options));
}
