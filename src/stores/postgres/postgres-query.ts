import type { IndexDefinition } from '../../query/access/index-definition.ts';
import type { SqlOrder } from '../../query/compile/common/order-keys.ts';
import type { SqlPlan } from '../../query/compile/common/sql-plan.ts';
import type { JsonValue } from '../../core/json.ts';
import { cachedPostgresPlan } from '../../query/compile/postgres/postgres-plan-cache.ts';
import { containerSettings } from '../../query/container-settings.ts';
import { pageUnits } from '../../query/cost/page-units.ts';
import { accessByPolicy } from '../../query/cost/query-work.ts';
import { compileCondition } from '../../query/evaluator/condition.ts';
import { everyRowHasValue } from '../../query/executor/every-row-has-value.ts';
import { executeQuery } from '../../query/executor/execute-query.ts';
import { measureValue } from '../../query/executor/measure-value.ts';
import { queryCounts } from '../../query/query-counts.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import { functionsOfQuery } from '../../query/user-functions.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { checkedQuery, queryScope } from '../common/query-scope.ts';
import { aggregate } from './aggregate-query.ts';
import { countDocuments, documentSource, type ScannedSpan } from './document-source.ts';
import { runDirectQuery } from './indexes/direct-query.ts';
import { indexAccess, type IndexAccess } from './indexes/index-access.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgValue } from './postgres-database.ts';
import { group, groupedShape, type GroupedShape } from './grouped-query.ts';
import { nearestRead, nearestReading, type NearestRead } from './vectors/nearest-read.ts';
import { accessOf, piece, readingOf, type Reading, type ScanScope, type SqlPiece } from './scan-scope.ts';
import type { Run } from './scan-slices.ts';

export type { Run } from './scan-slices.ts';

const COLUMNS = { body: 'body', doc: 'doc', id: 'id', ts: 'ts' } as const;
const WHOLE_CONTAINER = {
  count: undefined,
  expectedRows: Number.POSITIVE_INFINITY,
  oddFilter: undefined,
  orderBy: undefined,
  access: undefined,
  onSpan: () => undefined,
} as const;

/** A query with what PostgreSQL does of it. */
export interface PlannedQuery {
  readonly prepared: PreparedQuery;
  readonly scope: ScanScope;
  readonly plan: SqlPlan;
  /** Whether partition keys or ids in WHERE narrow what is read. */
  readonly isNarrowed: boolean;
  readonly hasIds: boolean;
  /** How an index serves it, where one does. */
  readonly access: IndexAccess | undefined;
  /** How PostgreSQL makes its groups, where it does. */
  readonly groups: GroupedShape | undefined;
  /** How an approximate index leads to the nearest vectors, where it does. */
  readonly nearest: NearestRead | undefined;
}

/** Prepares a query and compiles what PostgreSQL can do of it, with some indexes to choose from: those that are ready, unless said otherwise. */
export function planQuery(
  container: PostgresContainer,
  request: QueryRequest,
  prepared: PreparedQuery = checkedQuery(request, container.info.definition),
  ranges: readonly IndexDefinition[] = container.indexes.ranges,
): PlannedQuery {
  const { definition } = container.info;
  const computedProperties = new Set(definition.computedProperties.map(({ name }) => name));
  const plan = cachedPostgresPlan(prepared, request.parameters, { columns: COLUMNS, computedProperties });
  const { scope, isNarrowed } = queryScope(prepared, request, definition);
  const filter = plan.filter === undefined ? undefined : { sql: plan.filter.sql, parameters: plan.filter.parameters as readonly PgValue[] };
  const access = indexAccess(container, { prepared, request, scope, filter: plan.filter, ranges });
  const isTold = prepared.root.where === undefined || plan.filter?.exact === true;
  const groups =
    isTold && plan.aggregates === undefined && !container.untoldGroups.has(prepared)
      ? groupedShape(prepared, computedProperties)
      : undefined;
  const nearest = nearestRead(container, prepared, request, plan.whereIsExact);
  return { prepared, plan, scope: { ...scope, filter }, isNarrowed, hasIds: scope.ids !== undefined, access, groups, nearest };
}

/** A page as a backend's hook gives it. */
type Page = Omit<QueryPage<unknown>, 'session'>;

/** Runs one page of a query. */
export async function runQueryPage(container: PostgresContainer, request: QueryRequest, run: Run): Promise<Page> {
  await container.indexes.refresh(container, run);
  const { definition } = container.info;
  const prepared = checkedQuery(request, definition);
  const direct = await runDirectQuery(container, prepared, request, run);
  if (direct !== undefined) {
    container.indexes.observer?.used(container, direct.index);
    const { items, bytes, looked, continuation } = direct;
    return {
      items,
      continuation,
      documentsScanned: looked,
      rowsMatched: items.length,
      bytesRead: bytes,
      requestUnits: pageUnits(request, definition.partitionKey, {
        bytesReturned: bytes,
        documentsRead: items.length,
        itemsReturned: items.length,
      }),
    };
  }
  return runObserved(container, request, planQuery(container, request, prepared), run);
}

async function runObserved(container: PostgresContainer, request: QueryRequest, query: PlannedQuery, run: Run): Promise<Page> {
  const page = await runPlanned(container, request, query, run);
  const { observer } = container.indexes;
  const { prepared, access, scope } = query;
  if (access?.path !== undefined) {
    observer?.used(container, access.path.index.name);
  } else if (access === undefined && accessOf(scope) === 'container') {
    const { parameters } = request;
    observer?.scanned(container, { prepared, parameters, documentsScanned: page.documentsScanned, itemsReturned: page.items.length });
  }
  return page;
}

