import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { aggregatesOfQuery, type SqlAggregates } from '../common/compile-aggregates.ts';
import { sqliteContext, type SqliteCompileOptions } from './compile-filter.ts';

/** Compiles a query that does nothing but COUNT; see {@link aggregatesOfQuery}. SQLite cuts values out faster than it tells types and adds. */
export function compileAggregates(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqlAggregates | undefined {
  return aggregatesOfQuery(sqliteContext(prepared, parameters, options));
}
