import type { SqliteFilter } from '../../query/compile/sqlite/compile-filter.ts';
import type { SqlitePlan } from '../../query/compile/sqlite/sqlite-plan.ts';
import type { QueryExplanation } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { aggregateColumns } from './aggregate-query.ts';
import { projectedColumns } from './document-source.ts';
import { sliceStatement, type Read, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import { orderOf, planQuery, runPlanned, type PlannedQuery } from './sqlite-query.ts';

/** Runs a query to its end and tells how. */
export async function explainQuery(container: SqliteContainer, request: QueryRequest, read: Read): Promise<QueryExplanation> {
  const query = planQuery(container, request);
  const { prepared, plan, statements, isNarrowed } = query;
  let { continuation } = request;
  let documentsScanned = 0;
  let itemsReturned = 0;
  let requestUnits = 0;
  do {
    const page = await runPlanned(container, { ...request, continuation }, query, read);
    documentsScanned += page.documentsScanned;
    itemsReturned += page.items.length;
    requestUnits += page.requestUnits;
    continuation = page.continuation;
  } while (continuation !== undefined);
  const hasFilter = prepared.root.where !== undefined;
  const { filter } = plan;
  return {
    text: [ACCESS_TEXTS[statements.access], ...filterTexts(filter, hasFilter), ...orderTexts(query), ...readTexts(plan)].join('\n'),
    access: statements.access,
    filter: !hasFilter ? 'none' : filter?.exact === true ? 'exact' : filter !== undefined || isNarrowed ? 'superset' : 'evaluated',
    pushedDown: pushedDown(query),
    statement: sliceStatement(container.number, statements, columnsOf(plan)),
    documentsScanned,
    itemsReturned,
    requestUnits,
  };
}

function columnsOf({ aggregates, projection }: SqlitePlan): SliceColumns | undefined {
  return aggregates === undefined ? projection && projectedColumns(projection) : aggregateColumns(aggregates);
}

const ACCESS_TEXTS: Readonly<Record<ScanStatements['access'], string>> = {
  point: 'Look up documents by partition key and id.',
  partition: 'Look at the documents of some partition keys, in creation order.',
  container: 'Look at every document of the container, in creation order.',
};

function filterTexts(filter: SqliteFilter | undefined, hasFilter: boolean): readonly string[] {
  if (filter === undefined) {
    return [hasFilter ? 'Evaluate the filter on each.' : 'There is no filter.'];
  }
  if (filter.exact) {
    return ['SQLite filters them exactly.'];
  }
  const why = filter.reasons.length === 0 ? 'SQLite cannot tell every case' : filter.reasons.join('; ');
  return [`SQLite leaves out most that do not pass; the filter is evaluated on the rest, because ${why}.`];
}

function orderTexts(query: PlannedQuery): readonly string[] {
  if (query.prepared.root.orderBy.length === 0) {
    return [];
  }
  const chosen = 'For the first page, SQLite chooses from each slice the documents that come first in the order. ';
  return [`${orderOf(query) === undefined ? '' : chosen}The evaluator sorts, and keeps no more rows than a page has.`];
}

function readTexts({ aggregates, projection }: SqlitePlan): readonly string[] {
  if (aggregates !== undefined) {
    return ['SQLite aggregates them, slice by slice; sums that are not of whole numbers are made again by the evaluator.'];
  }
  return projection === undefined ? [] : ['SQLite cuts out the properties that the query reads.'];
}

function pushedDown(query: PlannedQuery): string[] {
  const { plan, statements, hasIds } = query;
  return [
    ...(statements.lookup === undefined ? [] : ['partition key']),
    ...(hasIds ? ['id'] : []),
    ...(plan.filter === undefined ? [] : ['WHERE']),
    ...(plan.aggregates === undefined ? [] : ['aggregates']),
    ...(orderOf(query) === undefined ? [] : ['ORDER BY']),
    ...(plan.projection === undefined || plan.aggregates !== undefined ? [] : ['properties']),
  ];
}