/** {@link runQueryPage} for a query that is planned already. */
export async function runPlanned(container: PostgresContainer, request: QueryRequest, query: PlannedQuery, run: Run): Promise<Page> {
  const { prepared, plan, scope, access: served, nearest } = query;
  const { definition } = container.info;
  const { runtime } = container.database;
  const { parameters, maxItemCount, continuation, range, signal } = request;
  const { computedProperties, searchPolicy } = containerSettings(definition);
  const asked: ScanScope = {
    partitionKeys: request.partitionKey === undefined ? undefined : [request.partitionKey],
    pathCount: definition.partitionKey.paths.length,
    range,
  };
  const whole: ScanScope = { partitionKeys: undefined, pathCount: asked.pathCount, range: undefined };
  const access = accessByPolicy(prepared, definition);
  const countAsked = (behind: number, upTo: number): Promise<number> => countDocuments(container, asked, behind, upTo, run);
  const countScanned = (behind: number, upTo: number): Promise<number> =>
    countDocuments(container, { ...scope, filter: undefined }, behind, upTo, run);
  if (continuation === undefined) {
    const rows =
      plan.aggregates === undefined
        ? query.groups && (await group(toldReading(container, query), query.groups, maxItemCount, run))
        : await aggregate(container, scope, served, plan.aggregates, run);
    if (rows !== undefined) {
      const isScan = served === undefined && scope.filter !== undefined && accessOf(scope) !== 'point';
      const bytesReturned = rows.items.reduce<number>((sum, item) => sum + measureValue(item), 0);
      const documentsRead = access === 'served' ? rows.passed : await countAsked(0, Number.MAX_SAFE_INTEGER);
      return {
        items: rows.items,
        continuation: undefined,
        documentsScanned: isScan ? await countScanned(0, Number.MAX_SAFE_INTEGER) : rows.passed,
        rowsMatched: rows.passed,
        bytesRead: 0,
        requestUnits: pageUnits(request, definition.partitionKey, { bytesReturned, documentsRead, itemsReturned: rows.items.length }),
      };
    }
    if (query.groups !== undefined) {
      container.untoldGroups.add(prepared);
    }
  }
  const udfs = functionsOfQuery(container.userFunctions, request.userDefinedFunctions);
  const oddFilter = plan.whereIsExact
    ? compileCondition(prepared, { parameters, runtime, computedProperties, udfs, searchPolicy })
    : undefined;
  const spans: ScannedSpan[] = [];
  const page = await executeQuery({
    prepared,
    parameters,
    source: documentSource(
      container,
      scope,
      {
        count: countAsked,
        expectedRows: expectedRows(request, query),
        projection: plan.projection,
        oddFilter,
        orderBy: orderOf(query),
        access: served,
        nearest: nearest && (() => nearestReading(container, nearest, toldReading(container, query), run)),
        onSpan: (span) => spans.push(span),
      },
      run,
    ),
    wholeSource:
      prepared.root.rank === undefined
        ? undefined
        : documentSource(container, whole, { ...WHOLE_CONTAINER, projection: plan.projection }, run),
    whereIsExact: plan.whereIsExact,
    maxItemCount,
    continuation,
    range,
    signal,
    runtime,
    computedProperties,
    udfs,
    searchPolicy,
    access,
  });
  let documentsScanned = page.rowsLookedAt;
  for (const { behind, upTo, told } of spans) {
    documentsScanned += (await countScanned(behind, upTo)) - told;
  }
  return {
    items: page.items as readonly JsonValue[],
    continuation: page.continuation,
    documentsScanned,
    rowsMatched: page.rowsMatched,
    bytesRead: page.bytesRead,
    requestUnits: pageUnits(request, definition.partitionKey, { ...page, itemsReturned: page.items.length }),
  };
}

/** Fewer rows are not worth a statement of their own, where some of them may not pass. */
const LEAST_ROWS = 16;

/** How many documents a page is likely to take. */
function expectedRows({ maxItemCount, parameters }: QueryRequest, { prepared, plan, nearest }: PlannedQuery): number {
  if (nearest !== undefined) {
    return nearest.candidates + 1;
  }
  const { top, limit, offset } = queryCounts(prepared, parameters);
  const taken = Math.min(maxItemCount + 1, (top ?? limit ?? Number.POSITIVE_INFINITY) + (offset ?? 0));
  return plan.whereIsExact && everyRowHasValue(prepared.root) ? Math.max(1, taken) : Math.max(LEAST_ROWS, taken);
}

/** Reads the documents that pass, odd ones apart. */
export function toldReading(
  container: PostgresContainer,
  { plan, scope, access }: PlannedQuery,
  documents: string = container.names.documents,
): Reading {
  const { filter } = plan;
  const passing: SqlPiece =
    filter === undefined ? piece`true` : { sql: filter.told.sql, parameters: filter.told.parameters as readonly PgValue[] };
  const told = access ?? { told: piece`doc IS NOT NULL AND (${passing})`, nameOf: undefined };
  return readingOf(documents, scope, told, container.nowSeconds());
}

/** The order in which PostgreSQL can tell the first documents: not where documents come along that give no row in the end. */
export function orderOf({ prepared, plan }: PlannedQuery): SqlOrder | undefined {
  const { root } = prepared;
  return (root.where === undefined || plan.whereIsExact) && !root.distinct && everyRowHasValue(root) ? plan.orderBy : undefined;
}
