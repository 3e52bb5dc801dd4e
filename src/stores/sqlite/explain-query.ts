import type { SqlPlan } from '../../query/compile/common/sql-plan.ts';
import { indexText } from '../../query/access/index-definition.ts';
import { createExplanation } from '../../query/explain/create-explanation.ts';
import type { EngineClause, EngineWork, PushedClause } from '../../query/explain/engine-work.ts';
import { indexReading } from '../../query/explain/index-reading.ts';
import { planTree } from '../../query/explain/plan-tree.ts';
import { runToEnd } from '../../query/explain/run-to-end.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { adviseQuery } from './advise-query.ts';
import { aggregateColumns } from './aggregate-query.ts';
import { projectedColumns } from './document-source.ts';
import { walkStatement } from './indexes/ordered-walk.ts';
import { missedFullTextIndexes } from './indexes/full-text-access.ts';
import { missedSpatialIndexes } from './indexes/spatial-access.ts';
import { sliceStatement, type Read, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import { accessQuery, isMissingIndex, orderOf, planAccess, planQuery, runPlanned, type PlannedQuery } from './sqlite-query.ts';

/** Runs a query to its end and tells how. */
export async function explainQuery(container: SqliteContainer, request: QueryRequest, read: Read): Promise<QueryExplanation> {
  try {
    return await explainOnce(container, request, read);
  } catch (error) {
    if (!isMissingIndex(error)) {
      throw error;
    }
  }
  // Another process dropped an index a moment ago.
  container.database.invalidate();
  return explainOnce(container, request, read);
}

async function explainOnce(container: SqliteContainer, request: QueryRequest, read: Read): Promise<QueryExplanation> {
  const planned = planQuery(container, request);
  const query = await planAccess(container, request, planned, read);
  const { prepared } = query;
  const run = await runToEnd(request.continuation, (continuation) => runPlanned(container, { ...request, continuation }, query, read));
  const wanted = accessQuery(container, request, planned);
  const work = workOf(query, [...missedFullTextIndexes(container, wanted), ...missedSpatialIndexes(container, wanted)]);
  const before = { access: work.access, index: work.indexes[0], documentsScanned: run.documentsScanned };
  return createExplanation({
    prepared,
    plan: planTree(prepared, work, run),
    work,
    run,
    statement: statementOf(container, query),
    advice: await adviseQuery(container, request, planned, before, read),
  });
}

/** The statement that reads the documents: of a slice of them, or of the first entries of a walk over an index. */
function statementOf(container: SqliteContainer, { plan, statements, walk }: PlannedQuery): string | undefined {
  return walk === undefined ? sliceStatement(container.number, statements, columnsOf(plan)) : walkStatement(container, walk);
}

function columnsOf({ aggregates, projection }: SqlPlan): SliceColumns | undefined {
  return aggregates === undefined ? projection && projectedColumns(projection) : aggregateColumns(aggregates);
}

const READING_TEXTS: Readonly<Record<ScanStatements['access'], string>> = {
  point: 'documents by partition key and id',
  partition: 'documents of some partition keys, in creation order',
  index: 'the documents that an index leads to',
  container: 'every document of the container, in creation order',
};

const MORE_THAN_PASS = 'the index leads to more documents than pass';

function readingText({ statements, searchIndexes }: PlannedQuery): string {
  return searchIndexes.length > 0 ? `${searchIndexes.join(', ')}: documents that it leads to` : READING_TEXTS[statements.access];
}

function workOf(query: PlannedQuery, missed: readonly string[]): EngineWork {
  const { plan, statements, hasIds, isNarrowed, access, searchIndexes } = query;
  const byKey =
    statements.access === 'partition' || (isNarrowed && !hasIds) || (statements.access === 'point' && statements.lookup !== undefined);
  return {
    engine: 'SQLite',
    access: access === undefined ? statements.access : 'index',
    reading: access === undefined ? readingText(query) : indexReading(access),
    indexes: access === undefined ? searchIndexes : [indexText(access.index)],
    narrowedBy: [
      ...(byKey ? ['partition key'] : []),
      ...(hasIds ? ['id'] : []),
      ...(access === undefined && searchIndexes.length > 0 ? ['search index'] : []),
    ],
    pushed: pushedBy(query),
    filterReasons: [
      ...(plan.filter === undefined ? [searchIndexes.length > 0 ? MORE_THAN_PASS : 'nothing of it can be told in SQL'] : []),
      ...missed,
    ],
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
  if (query.walk !== undefined) {
    pushed.set('ORDER BY', { exact: true, reasons: ['the entries of the index lie in this order'] });
  } else if (orderOf(query) !== undefined) {
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
