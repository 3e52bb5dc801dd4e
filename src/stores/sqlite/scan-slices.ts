import type { SqlOrder } from '../../query/compile/common/order-keys.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { BODY_TEXT, isFoldable, tableNames } from './container-statements.ts';
import { isOdd } from '../../query/compile/sqlite/odd-documents.ts';
import { get, type Program, type SqliteRow, type SqliteValue } from './driver.ts';
import type { ScanStatements } from './scan-statements.ts';
import { SliceSize } from './slice-size.ts';
import { SliceSpan } from './slice-span.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** Runs a program, inside a transaction or outside. */
export type Read = <T>(create: () => Program<T>) => Promise<T>;

/** A row that a scan brings. */
export interface ScannedRow extends SqliteRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly body: string;
}

/** Rows of one slice in creation order. */
export interface ScanSlice {
  readonly rows: readonly ScannedRow[];
  /** Whether `rows` is the one row of a folded slice; one that would lose documents is not folded. */
  readonly isFolded: boolean;
  /** About how many documents were looked at to find them. The last slice of a walk puts right what is off before it, if need be by a number below 0. */
  readonly looked: number;
  /** The ordinal behind which the next slice starts; `undefined` at the end. */
  readonly next: number | undefined;
  /** Text in the rows. */
  readonly characters: number;
}

/** Where a scan starts, and how it ends early. */
export interface ScanRequest {
  /** Documents with a higher ordinal are read. */
  readonly behind: number;
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
  readonly signal: AbortSignal | undefined;
  /** What is selected of each document: all of it unless said otherwise. */
  readonly columns?: SliceColumns | undefined;
  /** Where only the first rows in an order are needed. */
  readonly first?: FirstInOrder | undefined;
}

/** The first rows of each slice in an order, besides those whose place in it SQLite cannot tell. */
export interface FirstInOrder {
  readonly orderBy: SqlOrder;
  readonly count: number;
}

/** A SELECT list over the columns of the table, with the values of its placeholders. */
export interface SliceColumns {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
  /** Whether it folds the rows of a slice into one, in creation order or in any. That row tells their number as `passed`. */
  readonly fold?: 'ordered' | 'any' | undefined;
  /** Whether the folded row has {@link LOST_COLUMNS}, and says nothing where some documents are lost. */
  readonly tellsLost?: boolean | undefined;
}

/** What a SELECT list over an inner query may read. */
const TABLE_COLUMNS = 'ordinal, position, id, ts, body';
const FOLDED_COLUMNS = `ordinal, position, id, ts, CASE WHEN ${isFoldable('body')} THEN body END AS body`;
/** Documents of which a folded row may say nothing: those too long to be folded, and odd ones. */
export const LOST_COLUMNS: string = `COUNT(CASE WHEN body IS NULL THEN 1 END) AS large, COUNT(CASE WHEN ${isOdd('body').text} THEN 1 END) AS odd`;
/** How many rows are read at most where some documents are long. */
const MAX_LARGE_ROWS = 32;
const DOCUMENT_COLUMNS: SliceColumns = { sql: `ordinal, position, ts, ${BODY_TEXT} AS body`, parameters: [] };

function charactersOf(row: SqliteRow): number {
  let characters = 0;
  for (const name in row) {
    const value = row[name];
    characters += typeof value === 'string' ? value.length : 0;
  }
  return characters;
}

/** How a slice finds its rows, as the planner is told it: left to itself it may prefer an index that makes one slice cost as much as the walk. */
function indexClause({ access, index }: ScanStatements): string {
  return index !== undefined ? ` INDEXED BY ${index}` : access === 'container' ? ' NOT INDEXED' : '';
}

/** The statement that reads a slice, the scope's living rows behind one ordinal and up to another, without an order. */
function unorderedSlice(container: number, statements: ScanStatements, columns: string): string {
  const { lookup, where, ordinals } = statements;
  const { documents } = tableNames(container);
  const keys = lookup === undefined ? '' : `${lookup.sql} AND `;
  const between =
    ordinals === undefined
      ? `${keys}ordinal > ? AND ordinal <= ?`
      : 'ordinal IN (SELECT value FROM json_each(?)) AND +ordinal > ? AND +ordinal <= ?';
  return `SELECT ${columns} FROM ${documents}${indexClause(statements)} WHERE ${between} AND (expires_at IS NULL OR expires_at > ?)${where.sql}`;
}

/** The statement that reads a slice in creation order. */
export function sliceStatement(container: number, statements: ScanStatements, columns: SliceColumns = DOCUMENT_COLUMNS): string {
  switch (columns.fold) {
    case 'ordered':
      return `SELECT ${columns.sql} FROM (${unorderedSlice(container, statements, FOLDED_COLUMNS)} ORDER BY ordinal)`;
    case 'any':
      return unorderedSlice(container, statements, columns.sql);
    case undefined:
      return `${unorderedSlice(container, statements, columns.sql)} ORDER BY ordinal`;
    default:
      return columns.fold satisfies never;
  }
}

