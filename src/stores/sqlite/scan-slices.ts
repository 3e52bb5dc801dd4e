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

/** Rows of one slice in creation order, and the ordinal behind which the next one starts; `undefined` at the end. */
export interface ScanSlice {
  readonly rows: readonly ScannedRow[];
  readonly next: number | undefined;
}

/** The statement that reads a slice: the scope's living rows behind one ordinal and up to another. */
export function sliceStatement(container: number, { lookup, where }: ScanStatements): string {
  const { documents } = tableNames(container);
  const source = lookup === undefined ? documents : `${documents} INDEXED BY ${documents}_pk`;
  const keys = lookup === undefined ? '' : `${lookup.sql} AND `;
  return `SELECT ordinal, position, ts, body FROM ${source} WHERE ${keys}ordinal > ? AND ordinal <= ? AND (expires_at IS NULL OR expires_at > ?)${where.sql} ORDER BY ordinal`;
}

function* readSlice(container: SqliteContainer, statements: ScanStatements, sql: string, behind: number, size: number): Program<ScanSlice> {
  const bound = (yield { mode: 'get', ...statements.bound(behind, size) }) as { readonly ordinal: number } | undefined;
  const end = bound?.ordinal ?? Number.MAX_SAFE_INTEGER;
  const step: SqliteStep = {
    mode: 'all',
    sql,
    parameters: [...(statements.lookup?.parameters ?? []), behind, end, container.nowSeconds(), ...statements.where.parameters],
  };
  return { rows: (yield step) as readonly ScannedRow[], next: bound?.ordinal };
}

/**
 * Walks the documents of a scope in creation order, a slice of bounded work at a time; others have their turn between slices.
 *
 * A document that changes meanwhile is seen in one version or the other, and never twice.
 */
export async function* scanSlices(
  container: SqliteContainer,
  statements: ScanStatements,
  behind: number,
  read: Read,
  signal: AbortSignal | undefined,
): AsyncGenerator<ScanSlice> {
  const sql = sliceStatement(container.number, statements);
  const size = new SliceSize(container.database.runtime);
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
