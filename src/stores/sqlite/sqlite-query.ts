import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { SqliteFilter } from '../../query/compile/sqlite/compile-filter.ts';
import type { SqliteOrderBy } from '../../query/compile/sqlite/compile-order-by.ts';
import { compileSqlitePlan, type SqlitePlan } from '../../query/compile/sqlite/sqlite-plan.ts';
import { queryUnits } from '../../query/cost/request-units.ts';
import { compileCondition } from '../../query/evaluator/condition.ts';
import { everyRowHasValue } from '../../query/executor/every-row-has-value.ts';
import { executeQuery } from '../../query/executor/execute-query.ts';
import { measureValue } from '../../query/executor/measure-value.ts';
import { prepareCondition, prepareQuery } from '../../query/prepare-query.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { QueryExplanation, QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { aggregate, aggregateColumns } from './aggregate-query.ts';
import { documentSource, projectedColumns } from './document-source.ts';
import { queryScope } from './query-scope.ts';
import { scanStatements, type ScanStatements } from './scan-statements.ts';
import { sliceStatement, type Read, type SliceColumns } from './scan-slices.ts';
import type { SqliteContainer } from './sqlite-container.ts';

const COLUMNS = { body: 'body', id: 'id', ts: 'ts' } as const;

/** A query with what SQLite does of it. */
interface PlannedQuery {
  readonly prepared: PreparedQuery;
  readonly plan: SqlitePlan;
  readonly statements: ScanStatements;
  /** Whether partition keys or ids in WHERE narrow what is read. */
  readonly isNarrowed: boolean;
  readonly hasIds: boolean;
}

function planQuery(container: SqliteContainer, request: QueryRequest): PlannedQuery {
  const { definition } = container.info;
  const prepared = prepareQuery(request.query);
  const computedProperties = new Set(definition.computedProperties.map(({ name }) => name));
  const plan = compileSqlitePlan(prepared, request.parameters, { columns: COLUMNS, computedProperties });
  const { scope, isNarrowed } = queryScope(prepared, request, definition);
  const statements = scanStatements(container.number, { ...scope, filter: plan.filter });
  return { prepared, plan, statements, isNarrowed, hasIds: scope.ids !== undefined };
}

/** A page as a backend's hook gives it. */
type Page = Omit<QueryPage<unknown>, 'session'>;

function pageOf(items: readonly JsonValue[], bytesReturned: number, documentsScanned: number, continuation: string | undefined): Page {
  const requestUnits = queryUnits({ documentsLookedAt: documentsScanned, itemsReturned: items.length, bytesReturned });
  return { items, continuation, documentsScanned, requestUnits };
}

/** Runs one page of a query. */
export async function runQueryPage(container: SqliteContainer, request: QueryRequest, read: Read): Promise<Page> {
  return runPlanned(container, request, planQuery(container, request), read);
}

async function runPlanned(container: SqliteContainer, request: QueryRequest, query: PlannedQuery, read: Read): Promise<Page> {
  const { prepared, plan, statements } = query;
  if (plan.aggregates !== undefined && request.continuation === undefined) {
    const rows = await aggregate(container, statements, plan.aggregates, read, request.signal);
    if (rows !== undefined) {
      const bytes = rows.items.reduce<number>((sum, item) => sum + measureValue(item), 0);
      return pageOf(rows.items, bytes, rows.looked, undefined);
    }
  }
  const { runtime } = container.database;
  const { parameters, maxItemCount } = request;
  const computedProperties = container.info.definition.computedProperties.map(({ name, query: text }) => ({
    name,
    query: prepareQuery(text),
  }));
  const oddFilter = plan.whereIsExact ? compileCondition(prepared, { parameters, runtime, computedProperties }) : undefined;
  const page = await executeQuery({
    prepared,
    parameters,
    source: documentSource(
      container,
      statements,
      { expectedRows: maxItemCount + 1, projection: plan.projection, oddFilter, orderBy: orderOf(query) },
      read,
    ),
    whereIsExact: plan.whereIsExact,
    maxItemCount,
    continuation: request.continuation,
    signal: request.signal,
    runtime,
    computedProperties,
  });
  return pageOf(page.items, page.bytesReturned, page.rowsLookedAt, page.continuation);
}

/** The order in which SQLite can tell the first documents: not where documents come along that give no row in the end. */
function orderOf({ prepared, plan }: PlannedQuery): SqliteOrderBy | undefined {
  const { root } = prepared;
  return (root.where === undefined || plan.whereIsExact) && !root.distinct && everyRowHasValue(root) ? plan.orderBy : undefined;
}

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

/** Tells whether the condition of a patch, such as `from c where c.stock > 0`, holds for a document. */
export function conditionMatcher(runtime: Runtime): (condition: string, document: JsonObject) => boolean {
  return (condition, document) => compileCondition(prepareCondition(condition), { parameters: [], runtime })(document);
}
