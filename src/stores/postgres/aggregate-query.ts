import type { SqlAggregates } from '../../query/compile/common/compile-aggregates.ts';
import type { JsonValue } from '../../core/json.ts';
import type { IndexAccess } from './indexes/index-access.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgRow, PgValue } from './postgres-database.ts';
import { piece, readingOf, statementOf, type Reading, type ScanScope, type SqlPiece } from './scan-scope.ts';
import type { Run } from './scan-slices.ts';

/** The row of a query that PostgreSQL aggregates. */
export interface AggregatedRows {
  readonly items: readonly JsonValue[];
  /** Rows of FROM that passed WHERE. */
  readonly passed: number;
}

/** The statement of the aggregates of a scope. */
export function aggregateStatement({ documents, condition, odd }: Reading, { columns, parameters }: SqlAggregates): SqlPiece {
  const list: SqlPiece = {
    sql: columns.map((column, index) => `${column} AS a${index}, `).join(''),
    parameters: parameters as readonly PgValue[],
  };
  const others = odd === undefined ? '0' : piece`(SELECT count(*) FROM ${documents} WHERE ${odd})`;
  return piece`SELECT ${list}count(*) AS passed, ${others} AS odd FROM ${documents} WHERE ${condition}`;
}

/** Runs the aggregates of a query; undefined where the evaluator has to do it. */
export async function aggregate(
  container: PostgresContainer,
  scope: ScanScope,
  access: IndexAccess | undefined,
  aggregates: SqlAggregates,
  run: Run,
): Promise<AggregatedRows | undefined> {
  const reading = readingOf(container.names.documents, scope, access, container.nowSeconds());
  const [row] = await run<PgRow>(statementOf(aggregateStatement(reading, aggregates)));
  if (Number(row?.['odd'] ?? 0) > 0) {
    return undefined;
  }
  const merger = aggregates.merger();
  merger.add(aggregates.columns.map((_, index) => row?.[`a${index}`] as number | null));
  const items = merger.result();
  return items === undefined ? undefined : { items, passed: merger.rows() ?? Number(row?.['passed'] ?? 0) };
}
