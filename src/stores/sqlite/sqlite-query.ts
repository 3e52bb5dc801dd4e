import type { SqlOrder } from '../../query/compile/common/order-keys.ts';
import type { SqlPlan } from '../../query/compile/common/sql-plan.ts';
import type { JsonValue } from '../../core/json.ts';
import type { AccessPath } from '../../query/access/access-path.ts';
import { cachedSqlitePlan } from '../../query/compile/sqlite/sqlite-plan-cache.ts';
import { containerSettings } from '../../query/container-settings.ts';
import { pageUnits } from '../../query/cost/page-units.ts';
import { accessByPolicy } from '../../query/cost/query-work.ts';
import { compileCondition } from '../../query/evaluator/condition.ts';
import { everyRowHasValue } from '../../query/executor/every-row-has-value.ts';
import { executeQuery } from '../../query/executor/execute-query.ts';
import { measureValue } from '../../query/executor/measure-value.ts';
import type { QuerySource } from '../../query/executor/query-source.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import { functionsOfQuery } from '../../query/user-functions.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { aggregate } from './aggregate-query.ts';
import { ALL_ORDINALS, countScope } from './count-scope.ts';
import { documentSource } from './document-source.ts';
import { fullTextAccess } from './indexes/full-text-access.ts';
import { fullTextStatistics } from './indexes/full-text-statistics.ts';
import { runDirectQuery } from './indexes/direct-query.ts';
import { indexAccess, type AccessQuery } from './indexes/index-access.ts';
import type { OrderedWalk } from './indexes/ordered-walk.ts';
import { spatialAccess } from './indexes/spatial-access.ts';
import { checkedQuery, queryScope } from '../common/query-scope.ts';
import { scanStatements, type ScanScope, type ScanStatements } from './scan-statements.ts';
import type { Read } from './scan-slices.ts';
import type { SqliteContainer } from './sqlite-container.ts';

const COLUMNS = { body: 'body', id: 'id', ts: 'ts' } as const;

/** A query with what SQLite does of it. */
export interface PlannedQuery {
  readonly prepared: PreparedQuery;
  readonly plan: SqlPlan;
  readonly statements: ScanStatements;
  /** Whether partition keys or ids in WHERE narrow what is read. */
  readonly isNarrowed: boolean;
  readonly hasIds: boolean;
  readonly scope: ScanScope;
  /** How an index serves it, where one does. */
  readonly access: AccessPath | undefined;
  /** The walk over an index that has the order of the query. */
  readonly walk: OrderedWalk | undefined;
  /** The indexes of words or places that lead to what is read, for people. */
  readonly searchIndexes: readonly string[];
}

/** Prepares a query and compiles what SQLite can do of it. */
export function planQuery(
  container: SqliteContainer,
  request: QueryRequest,
  prepared: PreparedQuery = checkedQuery(request, container.info.definition),
): PlannedQuery {
  const { definition } = container.info;
  const computedProperties = new Set(definition.computedProperties.map(({ name }) => name));
  const plan = cachedSqlitePlan(prepared, request.parameters, { columns: COLUMNS, computedProperties });
  const { scope, isNarrowed } = queryScope(prepared, request, definition);
  const statements = scanStatements(container.number, { ...scope, filter: plan.filter });
  return {
    prepared,
    plan,
    statements,
    isNarrowed,
    hasIds: scope.ids !== undefined,
    scope,
    access: undefined,
    walk: undefined,
    searchIndexes: [],
  };
}

/** What the choice of an index depends on. */
export function accessQuery(container: SqliteContainer, request: QueryRequest, query: PlannedQuery): AccessQuery {
  const { prepared, plan, scope, statements } = query;
  const computedProperties = new Set(container.info.definition.computedProperties.map(({ name }) => name));
  const { parameters, maxItemCount: pageRows } = request;
  return { prepared, parameters, computedProperties, scope, filter: plan.filter, statements, pageRows };
}

/** Chooses an index for a query that is planned, where one serves it. */
export async function planAccess(
  container: SqliteContainer,
  request: QueryRequest,
  query: PlannedQuery,
  read: Read,
): Promise<PlannedQuery> {
  const wanted = accessQuery(container, request, query);
  const found = await indexAccess(container, wanted, read);
  if (query.statements.access === 'point' || found?.walk !== undefined) {
    return { ...query, ...found };
  }
  const texts = await fullTextAccess(container, wanted, read);
  const places = await spatialAccess(container, wanted, read);
  const searched = texts === undefined || (places !== undefined && places.documents < texts.documents) ? places : texts;
  const isBetter = searched !== undefined && (found === undefined || searched.documents < found.access.expectedRows);
  return isBetter ? { ...query, statements: searched.statements, searchIndexes: searched.indexes } : { ...query, ...found };
}

/** A page as a backend's hook gives it. */
type Page = Omit<QueryPage<unknown>, 'session'>;

/** What a page of items was made from. */
interface PageWork {
  readonly items: readonly JsonValue[];
  readonly bytesReturned: number;
  readonly documentsScanned: number;
  readonly rowsMatched: number;
  readonly bytesRead: number;
  /** Documents that the page is charged for. */
  readonly documentsRead: number;
  readonly continuation: string | undefined;
}

