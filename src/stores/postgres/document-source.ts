import type { SqlOrder } from '../../query/compile/common/order-keys.ts';
import type { SqlProjection } from '../../query/compile/common/sql-plan.ts';
import { throwIfAborted } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { isOddText } from '../../query/compile/postgres/odd-documents.ts';
import type { QuerySource, SourceBatch, SourceRow } from '../../query/executor/query-source.ts';
import type { IndexAccess } from './indexes/index-access.ts';
import { firstByIndex, walkInOrder } from './indexes/walk-documents.ts';
import { foldingReader } from './folding-reader.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgRow, PgValue } from './postgres-database.ts';
import {
  piece,
  readingOf,
  rowsBehind,
  scopeCondition,
  statementOf,
  value,
  type Reading,
  type ScanScope,
  type SqlPiece,
} from './scan-scope.ts';
import { scanSlices, type Run, type ScannedRow } from './scan-slices.ts';

/** Documents that a scan went through, of which it says only how many it gave. */
export interface ScannedSpan {
  readonly behind: number;
  upTo: number;
  /** How many it said it looked at. */
  told: number;
}

/** How the documents of a scope are given. */
export interface DocumentSourceOptions {
  /** Counts documents that the query is charged for. */
  readonly count: QuerySource['count'];
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
  /** What the query reads of each; all of it when undefined. */
  readonly projection: SqlProjection | undefined;
  /** Tells odd documents that pass the filter from those that do not, where PostgreSQL does for all others; otherwise undefined. */
  readonly oddFilter: ((document: JsonObject) => boolean) | undefined;
  /** The order of the query, where PostgreSQL can tell which documents come first in it and WHERE is exact. */
  readonly orderBy: SqlOrder | undefined;
  /** The index that serves the query. */
  readonly access: IndexAccess | undefined;
  /** Gives what is read in place of all documents, where an approximate index leads to enough of them. */
  readonly nearest?: (() => Promise<Reading | undefined>) | undefined;
  /** Is told of spans that no index led through, and of which only some documents were given. */
  readonly onSpan: (span: ScannedSpan) => void;
}

/** Rows beyond the number asked for, so that a few whose place is not told do not cost a second look. */
export const UNTOLD_ROWS = 64;

/** The documents of a scope, each parsed for this run alone. */
export function documentSource(
  container: PostgresContainer,
  scope: ScanScope,
  { count, expectedRows, projection, oddFilter, orderBy, access, nearest, onSpan }: DocumentSourceOptions,
  run: Run,
): QuerySource {
  const wholeOf = ({ ordinal, position, ts, body }: ScannedRow): JsonObject =>
    container.documentOf(body, ordinal, position, ts) as unknown as JsonObject;
  const rowOf = (row: ScannedRow): SourceRow | undefined => {
    const document = wholeOf(row);
    return oddFilter === undefined || !isOddText(row.body) || oddFilter(document) ? { ordinal: row.ordinal, document } : undefined;
  };
  const rowsOf = (rows: readonly ScannedRow[]): SourceRow[] => rows.map(rowOf).filter((row) => row !== undefined);
  const reader = projection === undefined ? undefined : foldingReader(container, projection);
  const reading = (): Reading => readingOf(container.names.documents, scope, access, container.nowSeconds());
  const isSelective = scope.filter !== undefined && access === undefined && scope.ids === undefined;
  const walk = access?.walk;
  return {
    count,
    ordered: walk === undefined ? undefined : (request) => walkInOrder(walk, reading(), request, wholeOf, run),
    async *scan({ afterOrdinal, signal, firstInOrder, skippable }): AsyncGenerator<SourceBatch> {
      const candidates = await nearest?.();
      throwIfAborted(signal);
      const read = candidates ?? reading();
      const span: ScannedSpan = { behind: afterOrdinal, upTo: afterOrdinal, told: 0 };
      const isFirst = orderBy !== undefined && firstInOrder !== undefined;
      if (candidates === undefined && (isSelective || (isFirst && access === undefined))) {
        onSpan(span);
      }
      const batch = (one: SourceBatch): SourceBatch => {
        span.upTo = one.scannedTo;
        span.told += one.looked;
        return one;
      };
      let scannedTo = afterOrdinal;
      if (skippable !== undefined && (scope.filter === undefined || oddFilter !== undefined)) {
        const skipped = await skip(run, read, afterOrdinal, skippable);
        if (skipped !== undefined) {
          ({ scannedTo } = skipped);
          yield batch(skipped);
        }
      }
      if (isFirst) {
        const first =
          walk !== undefined && scannedTo === 0
            ? await firstByIndex(walk, read, firstInOrder, rowOf, run)
            : await firstRows(run, read, scannedTo, orderBy, firstInOrder).then((rows) => rows && { rows: rowsOf(rows), ...sizeOf(rows) });
        throwIfAborted(signal);
        if (first !== undefined) {
          yield batch({ ...first, scannedTo: Number.MAX_SAFE_INTEGER });
          return;
        }
      }
      for await (const slice of scanSlices(run, { reading: read, behind: scannedTo, expectedRows, signal, reader })) {
        const rows = slice.folded ?? rowsOf(slice.rows);
        scannedTo = slice.last ?? scannedTo;
        const one = batch({ rows, scannedTo, looked: slice.count, bytes: slice.characters });
        span.upTo = slice.isLast ? Number.MAX_SAFE_INTEGER : scannedTo;
        yield one;
      }
    },
  };
}