/** Rows beyond the number asked for, so that a few whose place is not told do not cost a second look at the slice. */
const UNTOLD_ROWS = 64;

/** The statement of a slice that gives its first rows in an order, and before them those whose place is not told; in creation order again. */
function firstRowsStatement(container: number, statements: ScanStatements, columns: SliceColumns, { orderBy }: FirstInOrder): string {
  // Only ordinals are sorted, and the documents of the first ones looked up: sorting whole documents would cost more than reading them.
  const slice = unorderedSlice(container, statements, `ordinal AS place, ((${orderBy.unless.sql}) IS TRUE) AS untold`);
  const first = `(${slice} ORDER BY untold DESC, ${orderBy.sql} LIMIT ?)`;
  const chosen = `(SELECT ${columns.fold === undefined ? TABLE_COLUMNS : FOLDED_COLUMNS}, untold FROM ${first} JOIN ${tableNames(container).documents} ON ordinal = place)`;
  return columns.fold === undefined
    ? `SELECT ${columns.sql}, untold FROM ${chosen} ORDER BY ordinal`
    : `SELECT ${columns.sql}, sum(untold) AS untold FROM (SELECT * FROM ${chosen} ORDER BY ordinal)`;
}

/** Characters from which a list of values takes each slice some milliseconds to read; then a slice is worth it with so many rows. */
const LONG_LIST = 20_000;
const ROWS_WITH_LIST = 2048;

function readsLongList({ where }: ScanStatements): boolean {
  return where.parameters.some((value) => typeof value === 'string' && value.length > LONG_LIST);
}

/** What a scan runs for each slice. */
interface SliceReader {
  readonly statements: ScanStatements;
  readonly columns: SliceColumns;
  readonly sql: string;
  readonly first: FirstInOrder | undefined;
  readonly firstSql: string;
  /** Reads documents, where the columns lose some. */
  readonly documentSql: string;
  readonly span: SliceSpan;
  /** Gives the last ordinal of the table, where all of it is walked. */
  readonly lastSql: string | undefined;
  /** Where the walk began, and how many documents its slices looked at so far. */
  readonly walked: { readonly from: number; looked: number };
}

/** Rows as a statement gave them. */
interface ReadRows {
  readonly rows: readonly ScannedRow[];
  readonly isFolded: boolean;
  /** How many there are, folded or not. */
  readonly count: number;
}

function readRowsOf(rows: readonly ScannedRow[], { fold }: SliceColumns): ReadRows {
  return { rows, isFolded: fold !== undefined, count: fold === undefined ? rows.length : Number(rows[0]?.['passed']) };
}

/** The place of the first ordinal behind another in an ascending list. */
function placeBehind(ordinals: readonly number[], behind: number): number {
  let low = 0;
  let high = ordinals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordinals[middle] as number) > behind) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** The values of the lookup of a slice. */
function lookupValues({ lookup, ordinals }: ScanStatements, behind: number, end: number): readonly SqliteValue[] {
  return ordinals === undefined
    ? (lookup?.parameters ?? [])
    : [JSON.stringify(ordinals.slice(placeBehind(ordinals, behind), placeBehind(ordinals, end)))];
}

/** Where a slice of about `size` documents ends; undefined where it is the last one. */
function* endOfSlice({ statements, span, lastSql }: SliceReader, behind: number, size: number): Program<number | undefined> {
  const { ordinals } = statements;
  const ahead = lastSql === undefined ? undefined : span.next(size);
  if (lastSql !== undefined && ahead !== undefined) {
    const last = (yield { mode: 'get', sql: lastSql, parameters: [] }) as { readonly ordinal: number | null };
    return behind + ahead < (last.ordinal ?? 0) ? behind + ahead : undefined;
  }
  if (ordinals !== undefined) {
    const next = placeBehind(ordinals, behind) + size;
    return next < ordinals.length ? ordinals[next - 1] : undefined;
  }
  const piece = statements.bound(behind, size);
  const bound = piece === undefined ? undefined : ((yield { mode: 'get', ...piece }) as { readonly ordinal: number } | undefined);
  if (bound !== undefined) {
    span.measured(size, bound.ordinal - behind);
  }
  return bound?.ordinal;
}

