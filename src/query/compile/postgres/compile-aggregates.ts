import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { aggregatesOfQuery, type SqlAggregates } from '../common/compile-aggregates.ts';
import { postgresContext, type PostgresCompileOptions } from './compile-filter.ts';

/** Compiles a query that does nothing but COUNT; see {@link aggregatesOfQuery}. Drivers give counts as text, which the merger reads as well. */
export function compileAggregates(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: PostgresCompileOptions = {},
): SqlAggregates | undefined {
  return aggregatesOfQuery(postgresContext(prepared, parameters, options));
}
