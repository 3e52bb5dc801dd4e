import { indexText } from '../../query/access/index-definition.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { SqlitePlan } from '../../query/compile/sqlite/sqlite-plan.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { aggregateColumns } from './aggregate-query.ts';
import { projectedColumns } from './document-source.ts';
import { sliceStatement, type Read, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import { orderOf, planAccess, planQuery, runPlanned, type PlannedQuery } from './sqlite-query.ts';

/** Runs a query to its end and tells how. */
export async function explainQuery(container: SqliteContainer, request: QueryRequest, read: Read): Promise<QueryExplanation> {
  const query = await planAccess(container, request, planQuery(container, request), read);
  const { prepared, plan, statements } = query;
  const run = await runToEnd(request.continuation, (continuation) => runPlanned(container, { ...request, continuation }, query, read));
  const work = workOf(query);
  return createExplanation({
    prepared,
    plan: planTree(prepared, work, run),
    work,
    run,
    statement: sliceStatement(container.number, statements, columnsOf(plan)),
  });
}

function columnsOf({ aggregates, projection }: SqlitePlan): SliceColumns | undefined {
  return aggregates === undefined ? projection && projectedColumns(projection) : aggregateColumns(aggregates);
}

const READING_TEXTS: Readonly<Record<ScanStatements['access'], string>> = {
  point: 'documents by partition key and id',
  partition: 'documents of some partition keys, in creation order',
  index: 'the documents that an index leads to',
  container: 'every document of the container, in creation order',
};

function workOf(query: PlannedQuery): EngineWork {
  const { plan, statements, hasIds, isNarrowed } = query;
  return {
    engine: 'SQLite',
    access: query.access === undefined ? statements.access : 'index',
    reading: READING_TEXTS[query.access === undefined ? statements.access : 'index'],
    indexes: query.access === undefined ? [] : [indexText(query.access.index)],
    narrowedBy: [...(statements.lookup !== undefined || (isNarrowed && !hasIds) ? ['partition key'] : []), ...(hasIds ? ['id'] : [])],
    pushed: pushedBy(query),
    filterReasons: plan.filter === undefined ? ['nothing of it can be told in SQL'] : [],
  };
}

function pushedBy(query: PlannedQuery): ReadonlyMap<EngineClause, PushedClause> {
  const { filter, aggregates, projection } = query.plan;
  const pushed = new Map<EngineClause, PushedClause>();
  if (filter !== undefined) {
    const reasons = filter.exact || filter.reasons.length > 0 ? filter.reasons : ['SQLite cannot tell every case'];
    pushed.set('WHERE', { exact: filter.exact, reasons });
  }
  if (aggregates !== undefined) {
    pushed.set('aggregates', { exact: true, reasons: ['sums that are not of whole numbers are made again by the evaluator'] });
  }
  if (orderOf(query) !== undefined) {
    pushed.set('ORDER BY', {
      exact: false,
      reasons: ['for the first page SQLite chooses from each slice what comes first; the evaluator sorts that'],
    });
  }
  if (projection !== undefined && aggregates === undefined) {
    pushed.set('properties', { exact: true, reasons: [] });
  }
  return pushed;
}
