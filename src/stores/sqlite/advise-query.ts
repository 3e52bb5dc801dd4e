import type { AccessPath } from '../../query/access/access-path.ts';
import { pathKey } from '../../query/access/query-conditions.ts';
import { adviseIndex, joinAdvice } from '../../query/explain/advise-index.ts';
import { adviseOrderBy } from '../../query/explain/advise-order-by.ts';
import { countingRequest, type CountQuery } from '../../query/explain/entries-query.ts';
import type { IndexAdvice, PlannedAccess } from '../../store/query-explanation.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import { tableNames } from './container-statements.ts';
import { get } from './driver.ts';
import { accessOptions, MAX_COLLECTED, MAX_COUNTED } from './indexes/index-access.ts';
import { indexExpressions } from './indexes/index-expressions.ts';
import { isInCreationOrder, seekConditions } from './indexes/index-seek.ts';
import { MAX_SHARE } from './indexes/ordered-walk.ts';
import { isIndexable } from './indexes/wanted-indexes.ts';
import type { Read } from './scan-slices.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import { accessQuery, planQuery, runPlanned, type PlannedQuery } from './sqlite-query.ts';

/** Whether the store goes through with an access, once it has counted its entries. */
function goesThrough(container: SqliteContainer, access: AccessPath, entries: number): boolean {
  const conditions = seekConditions(access, indexExpressions(access.index.columns) ?? []);
  if (conditions === undefined) {
    return false;
  }
  if (access.order !== undefined) {
    // A walk on which few documents pass is given up.
    return conditions.length === 1 && (access.coversFilter || entries <= container.position * MAX_SHARE);
  }
  return entries <= MAX_COLLECTED || isInCreationOrder(access);
}

/** How many documents the partition keys of a query have, where it is read by these; counted no further than the planner does. */
async function partitionSize(container: SqliteContainer, { statements }: PlannedQuery, read: Read): Promise<number | undefined> {
  const { lookup, access } = statements;
  if (access !== 'partition' || lookup === undefined) {
    return undefined;
  }
  const { documents } = tableNames(container.number);
  const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${documents} INDEXED BY ${documents}_pk WHERE ${lookup.sql} LIMIT ${MAX_COUNTED})`;
  return (await read(() => get<{ n: number }>(sql, ...lookup.parameters)))?.n ?? 0;
}

async function count(container: SqliteContainer, request: QueryRequest, query: CountQuery, read: Read): Promise<number> {
  const counting = countingRequest(request, query);
  const { items } = await runPlanned(container, counting, planQuery(container, counting), read);
  return Number(items[0]);
}

/** The indexes that would help a query that ran; one that Cosmos DB would miss, and one that makes the query quicker. */
export async function adviseQuery(
  container: SqliteContainer,
  request: QueryRequest,
  query: PlannedQuery,
  before: PlannedAccess,
  read: Read,
): Promise<readonly IndexAdvice[]> {
  const { prepared } = query;
  const { definition } = container.info;
  const needed = adviseOrderBy(prepared, definition, before);
  if (query.statements.access === 'point') {
    return needed;
  }
  const options = accessOptions(container, accessQuery(container, request, query));
  const size = await partitionSize(container, query, read);
  const isWithin = ({ index, equal }: AccessPath): boolean =>
    index.columns.slice(0, equal.length).some(({ path }) => options.known?.some((one) => pathKey(one.path) === pathKey(path)) === true);
  const helpful = await adviseIndex({
    prepared,
    parameters: request.parameters,
    indexes: container.indexes.ranges,
    options: size === undefined || size >= MAX_COUNTED ? options : { ...options, otherwise: size },
    before,
    canIndex: (columns) => isIndexable(columns, definition),
    accepts: (access, entries) =>
      // Beside few documents of a partition key only an index that begins with the key is looked at.
      (size === undefined || size >= MAX_COUNTED || isWithin(access)) && goesThrough(container, access, entries),
    count: (counting) => count(container, request, counting, read),
  });
  return joinAdvice(helpful, needed);
}
