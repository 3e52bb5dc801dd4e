import type { QueryRequest } from '../../store/store-hooks.ts';
import { aggregateStatement } from './aggregate-query.ts';
import { groupedStatement } from './grouped-query.ts';
import { walkStatement } from './indexes/walk-documents.ts';
import { nearestStatement } from './vectors/nearest-read.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { toldReading, type PlannedQuery } from './postgres-query.ts';
import { readingOf, rowsBehind, type SqlPiece } from './scan-scope.ts';
import { shortColumns } from './scan-slices.ts';

/** The statement of a query that makes its rows, or reads its first documents, from the container's table or from one like it. */
export function mainStatement(
  container: PostgresContainer,
  { maxItemCount }: QueryRequest,
  query: PlannedQuery,
  documents: string = container.names.documents,
): SqlPiece {
  const { plan, scope, access, groups, nearest } = query;
  const reading = readingOf(documents, scope, access, container.nowSeconds());
  if (plan.aggregates !== undefined) {
    return aggregateStatement(reading, plan.aggregates);
  }
  if (nearest !== undefined) {
    return nearestStatement(nearest, toldReading(container, query, documents));
  }
  if (groups !== undefined) {
    return groupedStatement(toldReading(container, query, documents), groups, maxItemCount + 1);
  }
  return access?.walk === undefined
    ? rowsBehind(reading, shortColumns(maxItemCount + 1), 0, maxItemCount + 1)
    : walkStatement(access.walk, reading, maxItemCount + 1);
}
