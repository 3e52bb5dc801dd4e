import { throwIfAborted } from '../../core/errors.ts';
import type { PgRow } from './postgres-database.ts';
import { piece, statementOf, value, type SqlPiece } from './scan-scope.ts';

/** Runs a statement, inside a transaction or outside. */
export type Run = <R extends PgRow>(statement: {
  readonly text: string;
  readonly values: readonly never[] | SqlPiece['parameters'];
}) => Promise<readonly R[]>;

/** A row that a scan brings. */
export interface ScannedRow extends PgRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly body: string;
}

/** Rows of one statement, in order. */
export interface ScanSlice {
  readonly rows: readonly ScannedRow[];
  /** Whether nothing is left behind them. */
  readonly isLast: boolean;
  /** Text in the rows. */
  readonly characters: number;
}

/** Bytes of documents that one slice may have, the last document apart: what is read at once is in memory at once. */
const SLICE_BYTES = 4 * 1024 * 1024;
const LEAST_ROWS = 16;
const MOST_ROWS = 2000;

/** What rows are made of. */
interface RowShape {
  readonly columns: string;
  /** How many bytes of text a row has. */
  readonly bytes: string;
}

const DOCUMENT_ROWS: RowShape = { columns: 'ordinal, position, ts, body', bytes: 'octet_length(body)' };

/** Of rows in order the first ones that together are not longer than a slice may be, and how many rows there are. */
export function boundedRows(rows: SqlPiece, order: string, { columns, bytes }: RowShape = DOCUMENT_ROWS): SqlPiece {
  return piece`SELECT ${columns}, total FROM (
    SELECT ${columns}, count(*) OVER () AS total, sum(${bytes}) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - (${bytes}) AS behind
    FROM (${rows}) AS found) AS counted WHERE behind < ${String(SLICE_BYTES)} ORDER BY ${order}`;
}

/** Runs a statement of {@link boundedRows} whose rows were limited to `limit`. */
export async function readBounded(run: Run, statement: SqlPiece, limit: number): Promise<ScanSlice> {
  const rows = await run<ScannedRow & { total: number }>(statementOf(statement));
  const total = rows[0]?.total ?? 0;
  const characters = rows.reduce((sum, { body }) => sum + body.length, 0);
  return { rows, isLast: total < limit && rows.length === total, characters };
}

/** How many rows the next slice asks for, after one whose rows were long or short. */
export function nextRows(rows: number, { characters, rows: found }: ScanSlice): number {
  const fitting = found.length === 0 ? MOST_ROWS : Math.floor(SLICE_BYTES / Math.max(1, characters / found.length));
  return Math.max(LEAST_ROWS, Math.min(rows * 2, fitting, MOST_ROWS));
}

/** Where a scan starts, and how many rows its reader is likely to take. */
export interface ScanRequest {
  readonly documents: string;
  readonly condition: SqlPiece;
  readonly behind: number;
  readonly expectedRows: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Walks the documents of a scope in creation order, a slice of bounded size at a time.
 *
 * A document that changes meanwhile is seen in one version or the other, and never twice.
 */
export async function* scanSlices(run: Run, request: ScanRequest): AsyncGenerator<ScanSlice> {
  const { documents, condition, expectedRows, signal } = request;
  let { behind } = request;
  let limit = Math.max(LEAST_ROWS, Math.min(expectedRows, MOST_ROWS));
  for (;;) {
    const rows = piece`SELECT ordinal, position, ts, body FROM ${documents} WHERE ordinal > ${value('bigint', behind)} AND ${condition} ORDER BY ordinal LIMIT ${value('bigint', limit)}`;
    const slice = await readBounded(run, boundedRows(rows, 'ordinal'), limit);
    yield slice;
    throwIfAborted(signal);
    if (slice.isLast) {
      return;
    }
    behind = slice.rows.at(-1)?.ordinal ?? behind;
    limit = nextRows(limit, slice);
  }
}
