/** What a client does to merge aggregates of several ranges. */
export type AggregateType = 'Average' | 'Count' | 'CountIf' | 'MakeList' | 'MakeSet' | 'Max' | 'Min' | 'Sum';

/** How a client removes duplicates: `Ordered` needs to remember the last row only. */
export type DistinctType = 'None' | 'Ordered' | 'Unordered';

/** The `queryInfo` of a query plan, as it goes over the wire: how a client that asks each range by itself merges the answers. */
export interface QueryInfo {
  readonly distinctType: DistinctType;
  readonly top: number | null;
  readonly offset: number | null;
  readonly limit: number | null;
  readonly orderBy: readonly ('Ascending' | 'Descending')[];
  readonly orderByExpressions: readonly string[];
  readonly groupByExpressions: readonly string[];
  readonly groupByAliases: readonly string[];
  /** Of `SELECT VALUE`: at most one. */
  readonly aggregates: readonly AggregateType[];
  /** Of a SELECT list: every column, `null` for one that is no aggregate. */
  readonly groupByAliasToAggregateType: Readonly<Record<string, AggregateType | null>>;
  /** What the client sends to each range; empty when the text itself will do. */
  readonly rewrittenQuery: string;
  readonly hasSelectValue: boolean;
  readonly hasNonStreamingOrderBy: boolean;
}

/** The `hybridSearchQueryInfo` of a query plan: how a client runs ORDER BY RANK. */
export interface HybridSearchQueryInfo {
  /** Goes to all ranges, whatever the query's own are; empty where no score needs it. */
  readonly globalStatisticsQuery: string;
  /** One query for each score, with places for the statistics. */
  readonly componentQueryInfos: readonly QueryInfo[];
  /** The service's, for clients that read rows at the end; always empty here. */
  readonly componentWithoutPayloadQueryInfos: readonly QueryInfo[];
  readonly projectionQueryInfo: QueryInfo | null;
  /** One for each score; empty where all count alike. */
  readonly componentWeights: readonly number[];
  readonly skip: number;
  readonly take: number | null;
  readonly requiresGlobalStatistics: boolean;
}

/** A query plan but for `queryRanges`, which depend on the container. It has one of the two. */
export interface QueryPlan {
  readonly queryInfo?: QueryInfo | undefined;
  readonly hybridSearchQueryInfo?: HybridSearchQueryInfo | undefined;
}