function* readRows(container: SqliteContainer, reader: SliceReader, behind: number, end: number): Program<ReadRows> {
  const { statements, columns, first } = reader;
  const bounds = [...lookupValues(statements, behind, end), behind, end, container.nowSeconds(), ...statements.where.parameters];
  if (first !== undefined) {
    const limit = first.count + UNTOLD_ROWS;
    const parameters = [...columns.parameters, ...first.orderBy.unless.parameters, ...bounds, ...first.orderBy.parameters, limit];
    const found = readRowsOf((yield { mode: 'all', sql: reader.firstSql, parameters }) as readonly ScannedRow[], columns);
    const untold = found.rows.reduce((count, row) => count + Number(row['untold']), 0);
    if (found.count < limit || untold <= UNTOLD_ROWS) {
      return found;
    }
  }
  const parameters = [...columns.parameters, ...bounds];
  return readRowsOf((yield { mode: 'all', sql: reader.sql, parameters }) as readonly ScannedRow[], columns);
}

/**
 * How many documents the last slice looks at. The charge of a query must not depend on where slices end, and those of a walk over the container are
 * only about as long as they should be: where it began at the beginning, the last one puts that right.
 */
function* countLast(container: SqliteContainer, { statements, lastSql, walked }: SliceReader, behind: number): Program<number> {
  const { lookup, ordinals } = statements;
  if (ordinals !== undefined) {
    return ordinals.length - placeBehind(ordinals, behind);
  }
  const { documents } = tableNames(container.number);
  if (lastSql !== undefined && walked.from === 0) {
    // Without a condition SQLite counts pages of an index instead of rows.
    return ((yield* get<{ n: number }>(`SELECT count(*) AS n FROM ${documents}`))?.n ?? 0) - walked.looked;
  }
  const keys = lookup === undefined ? '' : `${lookup.sql} AND `;
  const sql = `SELECT count(*) AS n FROM ${documents}${indexClause(statements)} WHERE ${keys}ordinal > ?`;
  return (yield* get<{ n: number }>(sql, ...(lookup?.parameters ?? []), behind))?.n ?? 0;
}

function* lookedAt(
  container: SqliteContainer,
  reader: SliceReader,
  found: ReadRows,
  behind: number,
  end: number | undefined,
  size: number,
): Program<number> {
  const { statements, first } = reader;
  if ((!statements.isFiltered && first === undefined) || statements.access === 'point') {
    return found.count;
  }
  return end === undefined ? yield* countLast(container, reader, behind) : size;
}

function* readSlice(container: SqliteContainer, reader: SliceReader, behind: number, size: number): Program<Omit<ScanSlice, 'characters'>> {
  const { columns } = reader;
  const next = yield* endOfSlice(reader, behind, size);
  const end = next ?? Number.MAX_SAFE_INTEGER;
  const found = yield* readRows(container, reader, behind, end);
  const row = found.isFolded && columns.tellsLost === true ? found.rows[0] : undefined;
  if (row !== undefined && Number(row['large']) + Number(row['odd']) > 0) {
    const unfolded = { ...reader, columns: DOCUMENT_COLUMNS, sql: reader.documentSql, first: undefined };
    return yield* readSlice(container, unfolded, behind, Number(row['large']) > 0 ? Math.min(size, MAX_LARGE_ROWS) : size);
  }
  const looked = yield* lookedAt(container, reader, found, behind, next, size);
  return { rows: found.rows, isFolded: found.isFolded, looked, next };
}

/**
 * Walks the documents of a scope in creation order, a slice of bounded work at a time; others have their turn between slices.
 *
 * A document that changes meanwhile is seen in one version or the other, and never twice.
 */
export async function* scanSlices(
  container: SqliteContainer,
  statements: ScanStatements,
  { behind, expectedRows, signal, columns = DOCUMENT_COLUMNS, first }: ScanRequest,
  read: Read,
): AsyncGenerator<ScanSlice> {
  const reader: SliceReader = {
    statements,
    columns,
    sql: sliceStatement(container.number, statements, columns),
    first,
    firstSql: first === undefined ? '' : firstRowsStatement(container.number, statements, columns, first),
    documentSql: columns.tellsLost === true ? sliceStatement(container.number, statements) : '',
    span: new SliceSpan(),
    walked: { from: behind, looked: 0 },
    lastSql:
      statements.access === 'container' && statements.index === undefined && statements.ordinals === undefined
        ? `SELECT max(ordinal) AS ordinal FROM ${tableNames(container.number).documents}`
        : undefined,
  };
  const size = new SliceSize(container.database.runtime, expectedRows, readsLongList(statements) ? ROWS_WITH_LIST : undefined);
  let next: number | undefined = behind;
  while (next !== undefined) {
    const from: number = next;
    const rows = size.begin();
    const slice = await read(() => readSlice(container, reader, from, rows));
    const characters = slice.rows.reduce((sum, row) => sum + charactersOf(row), 0);
    size.end(characters);
    reader.walked.looked += slice.looked;
    yield { ...slice, characters };
    next = slice.next;
    if (next !== undefined) {
      await container.database.runtime.yieldTask();
      throwIfAborted(signal);
    }
  }
}
