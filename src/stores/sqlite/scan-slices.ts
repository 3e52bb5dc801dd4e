import { throwIfAborted } from '../../core/errors.ts';
import { tableNames } from './container-statements.ts';
import type { Program, SqliteRow, SqliteStep } from './driver.ts';
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
}

/** The statement that reads a slice: the scope's living rows behind one ordinal and up to another. */
export function sliceStatement(container: number, { access, lookup, where }: ScanStatements): string {
  const { documents } = tableNames(container);
  const source = access !== 'partition' ? documents : `${documents} INDEXED BY ${documents}_pk`;
  const keys = lookup === undefined ? '' : `${lookup.sql} AND `;
  return `SELECT ordinal, position, ts, body FROM ${source} WHERE ${keys}ordinal > ? AND ordinal <= ? AND (expires_at IS NULL OR expires_at > ?)${where.sql} ORDER BY ordinal`;
}

function* readSlice(container: SqliteContainer, statements: ScanStatements, sql: string, behind: number, size: number): Program<ScanSlice> {
  const piece = statements.bound(behind, size);
  const bound = piece === undefined ? undefined : ((yield { mode: 'get', ...piece }) as { readonly ordinal: number } | undefined);
  const end = bound?.ordinal ?? Number.MAX_SAFE_INTEGER;
  const step: SqliteStep = {
    mode: 'all',
    sql,
    parameters: [...(statements.lookup?.parameters ?? []), behind, end, container.nowSeconds(), ...statements.where.parameters],
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
  { behind, expectedRows, signal }: ScanRequest,
  read: Read,
): AsyncGenerator<ScanSlice> {
  const sql = sliceStatement(container.number, statements);
  const size = new SliceSize(container.database.runtime, expectedRows);
  let next: number | undefined = behind;
  while (next !== undefined) {
    const from: number = next;
    const rows = size.begin();
    const slice = await read(() => readSlice(container, statements, sql, from, rows));
    size.end(slice.rows.reduce((sum, row) => sum + row.body.length, 0));
    yield slice;
    next = slice.next;
    if (next !== undefined) {
      await container.database.runtime.yieldTask();
      throwIfAborted(signal);
    }
  }
}