function pageOf(container: SqliteContainer, request: QueryRequest, work: PageWork): Page {
  const { items, continuation, documentsScanned, rowsMatched, bytesRead } = work;
  const requestUnits = pageUnits(request, container.info.definition.partitionKey, { ...work, itemsReturned: items.length });
  return { items, continuation, documentsScanned, rowsMatched, bytesRead, requestUnits };
}

/** Runs one page of a query. */
export async function runQueryPage(container: SqliteContainer, request: QueryRequest, read: Read): Promise<Page> {
  try {
    const prepared = checkedQuery(request, container.info.definition);
    const direct = await runDirectQuery(container, prepared, request, read);
    if (direct !== undefined) {
      container.indexes.observer?.used(container, direct.index);
      const { items, bytes: bytesReturned, looked: documentsScanned, continuation } = direct;
      return pageOf(container, request, {
        items,
        bytesReturned,
        documentsScanned,
        rowsMatched: items.length,
        bytesRead: bytesReturned,
        documentsRead: items.length,
        continuation,
      });
    }
    return await runObserved(container, request, await planAccess(container, request, planQuery(container, request, prepared), read), read);
  } catch (error) {
    if (!isMissingIndex(error)) {
      throw error;
    }
  }
  // Another process dropped the index a moment ago.
  container.database.invalidate();
  return runPlanned(container, request, planQuery(container, request), read);
}

async function runObserved(container: SqliteContainer, request: QueryRequest, query: PlannedQuery, read: Read): Promise<Page> {
  const page = await runPlanned(container, request, query, read);
  const { observer } = container.indexes;
  if (query.access !== undefined) {
    observer?.used(container, query.access.index.name);
  } else if (query.statements.access === 'container') {
    const { parameters } = request;
    observer?.scanned(container, {
      prepared: query.prepared,
      parameters,
      documentsScanned: page.documentsScanned,
      itemsReturned: page.items.length,
    });
  }
  return page;
}

/** Whether a query failed because an index, or a table of one, that it was planned with is gone. */
export function isMissingIndex(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && /no such (?:index|table: \w+_x\d+)/u.test(cause.message);
}

/** {@link runQueryPage} for a query that is planned already. */
export async function runPlanned(container: SqliteContainer, request: QueryRequest, query: PlannedQuery, read: Read): Promise<Page> {
  const { prepared, plan, statements } = query;
  const access = accessByPolicy(prepared, container.info.definition);
  if (plan.aggregates !== undefined && request.continuation === undefined) {
    const rows = await aggregate(container, statements, plan.aggregates, read, request.signal);
    if (rows !== undefined) {
      const bytes = rows.items.reduce<number>((sum, item) => sum + measureValue(item), 0);
      const documentsRead = access === 'served' ? rows.passed : await countScope(container, request, ALL_ORDINALS, read);
      return pageOf(container, request, {
        items: rows.items,
        bytesReturned: bytes,
        documentsScanned: rows.looked,
        rowsMatched: rows.passed,
        bytesRead: 0,
        documentsRead,
        continuation: undefined,
      });
    }
  }
  const { runtime } = container.database;
  const udfs = functionsOfQuery(container.database.userFunctions, request.userDefinedFunctions);
  const { parameters, maxItemCount } = request;
  const { computedProperties, searchPolicy } = containerSettings(container.info.definition);
  const oddFilter = plan.whereIsExact
    ? compileCondition(prepared, { parameters, runtime, computedProperties, udfs, searchPolicy })
    : undefined;
  const page = await executeQuery({
    prepared,
    parameters,
    source: documentSource(
      container,
      statements,
      {
        count: (behind, upTo) => countScope(container, request, { behind, upTo }, read),
        expectedRows: maxItemCount + 1,
        projection: plan.projection,
        oddFilter,
        orderBy: orderOf(query),
        walk: query.walk,
      },
      read,
    ),
    wholeSource: prepared.root.rank === undefined ? undefined : wholeSource(container, query, read),
    textStatistics: (text, terms) => fullTextStatistics(container, text, terms, read),
    whereIsExact: plan.whereIsExact,
    maxItemCount,
    continuation: request.continuation,
    range: request.range,
    signal: request.signal,
    runtime,
    computedProperties,
    udfs,
    searchPolicy,
    access,
  });
  return pageOf(container, request, { ...page, documentsScanned: page.rowsLookedAt });
}

/** Every document of the container, for what FULLTEXTSCORE has to know of all of them. */
function wholeSource(container: SqliteContainer, { plan }: PlannedQuery, read: Read): QuerySource {
  const pathCount = container.info.definition.partitionKey.paths.length;
  const statements = scanStatements(container.number, {
    partitionKeys: undefined,
    pathCount,
    range: undefined,
    ids: undefined,
    filter: undefined,
  });
  const options = { expectedRows: Number.POSITIVE_INFINITY, projection: plan.projection, oddFilter: undefined, orderBy: undefined };
  return documentSource(container, statements, options, read);
}

/** The order in which SQLite can tell the first documents: not where documents come along that give no row in the end. */
export function orderOf({ prepared, plan }: PlannedQuery): SqlOrder | undefined {
  const { root } = prepared;
  return (root.where === undefined || plan.whereIsExact) && !root.distinct && everyRowHasValue(root) ? plan.orderBy : undefined;
}
