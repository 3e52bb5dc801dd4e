import { setOwn, type JsonValue } from '../../core/json.ts';
import { partitionKeysOf } from '../partition-key-filter.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import { queryCounts, type QueryCounts } from '../query-counts.ts';
import { NO_SEARCH_POLICY, type SearchPolicy } from '../search/search-policy.ts';
import { isVectorDistance, putsMissingLast } from '../search/vector-options.ts';
import type { ExpressionNode, OrderByItemNode, QueryParameter } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';
import { selectPart } from './aggregate-rewrite.ts';
import { hybridSearchInfo, isHybridSearch, NO_DISTANCE, vectorDirection } from './hybrid-search.ts';
import { cachedPlan } from './plan-cache.ts';
import { planExpression } from './plan-text.ts';
import type { AggregateType, DistinctType, QueryInfo, QueryPlan } from './query-info.ts';
import { columnParts, rewriteCounts, rewriteGroups, rewriteOrderBy } from './rewrite-query.ts';

const isGrouped = ({ isAggregate, groupBy }: BoundQuery): boolean => isAggregate || groupBy !== undefined;

function textOf(node: ExpressionNode): string {
  const path = pathOf(node);
  return path === undefined ? planExpression(node) : JSON.stringify([path.root.name, ...path.steps]);
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

/** A sort key as a client sees it. */
interface PlannedKey {
  readonly direction: 'Ascending' | 'Descending';
  /** What the client compares, as an expression. */
  readonly text: string;
}

/** Without a direction, what is most alike comes first. For clients undefined is less than any number, so rows that come last have a number. */
function plannedKey(
  { expression, descending, explicitDirection }: OrderByItemNode,
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  policy: SearchPolicy,
): PlannedKey {
  const text = planExpression(expression);
  const written = descending ? 'Descending' : 'Ascending';
  if (!isVectorDistance(expression)) {
    return { direction: written, text };
  }
  const direction = explicitDirection ? written : vectorDirection(expression, prepared, parameterMap(parameters), policy);
  const isLast = direction === 'Ascending' && putsMissingLast(expression, prepared, policy);
  return { direction, text: isLast ? `(${text} ?? ${NO_DISTANCE.Ascending})` : text };
}

function parameterMap(parameters: readonly QueryParameter[]): ReadonlyMap<string, JsonValue> {
  return new Map(parameters.map(({ name, value }) => [name, value] as const));
}

function rewrittenQuery(prepared: PreparedQuery, counts: QueryCounts, keys: readonly PlannedKey[]): string {
  const { root } = prepared;
  if (isGrouped(root)) {
    return rewriteGroups(prepared);
  }
  if (root.orderBy.length > 0) {
    const texts = keys.map(({ text }) => text);
    return rewriteOrderBy(prepared, counts, texts);
  }
  const isCounted = counts.offset !== undefined || (counts.top !== undefined && root.distinct);
  return isCounted ? rewriteCounts(prepared, counts) : '';
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

function buildInfo(prepared: PreparedQuery, counts: QueryCounts, parameters: readonly QueryParameter[], policy: SearchPolicy): QueryInfo {
  const { root } = prepared;
  const sortKeys = isGrouped(root) ? [] : root.orderBy;
  const keys = sortKeys.map((item) => plannedKey(item, prepared, parameters, policy));
  const types = columnTypes(prepared);
  return Object.freeze({
    distinctType: distinctType(root),
    top: counts.top ?? null,
    offset: counts.offset ?? null,
    limit: counts.limit ?? null,
    orderBy: Object.freeze(keys.map(({ direction }) => direction)),
    orderByExpressions: Object.freeze(sortKeys.map((item) => planExpression(item.expression))),
    groupByExpressions: Object.freeze((root.groupBy ?? []).map((node) => planExpression(node))),
    groupByAliases: Object.freeze(types.map(([name]) => name)),
    aggregates: Object.freeze(valueAggregates(prepared)),
    groupByAliasToAggregateType: asObject(types),
    rewrittenQuery: rewrittenQuery(prepared, counts, keys),
    hasSelectValue: root.hasSelectValue,
    hasNonStreamingOrderBy: sortKeys.some(({ expression }) => isVectorDistance(expression)),
  });
}

/** Of a query without FROM, which one range answers as it is. */
const NO_COUNTS: QueryCounts = { top: undefined, offset: undefined, limit: undefined };

function readsOneKey(prepared: PreparedQuery, partitionKeyPaths: readonly string[], parameters: readonly QueryParameter[]): boolean {
  const keys = partitionKeyPaths.length === 0 ? 'all' : partitionKeysOf(prepared, partitionKeyPaths, parameters);
  return typeof keys !== 'string' && keys.length === 1 && keys[0]?.length === partitionKeyPaths.length;
}

/**
 * The plan by which a client runs a query on several ranges and merges the answers itself.
 *
 * Where the filter leaves one full partition key and nothing is merged, OFFSET and LIMIT stay in the text, and the plan has neither: pass
 * `partitionKeyPaths` for that. A plan is made once for the values of the parameters that it depends on, so asking again costs a look-up. Plans of
 * searches depend on what the container says of its vectors: pass `policy` for that.
 *
 * @throws QUERY_INVALID for an aggregate inside another expression, a count in a parameter that is no count, or options of VECTORDISTANCE that
 * do not fit
 */
export function createQueryPlan(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[] = [],
  partitionKeyPaths: readonly string[] = [],
  policy: SearchPolicy = NO_SEARCH_POLICY,
): QueryPlan {
  const { root } = prepared;
  // What is merged, or rewritten as ORDER BY is, is counted by the client.
  const isMerged = root.distinct || isGrouped(root) || root.orderBy.length > 0;
  const form = root.offset !== undefined && !isMerged && readsOneKey(prepared, partitionKeyPaths, parameters) ? 'unpaged' : 'paged';
  return cachedPlan(prepared, form, parameters, policy, () => {
    const counts = queryCounts(prepared, parameters);
    if (root.rank !== undefined && isHybridSearch(root)) {
      return Object.freeze({ hybridSearchQueryInfo: hybridSearchInfo(prepared, root.rank, counts, parameterMap(parameters), policy) });
    }
    const left = root.sources.length === 0 ? NO_COUNTS : form === 'unpaged' ? { ...counts, offset: undefined, limit: undefined } : counts;
    return Object.freeze({ queryInfo: buildInfo(prepared, left, parameters, policy) });
  });
}

/**
 * Whether the service's gateway refuses the query across partitions, so that a client has to use the plan: ORDER BY, TOP, OFFSET and LIMIT,
 * DISTINCT, aggregates, GROUP BY.
 */
export function needsPlan({ root }: PreparedQuery): boolean {
  const hasCounts = root.top !== undefined || root.offset !== undefined;
  return hasCounts || root.orderBy.length > 0 || root.distinct || isGrouped(root);
}
