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

/** A query plan but for `queryRanges`, which depend on the container. */
export interface QueryPlan {
  readonly queryInfo: QueryInfo;
}
