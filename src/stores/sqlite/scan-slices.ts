import { throwIfAborted } from '../../core/errors.ts';
import { tableNames } from './container-statements.ts';
import type { Program, SqliteRow, SqliteStep, SqliteValue } from './driver.ts';
import type { ScanStatements } from './scan-statements.ts';
import { SliceSize } from './slice-size.ts';
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
  /** About how many documents were looked at to find them. */
  readonly looked: number;
  /** The ordinal behind which the next slice starts; `undefined` at the end. */
  readonly next: number | undefined;
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
}

/** A SELECT list with the values of its placeholders. */
export interface SliceColumns {
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
}

const DOCUMENT_COLUMNS: SliceColumns = { sql: 'ordinal, position, ts, body', parameters: [] };

function charactersOf(row: SqliteRow): number {
  let characters = 0;
  for (const name in row) {
    const value = row[name];
    characters += typeof value === 'string' ? value.length : 0;
  }
  return characters;
}

/** The statement that reads a slice: the scope's living rows behind one ordinal and up to another. */
export function sliceStatement(
  container: number,
  { access, lookup, where }: ScanStatements,
  columns: SliceColumns = DOCUMENT_COLUMNS,
): string {
  const { documents } = tableNames(container);
  // Left to itself the planner may prefer an index that makes one slice cost as much as the whole walk.
  const index = { container: ' NOT INDEXED', partition: ` INDEXED BY ${documents}_pk`, point: '' }[access];
  const keys = lookup === undefined ? '' : `${lookup.sql} AND `;
  return `SELECT ${columns.sql} FROM ${documents}${index} WHERE ${keys}ordinal > ? AND ordinal <= ? AND (expires_at IS NULL OR expires_at > ?)${where.sql} ORDER BY ordinal`;
}

function* readSlice(
  container: SqliteContainer,
  statements: ScanStatements,
  { sql, parameters }: SliceColumns,
  behind: number,
  size: number,
): Program<ScanSlice> {
  const piece = statements.bound(behind, size);
  const bound = piece === undefined ? undefined : ((yield { mode: 'get', ...piece }) as { readonly ordinal: number } | undefined);
  const end = bound?.ordinal ?? Number.MAX_SAFE_INTEGER;
  const step: SqliteStep = {
    mode: 'all',
    sql,
    parameters: [
      ...parameters,
      ...(statements.lookup?.parameters ?? []),
      behind,
      end,
      container.nowSeconds(),
      ...statements.where.parameters,
    ],
  };
  const rows = (yield step) as readonly ScannedRow[];
  return { rows, looked: statements.isFiltered && bound !== undefined ? size : rows.length, next: bound?.ordinal };
}

/**
 * Walks the documents of a scope in creation order, a slice of bounded work at a time; others have their turn between slices.
 *
 * A document that changes meanwhile is seen in one version or the other, and never twice.
 */
export async function* scanSlices(
  container: SqliteContainer,
  statements: ScanStatements,
  { behind, expectedRows, signal, columns = DOCUMENT_COLUMNS }: ScanRequest,
  read: Read,
): AsyncGenerator<ScanSlice> {
  const statement = { sql: sliceStatement(container.number, statements, columns), parameters: columns.parameters };
  const size = new SliceSize(container.database.runtime, expectedRows);
  let next: number | undefined = behind;
  while (next !== undefined) {
    const from: number = next;
    const rows = size.begin();
    const slice = await read(() => readSlice(container, statements, statement, from, rows));
    size.end(slice.rows.reduce((sum, row) => sum + charactersOf(row), 0));
    yield slice;
    next = slice.next;
    if (next !== undefined) {
      await container.database.runtime.yieldTask();
      throwIfAborted(signal);
    }
  }
}
