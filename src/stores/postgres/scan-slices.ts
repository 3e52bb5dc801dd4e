import { throwIfAborted } from '../../core/errors.ts';
import type { SourceRow } from '../../query/executor/query-source.ts';
import type { FoldedRow } from '../common/folded-rows.ts';
import type { PgRow } from './postgres-database.ts';
import { namedStatement, piece, rowsBehind, statementOf, type Reading, type SqlPiece } from './scan-scope.ts';

/** Runs a statement, inside a transaction or outside. */
export type Run = <R extends PgRow>(statement: {
  readonly text: string;
  readonly values: readonly never[] | SqlPiece['parameters'];
  readonly name?: string | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
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
  /** The documents, where they were read by a {@link SliceReader}; there are no rows then. */
  readonly folded: SourceRow[] | undefined;
  /** How many documents there are. */
  readonly count: number;
  /** The ordinal of the last one. */
  readonly last: number | undefined;
  /** Whether nothing is left behind them. */
  readonly isLast: boolean;
  /** Text in the rows. */
  readonly characters: number;
}

/** Reads a slice in another way than as whole documents. */
export interface SliceReader {
  /** What is selected of the table. */
  readonly columns: string;
  /** Makes one row of rows with these columns; it has `rows`, `last` and `total`. */
  readonly statement: (rows: SqlPiece) => SqlPiece;
  /** The documents of that row; `undefined` where they have to be read whole. */
  readonly read: (row: FoldedRow) => SourceRow[] | undefined;
}

/** Bytes of documents that one slice may have, the last document apart: what is read at once is in memory at once. */
const SLICE_BYTES = 4 * 1024 * 1024;
const LEAST_ROWS = 16;
const MOST_ROWS = 2000;
/** So many times the rows of whole documents are folded into one, of which only a few properties are read. */
const FOLDED_FACTOR = 8;

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
  return {
    rows,
    folded: undefined,
    count: rows.length,
    last: rows.at(-1)?.ordinal,
    isLast: total < limit && rows.length === total,
    characters,
  };
}

/** How many rows the next slice asks for, after one whose rows were long or short. */
export function nextRows(rows: number, { characters, count }: Pick<ScanSlice, 'characters' | 'count'>): number {
  const fitting = count === 0 ? MOST_ROWS : Math.floor(SLICE_BYTES / Math.max(1, characters / count));
  return Math.max(LEAST_ROWS, Math.min(rows * 2, fitting, MOST_ROWS));
}

/** Where a scan starts, and how many rows its reader is likely to take. */
export interface ScanRequest {
  readonly reading: Reading;
  readonly behind: number;
  readonly expectedRows: number;
  readonly signal: AbortSignal | undefined;
  readonly reader?: SliceReader | undefined;
}

/**
 * Walks the documents of a scope in creation order, a slice of bounded size at a time.
 *
 * A document that changes meanwhile is seen in one version or the other, and never twice.
 */
export async function* scanSlices(run: Run, request: ScanRequest): AsyncGenerator<ScanSlice> {
  const { expectedRows, signal, reader } = request;
  let { behind } = request;
  let limit = Math.max(1, Math.min(expectedRows, MOST_ROWS));
  for (;;) {
    const slice =
      (reader === undefined ? undefined : await readFolded(run, request, reader, behind, limit * FOLDED_FACTOR)) ??
      (await readWhole(run, request, behind, limit));
    yield slice;
    throwIfAborted(signal);
    if (slice.isLast) {
      return;
    }
    behind = slice.last ?? behind;
    limit = nextRows(limit, slice);
  }
}

/** A row whose text may be left out since it is long. */
type ShortRow = Omit<ScannedRow, 'body'> & { readonly body: string | null };

/** The columns of a document, without its text where that is longer than so many rows of one statement may be. */
export function shortColumns(rows: number): string {
  return `ordinal, position, ts, CASE WHEN octet_length(body) <= ${Math.floor((2 * SLICE_BYTES) / Math.max(rows, LEAST_ROWS))} THEN body END AS body`;
}

async function readWhole(run: Run, { reading }: ScanRequest, behind: number, limit: number): Promise<ScanSlice> {
  const rows = await run<ShortRow>(namedStatement(rowsBehind(reading, shortColumns(limit), behind, limit), reading));
  const long = rows.findIndex(({ body }) => body === null);
  if (long === 0) {
    return readBounded(run, boundedRows(rowsBehind(reading, 'ordinal, position, ts, body', behind, limit), 'ordinal'), limit);
  }
  const read = (long === -1 ? rows : rows.slice(0, long)) as readonly ScannedRow[];
  return {
    rows: read,
    folded: undefined,
    count: read.length,
    last: read.at(-1)?.ordinal,
    isLast: long === -1 && rows.length < limit,
    characters: read.reduce((sum, { body }) => sum + body.length, 0),
  };
}

interface FoldedSlice extends PgRow {
  readonly rows: number;
  readonly last: number | null;
  readonly total: number | null;
}

async function readFolded(
  run: Run,
  request: ScanRequest,
  reader: SliceReader,
  behind: number,
  limit: number,
): Promise<ScanSlice | undefined> {
  const [row] = await run<FoldedSlice>(statementOf(reader.statement(rowsBehind(request.reading, reader.columns, behind, limit))));
  const folded = row === undefined ? undefined : reader.read(row);
  if (row === undefined || folded === undefined) {
    return undefined;
  }
  const total = row.total ?? 0;
  let characters = 0;
  for (const text of Object.values(row)) {
    characters += typeof text === 'string' ? text.length : 0;
  }
  return { rows: [], folded, count: row.rows, last: row.last ?? undefined, isLast: total < limit && row.rows === total, characters };
}