function sizeOf(rows: readonly ScannedRow[]): { readonly looked: number; readonly bytes: number } {
  return { looked: rows.length, bytes: rows.reduce((sum, { body }) => sum + body.length, 0) };
}

interface SkippedRow extends PgRow {
  readonly n: number;
  readonly odd: number;
  readonly last: number | null;
}

/** Counts documents without reading them; `undefined` where some are odd, of which the filter says nothing. */
async function skip(run: Run, reading: Reading, behind: number, count: number): Promise<SourceBatch | undefined> {
  const rows = rowsBehind(reading, 'ordinal, doc IS NULL AS odd', behind, count);
  const statement = piece`SELECT count(*) AS n, count(*) FILTER (WHERE odd) AS odd, max(ordinal) AS last FROM (${rows}) AS skipped`;
  const [row] = await run<SkippedRow>(statementOf(statement));
  return row === undefined || row.last === null || row.odd > 0
    ? undefined
    : { rows: [], scannedTo: row.last, looked: row.n, skipped: row.n };
}

/**
 * The first documents of the scope in an order, and all whose place in it is not told, in creation order; `undefined` where there are too many of
 * these.
 */
async function firstRows(
  run: Run,
  { documents, condition, odd }: Reading,
  behind: number,
  orderBy: SqlOrder,
  count: number,
): Promise<readonly ScannedRow[] | undefined> {
  const limit = count + UNTOLD_ROWS;
  const untold: SqlPiece = { sql: `((${orderBy.unless.sql}) IS TRUE)`, parameters: orderBy.unless.parameters as readonly PgValue[] };
  const order: SqlPiece = { sql: orderBy.sql, parameters: orderBy.parameters as readonly PgValue[] };
  // Only what the order needs is sorted; whole documents are looked up for those that come first.
  const told = piece`SELECT ordinal AS place, ${untold} AS untold, false AS odd FROM ${documents} WHERE ordinal > ${value('bigint', behind)} AND ${condition} ORDER BY untold DESC, ${order} LIMIT ${String(limit)}`;
  const first =
    odd === undefined
      ? told
      : piece`(${told}) UNION ALL (SELECT ordinal, true, true FROM ${documents} WHERE ordinal > ${value('bigint', behind)} AND ${odd} LIMIT ${String(UNTOLD_ROWS + 1)})`;
  const statement = piece`SELECT ordinal, position, ts, body, untold, odd FROM (${first}) AS first JOIN ${documents} ON ordinal = place ORDER BY ordinal`;
  const rows = await run<ScannedRow & { untold: boolean; odd: boolean }>(statementOf(statement));
  const oddRows = rows.reduce((sum, row) => sum + (row.odd ? 1 : 0), 0);
  const untoldRows = rows.reduce((sum, row) => sum + (row.untold && !row.odd ? 1 : 0), 0);
  const areAll = rows.length - oddRows < limit || untoldRows <= UNTOLD_ROWS;
  return areAll && oddRows <= UNTOLD_ROWS ? rows : undefined;
}

/** Counts the living documents of a scope with an ordinal above one and up to another. */
export async function countDocuments(
  container: PostgresContainer,
  scope: ScanScope,
  behind: number,
  upTo: number,
  run: Run,
): Promise<number> {
  const condition = scopeCondition(scope, container.nowSeconds());
  const statement = piece`SELECT count(*) AS n FROM ${container.names.documents} WHERE ordinal > ${value('bigint', behind)} AND ordinal <= ${value('bigint', Math.min(upTo, Number.MAX_SAFE_INTEGER))} AND ${condition}`;
  return (await run<{ n: number }>(statementOf(statement)))[0]?.n ?? 0;
}
