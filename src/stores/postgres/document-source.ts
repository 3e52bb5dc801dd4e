import type { JsonObject } from '../../core/json.ts';
import { isOddText } from '../../query/compile/postgres/odd-documents.ts';
import type { PostgresOrderBy } from '../../query/compile/postgres/compile-order-by.ts';
import type { PostgresProjection } from '../../query/compile/postgres/compile-projection.ts';
import type { QuerySource, SourceBatch, SourceRow } from '../../query/executor/query-source.ts';
import { UNDEFINED_TEXT, unfolder, type FoldedRow } from '../common/folded-rows.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgRow, PgValue } from './postgres-database.ts';
import { piece, scopeCondition, statementOf, value, type ScanScope, type SqlPiece } from './scan-scope.ts';
import { boundedRows, scanSlices, type Run, type ScannedRow, type SliceReader } from './scan-slices.ts';

/** How the documents of a scope are given. */
export interface DocumentSourceOptions {
  /** Counts documents that the query is charged for. */
  readonly count: QuerySource['count'];
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
  /** What the query reads of each; all of it when undefined. */
  readonly projection: PostgresProjection | undefined;
  /** Tells odd documents that pass the filter from those that do not, where PostgreSQL does for all others; otherwise undefined. */
  readonly oddFilter: ((document: JsonObject) => boolean) | undefined;
  /** The order of the query, where PostgreSQL can tell which documents come first in it and WHERE is exact. */
  readonly orderBy: PostgresOrderBy | undefined;
}

/** Rows beyond the number asked for, so that a few whose place is not told do not cost a second look. */
const UNTOLD_ROWS = 64;

/** The documents of a scope, each parsed for this run alone. */
export function documentSource(
  container: PostgresContainer,
  scope: ScanScope,
  { count, expectedRows, projection, oddFilter, orderBy }: DocumentSourceOptions,
  run: Run,
): QuerySource {
  const { documents } = container.names;
  const rowOf = ({ ordinal, position, ts, body }: ScannedRow): SourceRow | undefined => {
    const document = container.documentOf(body, ordinal, position, ts) as unknown as JsonObject;
    return oddFilter === undefined || !isOddText(body) || oddFilter(document) ? { ordinal, document } : undefined;
  };
  const rowsOf = (rows: readonly ScannedRow[]): SourceRow[] => rows.map(rowOf).filter((row) => row !== undefined);
  const reader = projection === undefined ? undefined : foldingReader(container, projection);
  return {
    count,
    async *scan({ afterOrdinal, signal, firstInOrder, skippable }): AsyncGenerator<SourceBatch> {
      const condition = scopeCondition(scope, container.nowSeconds());
      let scannedTo = afterOrdinal;
      if (skippable !== undefined && (scope.filter === undefined || oddFilter !== undefined)) {
        const skipped = await skip(run, documents, condition, afterOrdinal, skippable);
        if (skipped !== undefined) {
          ({ scannedTo } = skipped);
          yield skipped;
        }
      }
      if (orderBy !== undefined && firstInOrder !== undefined) {
        const first = await firstRows(run, documents, condition, scannedTo, orderBy, firstInOrder);
        if (first !== undefined) {
          const bytes = first.reduce((sum, { body }) => sum + body.length, 0);
          yield { rows: rowsOf(first), scannedTo: Number.MAX_SAFE_INTEGER, looked: first.length, bytes };
          return;
        }
      }
      for await (const slice of scanSlices(run, { documents, condition, behind: scannedTo, expectedRows, signal, reader })) {
        const rows = slice.folded ?? rowsOf(slice.rows);
        scannedTo = slice.last ?? scannedTo;
        yield { rows, scannedTo, looked: slice.count, bytes: slice.characters };
      }
    },
  };
}

/** Reads of documents only what a query reads, folded into one row; a slice with odd documents is read whole. */
function foldingReader(container: PostgresContainer, projection: PostgresProjection): SliceReader {
  const { columns, readsSystemProperties } = projection;
  const names = columns.map((_, index) => `p${index}`);
  const unfold = unfolder(container, projection);
  const cut = columns.map((column, index) => `coalesce(${column}, '${UNDEFINED_TEXT}') AS p${index}`);
  const together = (column: string): string => `string_agg(${column}, ',' ORDER BY ordinal)`;
  const folded = [
    'count(*) AS rows',
    'max(ordinal) AS last',
    'max(total) AS total',
    'count(*) FILTER (WHERE odd) AS odd',
    `${together('ordinal::text')} AS ordinals`,
    ...(readsSystemProperties ? [`${together('position::text')} AS positions`, `${together('ts::text')} AS times`] : []),
    ...names.map((name) => `${together(name)} AS ${name}`),
  ];
  return {
    columns: ['ordinal', 'position', 'ts', 'doc IS NULL AS odd', ...cut].join(', '),
    statement: (rows) => {
      const bytes = ['0', ...names.map((name) => `octet_length(${name})`)].join(' + ');
      const bounded = boundedRows(rows, 'ordinal', { columns: ['ordinal', 'position', 'ts', 'odd', ...names].join(', '), bytes });
      return piece`SELECT ${folded.join(', ')} FROM (${bounded}) AS bounded`;
    },
    read: (row: FoldedRow) => (Number(row['odd']) > 0 ? undefined : unfold(row)),
  };
}

interface SkippedRow extends PgRow {
  readonly n: number;
  readonly odd: number;
  readonly last: number | null;
}

/** Counts documents without reading them; `undefined` where some are odd, of which the filter says nothing. */
async function skip(run: Run, documents: string, condition: SqlPiece, behind: number, count: number): Promise<SourceBatch | undefined> {
  const rows = piece`SELECT ordinal, doc IS NULL AS odd FROM ${documents} WHERE ordinal > ${value('bigint', behind)} AND ${condition} ORDER BY ordinal LIMIT ${value('bigint', count)}`;
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
  documents: string,
  condition: SqlPiece,
  behind: number,
  orderBy: PostgresOrderBy,
  count: number,
): Promise<readonly ScannedRow[] | undefined> {
  const limit = count + UNTOLD_ROWS;
  const untold: SqlPiece = { sql: `((${orderBy.unless.sql}) IS TRUE)`, parameters: orderBy.unless.parameters as readonly PgValue[] };
  const order: SqlPiece = { sql: orderBy.sql, parameters: orderBy.parameters as readonly PgValue[] };
  // Only what the order needs is sorted; whole documents are looked up for those that come first.
  const first = piece`SELECT ordinal AS place, ${untold} AS untold FROM ${documents} WHERE ordinal > ${value('bigint', behind)} AND ${condition} ORDER BY untold DESC, ${order} LIMIT ${value('bigint', limit)}`;
  const statement = piece`SELECT ordinal, position, ts, body, untold FROM (${first}) AS first JOIN ${documents} ON ordinal = place ORDER BY ordinal`;
  const rows = await run<ScannedRow & { untold: boolean }>(statementOf(statement));
  const untoldRows = rows.reduce((sum, row) => sum + (row.untold ? 1 : 0), 0);
  return rows.length < limit || untoldRows <= UNTOLD_ROWS ? rows : undefined;
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
