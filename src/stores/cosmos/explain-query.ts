import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { queryShape } from '../../query/explain/query-shape.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import { prepareQuery } from '../../query/prepare-query.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { IndexAdvice, PlannedAccess, PlanStep, QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { parseIndexMetrics, type CompositePath, type IndexMetrics } from './index-metrics.ts';
import type { CosmosQueryPage, QueryPager } from './query-pages.ts';

const ENGINE = 'Cosmos DB';

/** The prepared query, or `undefined` where the service knows more of the language than this library. */
function tryPrepare(query: string): PreparedQuery | undefined {
  try {
    return prepareQuery(query);
  } catch (error) {
    if (isPerigeeError(error)) {
      return undefined;
    }
    throw error;
  }
}

/** The service does every clause that is there. */
function pushedClauses({ root }: PreparedQuery): ReadonlyMap<EngineClause, PushedClause> {
  const clauses: readonly (readonly [EngineClause, boolean])[] = [
    ['SELECT', true],
    ['DISTINCT', root.distinct],
    ['JOIN', root.sources.length > 1 || root.sources[0]?.iterate === true],
    ['WHERE', root.where !== undefined],
    ['GROUP BY', root.groupBy !== undefined],
    ['aggregates', root.isAggregate],
    ['ORDER BY', root.orderBy.length > 0],
    ['OFFSET LIMIT', root.top !== undefined || root.offset !== undefined],
  ];
  return new Map(clauses.filter(([, present]) => present).map(([name]) => [name, { exact: true, reasons: [] }]));
}

function compositeText(paths: readonly CompositePath[]): string {
  return `(${paths.map(({ path, order }) => `${path} ${order}`).join(', ')})`;
}

function indexTexts(metrics: IndexMetrics | undefined): readonly string[] {
  return metrics === undefined ? [] : [...metrics.utilized.single, ...metrics.utilized.composite.map(compositeText)];
}

/** What the service says would help; it says so after planning, and the plan with it is its own business. */
function adviceOf(metrics: IndexMetrics | undefined, before: PlannedAccess): readonly IndexAdvice[] {
  const advice = (kind: IndexAdvice['kind'], policy: JsonObject, index: string): IndexAdvice => ({
    kind,
    policy,
    reason: `the service says that ${kind === 'single' ? 'an index' : 'a composite index'} on ${index} would help.`,
    provenBy: 'service',
    before,
    after: { access: 'index', index, documentsScanned: undefined },
  });
  const { single = [], composite = [] } = metrics?.potential ?? {};
  return [
    ...single.map((path) => advice('single', { includedPaths: [{ path }] }, path)),
    ...composite.map((paths) =>
      advice('composite', { compositeIndexes: [paths.map(({ path, order }) => ({ path, order }))] }, compositeText(paths)),
    ),
  ];
}

/** The plan where the SDK asks each range by itself: it merges what the service answers. */
function mergedPlan(plan: PlanStep): PlanStep {
  return {
    operation: 'merge',
    detail: 'answers of the ranges, as planned by the service',
    runsIn: 'client',
    exact: true,
    reasons: ['the service refuses the query as a whole; the SDK plans it and merges the ranges'],
    rows: plan.rows,
    inputs: [plan],
  };
}

/** A query that only the service understands. */
function opaquePlan(query: string, rows: number): PlanStep {
  return { operation: 'project', detail: queryShape(query), runsIn: 'engine', exact: true, reasons: [], rows, inputs: [] };
}

/** Runs a query to its end and tells what the service says of it. */
export async function explainQuery(pager: Pick<QueryPager, 'readPage'>, request: QueryRequest): Promise<QueryExplanation> {
  let first: CosmosQueryPage | undefined;
  const run = await runToEnd(request.continuation, async (continuation) => {
    const page = await pager.readPage({ ...request, continuation }, true);
    first ??= page;
    return page;
  });
  const metrics = parseIndexMetrics(first?.indexMetrics);
  const indexes = indexTexts(metrics);
  const scoped = request.partitionKey !== undefined;
  const access = indexes.length > 0 ? 'index' : scoped ? 'partition' : 'container';
  const prepared = tryPrepare(request.query);
  const scope = scoped ? 'of one partition key, or those with one prefix' : 'of all partition keys';
  const work: EngineWork = {
    engine: ENGINE,
    access,
    reading: `${indexes.length > 0 ? `${indexes.join(', ')}: ` : ''}documents ${scope}`,
    indexes,
    narrowedBy: [],
    pushed: prepared === undefined ? new Map([['SELECT', { exact: true, reasons: [] }]]) : pushedClauses(prepared),
    filterReasons: [],
  };
  const plan = prepared === undefined ? opaquePlan(request.query, run.itemsReturned) : planTree(prepared, work, run);
  return createExplanation({
    prepared,
    work,
    run,
    plan: first?.planned === true ? mergedPlan(plan) : plan,
    statement: queryShape(request.query),
    advice: adviceOf(metrics, { access, index: indexes[0], documentsScanned: run.documentsScanned }),
  });
}
