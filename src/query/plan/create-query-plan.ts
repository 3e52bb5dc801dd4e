import { setOwn } from '../../core/json.ts';
import { partitionKeysOf } from '../partition-key-filter.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import { printExpression } from '../printer.ts';
import { queryCounts, type QueryCounts } from '../query-counts.ts';
import type { ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';
import { selectPart } from './aggregate-rewrite.ts';
import type { AggregateType, DistinctType, QueryInfo, QueryPlan } from './query-info.ts';
import { columnParts, rewriteGroups, rewriteOffset, rewriteOrderBy } from './rewrite-query.ts';

const isGrouped = ({ isAggregate, groupBy }: BoundQuery): boolean => isAggregate || groupBy !== undefined;

function textOf(node: ExpressionNode): string {
  const path = pathOf(node);
  return path === undefined ? printExpression(node) : JSON.stringify([path.root.name, ...path.steps]);
}

/** Sorted rows bring equal rows together when the columns are, in any order, the first sort keys. */
function distinctType(root: BoundQuery): DistinctType {
  if (!root.distinct) {
    return 'None';
  }
  const { select } = root.node;
  const projected = select.kind === 'select-value' ? [select.expression] : root.columns?.map((column) => column.expression);
  const wanted = new Set(projected?.map(textOf));
  const sorted = new Set(root.orderBy.slice(0, wanted.size).map((item) => textOf(item.expression)));
  const isOrdered = !isGrouped(root) && wanted.size > 0 && sorted.size === wanted.size && [...wanted].every((text) => sorted.has(text));
  return isOrdered ? 'Ordered' : 'Unordered';
}

function rewrittenQuery(prepared: PreparedQuery, counts: QueryCounts): string {
  if (isGrouped(prepared.root)) {
    return rewriteGroups(prepared);
  }
  if (prepared.root.orderBy.length > 0) {
    return rewriteOrderBy(prepared, counts);
  }
  return counts.offset === undefined ? '' : rewriteOffset(prepared, counts);
}

function columnTypes(prepared: PreparedQuery): readonly (readonly [string, AggregateType | null])[] {
  const parts = isGrouped(prepared.root) ? columnParts(prepared, prepared.root.columns ?? []) : [];
  return parts.map(([name, part]) => [name, part.type] as const);
}

function asObject(types: ReturnType<typeof columnTypes>): Readonly<Record<string, AggregateType | null>> {
  const object = {};
  for (const [name, type] of types) {
    setOwn(object, name, type);
  }
  return Object.freeze(object);
}

function valueAggregates(prepared: PreparedQuery): readonly AggregateType[] {
  const { select } = prepared.root.node;
  const type = isGrouped(prepared.root) && select.kind === 'select-value' ? selectPart(prepared, select.expression).type : null;
  return type === null ? [] : [type];
}

function buildInfo(prepared: PreparedQuery, counts: QueryCounts): QueryInfo {
  const { root } = prepared;
  const sortKeys = isGrouped(root) ? [] : root.orderBy;
  const types = columnTypes(prepared);
  return Object.freeze({
    distinctType: distinctType(root),
    top: counts.top ?? null,
    offset: counts.offset ?? null,
    limit: counts.limit ?? null,
    orderBy: Object.freeze(sortKeys.map((item) => (item.descending ? 'Descending' : 'Ascending'))),
    orderByExpressions: Object.freeze(sortKeys.map((item) => printExpression(item.expression))),
    groupByExpressions: Object.freeze((root.groupBy ?? []).map((node) => printExpression(node))),
    groupByAliases: Object.freeze(types.map(([name]) => name)),
    aggregates: Object.freeze(valueAggregates(prepared)),
    groupByAliasToAggregateType: asObject(types),
    rewrittenQuery: rewrittenQuery(prepared, counts),
    hasSelectValue: root.hasSelectValue,
    hasNonStreamingOrderBy: false,
  });
}

/** Plans of queries whose counts are literals, by whether OFFSET and LIMIT are in them. */
interface KnownPlans {
  paged?: QueryPlan;
  unpaged?: QueryPlan;
}
const known = new WeakMap<PreparedQuery, KnownPlans>();

function readsOneKey(prepared: PreparedQuery, partitionKeyPaths: readonly string[], parameters: readonly QueryParameter[]): boolean {
  const keys = partitionKeyPaths.length === 0 ? 'all' : partitionKeysOf(prepared, partitionKeyPaths, parameters);
  return typeof keys !== 'string' && keys.length === 1 && keys[0]?.length === partitionKeyPaths.length;
}

/**
 * The plan by which a client runs a query on several ranges and merges the answers itself.
 *
 * Where the filter leaves one full partition key, OFFSET and LIMIT stay in the text, and the plan has neither: pass `partitionKeyPaths` for
 * that. A query with TOP, OFFSET and LIMIT in literals is planned once, so asking again costs a look-up.
 *
 * @throws QUERY_INVALID for an aggregate inside another expression, or a count in a parameter that is no count.
 */
export function createQueryPlan(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[] = [],
  partitionKeyPaths: readonly string[] = [],
): QueryPlan {
  const { root } = prepared;
  const kind = root.offset !== undefined && readsOneKey(prepared, partitionKeyPaths, parameters) ? 'unpaged' : 'paged';
  const plans = known.get(prepared) ?? {};
  const planned = plans[kind];
  if (planned !== undefined) {
    return planned;
  }
  const counts = queryCounts(prepared, parameters);
  const plan: QueryPlan = Object.freeze({
    queryInfo: buildInfo(prepared, kind === 'unpaged' ? { ...counts, offset: undefined, limit: undefined } : counts),
  });
  if ([root.top, root.offset, root.limit].every((count) => count?.kind !== 'parameter')) {
    plans[kind] = plan;
    known.set(prepared, plans);
  }
  return plan;
}

/**
 * Whether the service's gateway refuses the query across partitions, so that a client has to use the plan: ORDER BY, TOP, OFFSET and LIMIT,
 * DISTINCT, aggregates, GROUP BY.
 */
export function needsPlan({ root }: PreparedQuery): boolean {
  const hasCounts = root.top !== undefined || root.offset !== undefined;
  return hasCounts || root.orderBy.length > 0 || root.distinct || isGrouped(root);
}
