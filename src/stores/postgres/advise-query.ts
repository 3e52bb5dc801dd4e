import type { AccessPath } from '../../query/access/access-path.ts';
import { adviseIndex, joinAdvice } from '../../query/explain/advise-index.ts';
import { adviseOrderBy } from '../../query/explain/advise-order-by.ts';
import { countingRequest, type CountQuery } from '../../query/explain/entries-query.ts';
import type { IndexAdvice, PlannedAccess } from '../../store/query-explanation.ts';
import type { ExplainRequest, QueryRequest } from '../../store/store-hooks.ts';
import { canIndex } from '../common/wanted-indexes.ts';
import { tryIndex } from './index-trial.ts';
import { accessOptions } from './indexes/index-access.ts';
import { indexColumns, indexForm } from './indexes/index-columns.ts';
import { seekConditions } from './indexes/index-seek.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { planQuery, runPlanned, type PlannedQuery, type Run } from './postgres-query.ts';
import { accessOf } from './scan-scope.ts';

/** PostgreSQL reads a table by an index up to about this part of it; beyond that it often reads the pages as they come. */
const MAX_SHARE = 0.1;

async function count(container: PostgresContainer, request: QueryRequest, query: CountQuery, run: Run): Promise<number> {
  const counting = countingRequest(request, query);
  const { items } = await runPlanned(container, counting, planQuery(container, counting), run);
  return Number(items[0]);
}

/**
 * The indexes that would help a query that ran: one without which Cosmos DB refuses it, and one that makes it quicker. The second is proved by planning
 * again with its entries counted, and with `analyze` by a trial.
 */
export async function adviseQuery(
  container: PostgresContainer,
  request: ExplainRequest,
  query: PlannedQuery,
  before: PlannedAccess,
  run: Run,
): Promise<readonly IndexAdvice[]> {
  const { prepared, scope } = query;
  const { definition } = container.info;
  const needed = adviseOrderBy(prepared, definition, before);
  if (accessOf(scope) === 'point') {
    return needed;
  }
  const options = accessOptions(container, { request, scope });
  const accepts = (access: AccessPath, entries: number): boolean => {
    const columns = indexColumns(access.index.columns);
    const isTold = columns !== undefined && seekConditions(access, columns) !== undefined;
    return isTold && (access.order !== undefined || entries <= (before.documentsScanned ?? 0) * MAX_SHARE);
  };
  const helpful = await adviseIndex({
    prepared,
    parameters: request.parameters,
    indexes: container.indexes.ranges,
    options,
    before,
    canIndex: (columns) => canIndex(columns, definition, indexForm),
    accepts,
    count: (counting) => count(container, request, counting, run),
    tryOut: request.analyze ? (access) => tryIndex(container, request, query, access) : undefined,
  });
  return joinAdvice(helpful, needed);
}
