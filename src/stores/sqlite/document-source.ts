import type { SqlOrder } from '../../query/compile/common/order-keys.ts';
import type { SqlProjection } from '../../query/compile/common/sql-plan.ts';
import type { JsonObject } from '../../core/json.ts';
import { isOddText } from '../../query/compile/sqlite/odd-documents.ts';
import type { OrderedBatch, OrderedScan, QuerySource, SourceBatch, SourceRow } from '../../query/executor/query-source.ts';
import type { SqliteRow } from './driver.ts';
import { walkInOrder, type OrderedWalk } from './indexes/ordered-walk.ts';
import { UNDEFINED_TEXT, unfolder, valuesOf, wholeUnfolder } from '../common/folded-rows.ts';
import { BODY_TEXT } from './container-statements.ts';
import { LOST_COLUMNS, scanSlices, type Read, type ScannedRow, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** How the documents of a query are read. */
export interface DocumentSourceOptions {
  readonly count?: QuerySource['count'];
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
  /** What the query reads of each; all of it when undefined. */
  readonly projection: SqlProjection | undefined;
  /** Tells odd documents that pass the filter from those that do not, where SQLite does for all others; otherwise undefined. */
  readonly oddFilter: ((document: JsonObject) => boolean) | undefined;
  /** The order of the query, where SQLite can tell which documents come first in it and WHERE is exact. */
  readonly orderBy: SqlOrder | undefined;
  /** The walk over an index that has the order of the query. */
  readonly walk?: OrderedWalk | undefined;
}

const HEAD: readonly string[] = ['COUNT(*) AS passed', LOST_COLUMNS, 'group_concat(ordinal) AS ordinals'];
/** What system properties follow from. */
const SYSTEM: readonly string[] = ['group_concat(position) AS positions', 'group_concat(ts) AS times'];

/** The SELECT list that cuts out what a query reads: for each property one text with its values in all documents of a slice, which is parsed in one go. */
export function projectedColumns({ columns, readsSystemProperties }: SqlProjection): SliceColumns {
  const cut = columns.map((column, index) => `group_concat(ifnull(${column}, '${UNDEFINED_TEXT}')) AS p${index}`);
  return { sql: [...HEAD, ...(readsSystemProperties ? SYSTEM : []), ...cut].join(', '), parameters: [], fold: 'ordered', tellsLost: true };
}

/** Whole documents in the same way: one long text is read and parsed faster than many short ones. */
const WHOLE: SliceColumns = {
  sql: [...HEAD, ...SYSTEM, `group_concat(${BODY_TEXT}) AS bodies`].join(', '),
  parameters: [],
  fold: 'ordered',
  tellsLost: true,
};

/** Ordinals of a slice, and of how many of its documents the filter may say nothing. */
const ORDINALS: SliceColumns = { sql: HEAD.join(', '), parameters: [], fold: 'ordered' };

interface SkipRequest {
  readonly behind: number;
  readonly count: number;
  readonly signal: AbortSignal | undefined;
  readonly oddFilter: DocumentSourceOptions['oddFilter'];
}

/** Counts documents without reading them; ends early at a slice with odd ones, of which the filter says nothing. */
async function* skip(
  container: SqliteContainer,
  statements: ScanStatements,
  { behind, count, signal, oddFilter }: SkipRequest,
  read: Read,
): AsyncGenerator<SourceBatch> {
  let left = count;
  for await (const slice of scanSlices(container, statements, { behind, expectedRows: count, signal, columns: ORDINALS }, read)) {
    const row = slice.rows[0] as SqliteRow;
    if (oddFilter !== undefined && Number(row['odd']) + Number(row['large']) > 0) {
      return;
    }
    const ordinals = valuesOf(row, 'ordinals') as readonly number[];
    const last = ordinals[left - 1];
    const skipped = last === undefined ? ordinals.length : left;
    left -= skipped;
    const scannedTo = last ?? slice.next ?? Number.MAX_SAFE_INTEGER;
    yield { rows: [], scannedTo, looked: last === undefined ? slice.looked : skipped, skipped };
    if (left === 0) {
      return;
    }
  }
}

/** A document as text, with what its system properties follow from. */
type TextRow = Pick<ScannedRow, 'ordinal' | 'position' | 'ts' | 'body'>;

/** The documents of a scope, each parsed for this run alone. */
export function documentSource(
  container: SqliteContainer,
  statements: ScanStatements,
  { count, expectedRows, projection, oddFilter, orderBy, walk }: DocumentSourceOptions,
  read: Read,
): QuerySource {
  const columns = projection === undefined ? WHOLE : projectedColumns(projection);
  const unfold = projection === undefined ? wholeUnfolder(container) : unfolder(container, projection);
  /** Undefined for an odd document that does not pass. */
  const rowOf = (row: TextRow): SourceRow | undefined => {
    const text = row.body;
    const document = container.documentOf(text, row.ordinal, row.position, row.ts) as unknown as JsonObject;
    return oddFilter === undefined || !isOddText(text) || oddFilter(document) ? { ordinal: row.ordinal, document } : undefined;
  };
  return {
    count,
    ordered: walk === undefined ? undefined : (request) => orderedSource(container, walk, request, rowOf, read),
    async *scan({ afterOrdinal, signal, firstInOrder, skippable }): AsyncGenerator<SourceBatch> {
      let scannedTo = afterOrdinal;
      if (skippable !== undefined) {
        for await (const batch of skip(container, statements, { behind: afterOrdinal, count: skippable, signal, oddFilter }, read)) {
          scannedTo = batch.scannedTo;
          yield batch;
        }
      }
      const first = orderBy === undefined || firstInOrder === undefined ? undefined : { orderBy, count: firstInOrder };
      for await (const slice of scanSlices(container, statements, { behind: scannedTo, expectedRows, signal, columns, first }, read)) {
        const rows = slice.isFolded ? unfold(slice.rows[0] as SqliteRow) : slice.rows.map(rowOf).filter((row) => row !== undefined);
        scannedTo = slice.next ?? (slice.isFolded ? rows : slice.rows).at(-1)?.ordinal ?? scannedTo;
        yield { rows, scannedTo, looked: slice.looked, bytes: slice.characters };
      }
    },
  };
}

/** The documents of a walk over an index, in the order of the query. */
async function* orderedSource(
  container: SqliteContainer,
  walk: OrderedWalk,
  { from, expectedRows, signal }: OrderedScan,
  rowOf: (row: TextRow) => SourceRow | undefined,
  read: Read,
): AsyncGenerator<OrderedBatch> {
  /** Ordinals of the documents that were given: one that is written again may be met a second time, further on. */
  const given = new Set<number>();
  for await (const batch of walkInOrder(container, walk, from, expectedRows, signal, read)) {
    if (batch === 'gave-up') {
      yield batch;
      return;
    }
    const rows: SourceRow[] = [];
    for (const { ordinal, position, ts, body } of batch.rows) {
      const row = body === null || given.has(ordinal) ? undefined : rowOf({ ordinal, position, ts, body });
      if (row !== undefined) {
        given.add(ordinal);
        rows.push(row);
      }
    }
    const bytes = batch.rows.reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
    yield { rows, looked: batch.looked, bytes };
  }
}
