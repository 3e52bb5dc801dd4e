import type { JsonValue } from '../../core/json.ts';
import type { BoundQuery, PreparedQuery, RankClause } from '../prepared-query.ts';
import type { QueryCounts } from '../query-counts.ts';
import { QUERY_LIMITS } from '../query-limits.ts';
import { scoreTermNodes } from '../search/score-terms.ts';
import type { SearchPolicy } from '../search/search-policy.ts';
import { distanceFunctionOf } from '../search/vector-options.ts';
import { isSimilarity } from '../functions/vector/vector-distance.ts';
import type { CallNode } from '../syntax-nodes.ts';
import { planExpression, planFrom } from './plan-text.ts';
import type { HybridSearchQueryInfo, QueryInfo } from './query-info.ts';
import { filterClause, rowExpression } from './rewrite-query.ts';

const PLACEHOLDER = 'documentdb-formattablehybridsearchquery';
const DOCUMENT_COUNT = `{${PLACEHOLDER}-totaldocumentcount}`;

/** What stands for "no score" in `componentScores`, which a client compares as numbers: the worst there is. */
export const NO_DISTANCE = { Ascending: '1.7976931348623157e308', Descending: '-1.7976931348623157e308' } as const;
const NO_TEXT_SCORE = '-1';

/** How many rows each range gives for each score, so that ranks are those among more rows than are wanted in the end: the service's figures. */
const LEAST_COMPONENT_ROWS = 120;
const ROWS_FOR_EACH = 2;

/** One score of ORDER BY RANK as each range computes it. */
interface Component {
  readonly direction: 'Ascending' | 'Descending';
  /** The expression that a range orders by. */
  readonly text: string;
  /** The same, never undefined. */
  readonly score: string;
}

/** The terms of a call as texts; a parameter that holds an array counts as its items. */
function termTexts(node: CallNode, parameters: ReadonlyMap<string, JsonValue>): readonly string[] {
  return scoreTermNodes(node).flatMap((term) => {
    const value = term.kind === 'parameter' ? parameters.get(term.name) : undefined;
    return Array.isArray(value) ? value.map((item: JsonValue) => JSON.stringify(item)) : [planExpression(term)];
  });
}

function textComponent(node: CallNode, index: number, parameters: ReadonlyMap<string, JsonValue>): Component {
  const path = node.arguments.slice(0, 1).map((argument) => planExpression(argument));
  const statistics = [DOCUMENT_COUNT, `{${PLACEHOLDER}-totalwordcount-${index}}`, `{${PLACEHOLDER}-hitcountsarray-${index}}`];
  const text = `_FullTextScore(${[...path, `[${termTexts(node, parameters).join(', ')}]`, ...statistics].join(', ')})`;
  return { direction: 'Descending', text, score: `(${text} ?? ${NO_TEXT_SCORE})` };
}

function vectorComponent(direction: Component['direction'], node: CallNode): Component {
  const text = planExpression(node);
  return { direction, text, score: `(${text} ?? ${NO_DISTANCE[direction]})` };
}

const isText = (node: CallNode): boolean => node.name.toUpperCase() === 'FULLTEXTSCORE';

/** Whether greater or smaller distances come first. @throws QUERY_INVALID for options that do not fit */
export function vectorDirection(
  node: CallNode,
  prepared: PreparedQuery,
  parameters: ReadonlyMap<string, JsonValue>,
  policy: SearchPolicy,
): Component['direction'] {
  return isSimilarity(distanceFunctionOf(node, prepared, parameters, policy)) ? 'Descending' : 'Ascending';
}

function componentsOf(
  { scores }: RankClause,
  prepared: PreparedQuery,
  parameters: ReadonlyMap<string, JsonValue>,
  policy: SearchPolicy,
): readonly Component[] {
  const texts = scores.filter(isText);
  return scores.map((node) =>
    isText(node)
      ? textComponent(node, texts.indexOf(node), parameters)
      : vectorComponent(vectorDirection(node, prepared, parameters, policy), node),
  );
}

