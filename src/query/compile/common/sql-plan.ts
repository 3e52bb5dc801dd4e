import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import type { SqlAggregates } from './compile-aggregates.ts';
import type { SqlFilter } from './compile-filter.ts';
import type { SqlOrder } from './order-keys.ts';
import type { CompilePlan, PlanOptions } from './plan-cache.ts';
import type { ReadProperties } from './read-properties.ts';

/** The properties of a document that a query reads: all else may be left out of what is parsed. */
export interface SqlProjection extends ReadProperties {
  /** An expression for each path, which gives the JSON text of its value or NULL where there is none; it says nothing of odd documents. */
  readonly columns: readonly string[];
}

/** What an engine can do of a query: data for the store that runs it and for `explain`. Whatever is undefined is the executor's. */
export interface SqlPlan {
  readonly filter: SqlFilter | undefined;
  /**
   * Whether WHERE need not be evaluated again but for odd documents, of which the store leaves out those without a row. Never so where documents
   * that fail the filter could not be told by that: a query with aggregates has a row over nothing too.
   */
  readonly whereIsExact: boolean;
  readonly orderBy: SqlOrder | undefined;
  readonly aggregates: SqlAggregates | undefined;
  readonly projection: SqlProjection | undefined;
}

/** The parts of a compiler, each of which gives undefined for what its engine cannot do. */
export interface PartCompilers<Options extends PlanOptions> {
  readonly filter: CompilePlan<SqlFilter | undefined, Options>;
  readonly orderBy: CompilePlan<SqlOrder | undefined, Options>;
  readonly aggregates: CompilePlan<SqlAggregates | undefined, Options>;
  readonly projection: (
    prepared: PreparedQuery,
    parameters: readonly QueryParameter[],
    isFilterExact: boolean,
    options?: Options,
  ) => SqlProjection | undefined;
}

/** A compiler of every part of a query that an engine can run. */
export function planCompiler<Options extends PlanOptions>(parts: PartCompilers<Options>): CompilePlan<SqlPlan, Options> {
  return (prepared, parameters, options) => {
    const filter = parts.filter(prepared, parameters, options);
    const { isAggregate, groupBy } = prepared.root;
    const aggregates = parts.aggregates(prepared, parameters, options);
    const whereIsExact = filter?.exact === true && !isAggregate && groupBy === undefined;
    return {
      filter: aggregates === undefined ? filter : aggregates.filter,
      whereIsExact,
      orderBy: parts.orderBy(prepared, parameters, options),
      aggregates,
      projection: parts.projection(prepared, parameters, whereIsExact, options),
    };
  };
}
