import type { SqlAggregates } from '../../query/compile/common/compile-aggregates.ts';
import { throwIfAborted } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import type { SqliteRow } from './driver.ts';
import { scanSlices, type Read, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** The row of a query that SQLite aggregates. */
export interface AggregatedRows {
  readonly items: readonly JsonValue[];
  readonly looked: number;
  /** Rows of FROM that passed WHERE. */
  readonly passed: number;
}

/** The SELECT list of the aggregates, and how many documents passed. */
export function aggregateColumns({ columns, parameters }: SqlAggregates): SliceColumns {
  return { sql: [...columns.map((column, index) => `${column} AS a${index}`), 'COUNT(*) AS passed'].join(', '), parameters, fold: 'any' };
}

/** Aggregates slice by slice, so that others have their turn between slices; undefined where the evaluator has to do it. */
export async function aggregate(
  container: SqliteContainer,
  statements: ScanStatements,
  aggregates: SqlAggregates,
  read: Read,
  signal: AbortSignal | undefined,
): Promise<AggregatedRows | undefined> {
  throwIfAborted(signal);
  const merger = aggregates.merger();
  const columns = aggregateColumns(aggregates);
  let looked = 0;
  let passed = 0;
  for await (const slice of scanSlices(container, statements, { behind: 0, expectedRows: 0, signal, columns }, read)) {
    const row: SqliteRow = slice.rows[0] ?? {};
    const cells = aggregates.columns.map((_, index) => row[`a${index}`]);
    merger.add(cells);
    looked += slice.looked;
    passed += Number(row['passed'] ?? 0);
  }
  const items = merger.result();
  return items === undefined ? undefined : { items, looked, passed: merger.rows() ?? passed };
}