/** Counts what the scores of texts depend on, in each range; the client adds the counts up. */
function statisticsQuery({ node }: BoundQuery, texts: readonly CallNode[], parameters: ReadonlyMap<string, JsonValue>): string {
  const statistics = texts.map((call) => {
    const path = call.arguments.slice(0, 1).map((argument) => planExpression(argument))[0] as string;
    const hits = termTexts(call, parameters).map((term) => `COUNTIF(FullTextContains(${path}, ${term}))`);
    return `{"totalWordCount": SUM(_FullTextWordCount(${path})), "hitCounts": [${hits.join(', ')}]}`;
  });
  const from = node.from === undefined ? '' : `\n${planFrom(node.from)}`;
  return `SELECT COUNT(1) AS documentCount, [${statistics.join(', ')}] AS fullTextStatistics${from}`;
}

/** The counts of a query for one score: as the query has them, by TOP or by OFFSET and LIMIT. */
function componentCounts({ top, offset, limit }: QueryCounts): QueryCounts {
  const count = top ?? limit;
  const wanted = count === undefined || count === 0 ? count : (offset ?? 0) + count;
  // Clients take a count of none for no count at all, so none may come.
  const least = wanted === 0 ? 0 : LEAST_COMPONENT_ROWS;
  const rows = wanted === undefined ? undefined : Math.min(Math.max(least, ROWS_FOR_EACH * wanted), QUERY_LIMITS.countBound - 1);
  return top === undefined
    ? { top: undefined, offset: rows === undefined ? undefined : 0, limit: rows }
    : { top: rows, offset: undefined, limit: undefined };
}

function componentInfo({ direction, text }: Component, root: BoundQuery, scores: string, { top, offset, limit }: QueryCounts): QueryInfo {
  const alias = root.sources[0]?.alias as string;
  const { from } = root.node;
  const rewrittenQuery = [
    `SELECT ${top === undefined ? '' : `TOP ${top} `}${alias}._rid, [{"item": ${text}}] AS orderByItems, ` +
      `{"payload": ${rowExpression(root)}, "componentScores": ${scores}} AS payload`,
    from === undefined ? `FROM ${alias}` : planFrom(from),
    filterClause(root),
    `ORDER BY ${text} ${direction === 'Descending' ? 'DESC' : 'ASC'}`,
    ...(limit === undefined ? [] : [`OFFSET 0 LIMIT ${limit}`]),
  ].join('\n');
  return Object.freeze({
    distinctType: 'None',
    top: top ?? null,
    offset: offset ?? null,
    limit: limit ?? null,
    orderBy: Object.freeze([direction] as const),
    orderByExpressions: Object.freeze([text]),
    groupByExpressions: Object.freeze([]),
    groupByAliases: Object.freeze([]),
    aggregates: Object.freeze([]),
    groupByAliasToAggregateType: Object.freeze({}),
    rewrittenQuery,
    hasSelectValue: false,
    hasNonStreamingOrderBy: true,
  });
}

/** Whether a client runs the query by the parts of {@link hybridSearchInfo}: scores of texts need counts of all ranges, and RRF ranks. */
export function isHybridSearch({ rank }: BoundQuery): boolean {
  return rank !== undefined && (rank.fused || rank.scores.some(isText));
}

/**
 * How a client runs a query with ORDER BY RANK on several ranges: it adds up the counts of all ranges, asks each for the rows that fit best by
 * each score, and fuses the ranks.
 *
 * @throws QUERY_INVALID for options of VECTORDISTANCE that do not fit
 */
export function hybridSearchInfo(
  prepared: PreparedQuery,
  rank: RankClause,
  counts: QueryCounts,
  parameters: ReadonlyMap<string, JsonValue>,
  policy: SearchPolicy,
): HybridSearchQueryInfo {
  const { root } = prepared;
  const texts = rank.scores.filter(isText);
  const components = componentsOf(rank, prepared, parameters, policy);
  const rows = componentCounts(counts);
  const scores = `[${components.map(({ score }) => score).join(', ')}]`;
  return Object.freeze({
    globalStatisticsQuery: texts.length === 0 ? '' : statisticsQuery(root, texts, parameters),
    componentQueryInfos: Object.freeze(components.map((component) => componentInfo(component, root, scores, rows))),
    componentWithoutPayloadQueryInfos: Object.freeze([]),
    projectionQueryInfo: null,
    componentWeights: rank.weights ?? Object.freeze([]),
    skip: counts.offset ?? 0,
    take: counts.top ?? counts.limit ?? null,
    requiresGlobalStatistics: texts.length > 0,
  });
}
