import { isPerigeeError } from '../../core/errors.ts';
import { parseQuery } from '../../query/parser/parse-query.ts';
import type { QueryNode } from '../../query/syntax-nodes.ts';
import type { QueryExplanation } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { parseJson } from './cosmos-errors.ts';
import type { CosmosQueryPage, QueryPager } from './query-pages.ts';

/** The tree of a query, or `undefined` where the service may know more of the language than the parser here. */
function treeOf(query: string): QueryNode | undefined {
  try {
    return parseQuery(query);
  } catch (error) {
    if (isPerigeeError(error)) {
      return undefined;
    }
    throw error;
  }
}

function clausesOf(tree: QueryNode | undefined): readonly string[] {
  if (tree === undefined) {
    return ['SELECT'];
  }
  const clauses: readonly (readonly [string, boolean])[] = [
    ['SELECT', true],
    ['DISTINCT', tree.distinct],
    ['TOP', tree.top !== undefined],
    ['WHERE', tree.where !== undefined],
    ['GROUP BY', tree.groupBy !== undefined],
    ['ORDER BY', tree.orderBy !== undefined],
    ['OFFSET LIMIT', tree.offset !== undefined],
  ];
  return clauses.filter(([, present]) => present).map(([name]) => name);
}

/** Paths of the indexes that the service says it used: JSON, in base64 or plain. */
function usedIndexes(metrics: string | undefined): readonly string[] {
  if (metrics === undefined) {
    return [];
  }
  const parsed = parseJson(metrics) ?? parseJson(Buffer.from(metrics, 'base64').toString('utf8'));
  const lists: readonly (JsonValue | undefined)[] = isJsonObject(parsed)
    ? [parsed['UtilizedSingleIndexes'], parsed['UtilizedCompositeIndexes']]
    : [];
  return lists.flatMap((list) =>
    Array.isArray(list) ? list.filter(isJsonObject).map((entry) => JSON.stringify(entry['IndexSpec'] ?? entry['IndexSpecs'])) : [],
  );
}

/** Runs a query to its end and tells what the service says of it. */
export async function explainQuery(pager: QueryPager, request: QueryRequest): Promise<QueryExplanation> {
  let first: CosmosQueryPage | undefined;
  let { continuation } = request;
  let documentsScanned = 0;
  let itemsReturned = 0;
  let requestUnits = 0;
  do {
    const page: CosmosQueryPage = await pager.readPage({ ...request, continuation }, true);
    first ??= page;
    documentsScanned += page.documentsScanned;
    itemsReturned += page.items.length;
    requestUnits += page.requestUnits;
    ({ continuation } = page);
  } while (continuation !== undefined);

  const tree = treeOf(request.query);
  const indexes = usedIndexes(first.indexMetrics);
  const access = indexes.length > 0 ? 'index' : request.partitionKey === undefined ? 'container' : 'partition';
  const lines = [
    first.planned
      ? 'The service refuses the query as a whole; the SDK plans it and merges the ranges.'
      : 'The service runs the whole query.',
    request.partitionKey === undefined ? 'Scope: all partition keys.' : 'Scope: one partition key, or those with one prefix.',
    indexes.length === 0 ? 'The service names no index that it used.' : `Indexes used: ${indexes.join(', ')}.`,
    `Documents looked at: ${documentsScanned}. Items: ${itemsReturned}. Request units: ${requestUnits}.`,
  ];
  return {
    text: lines.join('\n'),
    access,
    filter: tree !== undefined && tree.where === undefined ? 'none' : 'exact',
    pushedDown: clausesOf(tree),
    statement: request.query,
    documentsScanned,
    itemsReturned,
    requestUnits,
  };
}
