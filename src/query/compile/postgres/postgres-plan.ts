import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { compileAggregates, type PostgresAggregates } from './compile-aggregates.ts';
import { compileFilter, type PostgresCompileOptions, type PostgresFilter } from './compile-filter.ts';
import { compileOrderBy, type PostgresOrderBy } from './compile-order-by.ts';
import { compileProjection, type PostgresProjection } from './compile-projection.ts';

/** What PostgreSQL can do of a query: data for the store that runs it and for `explain`. Whatever is undefined is the executor's. */
export interface PostgresPlan {
  readonly filter: PostgresFilter | undefined;
  /**
   * Whether WHERE need not be evaluated again but for odd documents, of which the store leaves out those without a row. Never so where documents
   * that fail the filter could not be told by that: a query with aggregates has a row over nothing too.
   */
  readonly whereIsExact: boolean;
  readonly orderBy: PostgresOrderBy | undefined;
  readonly aggregates: PostgresAggregates | undefined;
  readonly projection: PostgresProjection | undefined;
}

/** Compiles every part of a query that PostgreSQL can run. Pieces hold `?` for their values and no other `?`; {@link numberPlaceholders} numbers them. */
export function compilePostgresPlan(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: PostgresCompileOptions = {},
): PostgresPlan {
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
