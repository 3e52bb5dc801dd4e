import type { JsonValue } from '../../core/json.ts';
import { containerSettings } from '../../query/container-settings.ts';
import { pageUnits } from '../../query/cost/page-units.ts';
import { accessByPolicy } from '../../query/cost/query-work.ts';
import { executeQuery } from '../../query/executor/execute-query.ts';
import { checkOrderByIndexes } from '../../query/index-policy/check-order-by.ts';
import { prepareQuery } from '../../query/prepare-query.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import { functionsOfQuery } from '../../query/user-functions.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { queryScope } from '../common/query-scope.ts';
import { countDocuments, documentSource } from './document-source.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { ScanScope } from './scan-scope.ts';
import type { Run } from './scan-slices.ts';

export type { Run } from './scan-slices.ts';

/** A query with what PostgreSQL does of it. */
export interface PlannedQuery {
  readonly prepared: PreparedQuery;
  readonly scope: ScanScope;
  /** Whether partition keys or ids in WHERE narrow what is read. */
  readonly isNarrowed: boolean;
  readonly hasIds: boolean;
}

/** Prepares a query and compiles what PostgreSQL can do of it. */
export function planQuery(container: PostgresContainer, request: QueryRequest): PlannedQuery {
  const { definition } = container.info;
  const prepared = prepareQuery(request.query);
  checkOrderByIndexes(prepared, definition, request.orderBy);
  const { scope, isNarrowed } = queryScope(prepared, request, definition);
  return { prepared, scope, isNarrowed, hasIds: scope.ids !== undefined };
}

/** A page as a backend's hook gives it. */
type Page = Omit<QueryPage<unknown>, 'session'>;

/** Runs one page of a query. */
export function runQueryPage(container: PostgresContainer, request: QueryRequest, run: Run): Promise<Page> {
  return runPlanned(container, request, planQuery(container, request), run);
}

/** {@link runQueryPage} for a query that is planned already. */
export async function runPlanned(container: PostgresContainer, request: QueryRequest, query: PlannedQuery, run: Run): Promise<Page> {
  const { prepared, scope } = query;
  const { definition } = container.info;
  const { parameters, maxItemCount, continuation, range, signal } = request;
  const { computedProperties, searchPolicy } = containerSettings(definition);
  const asked: ScanScope = {
    partitionKeys: request.partitionKey === undefined ? undefined : [request.partitionKey],
    pathCount: definition.partitionKey.paths.length,
    range,
  };
  const whole: ScanScope = { partitionKeys: undefined, pathCount: asked.pathCount, range: undefined };
  const page = await executeQuery({
    prepared,
    parameters,
    source: documentSource(
      container,
      scope,
      { count: (behind, upTo) => countDocuments(container, asked, behind, upTo, run), expectedRows: maxItemCount + 1 },
      run,
    ),
    wholeSource:
      prepared.root.rank === undefined
        ? undefined
        : documentSource(container, whole, { count: undefined, expectedRows: Number.POSITIVE_INFINITY }, run),
    maxItemCount,
    continuation,
    range,
    signal,
    runtime: container.database.runtime,
    computedProperties,
    udfs: functionsOfQuery(container.userFunctions, request.userDefinedFunctions),
    searchPolicy,
    access: accessByPolicy(prepared, definition),
  });
  return {
    items: page.items as readonly JsonValue[],
    continuation: page.continuation,
    documentsScanned: page.rowsLookedAt,
    rowsMatched: page.rowsMatched,
    bytesRead: page.bytesRead,
    requestUnits: pageUnits(request, definition.partitionKey, { ...page, itemsReturned: page.items.length }),
  };
}
