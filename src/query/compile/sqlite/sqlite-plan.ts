import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { compileAggregates, type SqliteAggregates } from './compile-aggregates.ts';
import { compileFilter, type SqliteCompileOptions, type SqliteFilter } from './compile-filter.ts';
import { compileOrderBy, type SqliteOrderBy } from './compile-order-by.ts';
import { compileProjection, type SqliteProjection } from './compile-projection.ts';

/** What SQLite can do of a query: data for the store that runs it and for `explain`. Whatever is undefined is the executor's. */
export interface SqlitePlan {
  readonly filter: SqliteFilter | undefined;
  /**
   * Whether WHERE need not be evaluated again but for odd documents, of which the store leaves out those without a row. Never so where documents
   * that fail the filter could not be told by that: a query with aggregates has a row over nothing too.
   */
  readonly whereIsExact: boolean;
  readonly orderBy: SqliteOrderBy | undefined;
  readonly aggregates: SqliteAggregates | undefined;
  readonly projection: SqliteProjection | undefined;
}

/** Compiles every part of a query that SQLite can run. */
export function compileSqlitePlan(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqlitePlan {
  const filter = compileFilter(prepared, parameters, options);
  const { isAggregate, groupBy } = prepared.root;
  const aggregates = compileAggregates(prepared, parameters, options);
  const whereIsExact = filter?.exact === true && !isAggregate && groupBy === undefined;
  return {
    filter: aggregates === undefined ? filter : aggregates.filter,
    whereIsExact,
    orderBy: compileOrderBy(prepared, parameters, options),
    aggregates,
    projection: compileProjection(prepared, parameters, whereIsExact, options),
  };
}
