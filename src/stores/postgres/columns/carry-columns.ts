import type { Runtime } from '../../../core/runtime.ts';
import { quoteName, type ContainerNames } from '../names.ts';
import type { Session } from '../postgres-database.ts';
import { columnsText, type StoredColumn } from './column-definition.ts';
import { ColumnFiller } from './column-filler.ts';
import { addColumns, createColumnIndex, keepColumns, RELEASED } from './column-sql.ts';

/** A container that is being restored. */
export interface RestoredTable {
  readonly prefix: string;
  readonly number: number;
  readonly names: ContainerNames;
  /** Where its table is made, and where the catalogue is written. */
  readonly tables: Session;
  readonly catalogue: Session;
}

/**
 * Gives a container that was just restored the columns that it had before: within the transaction of its table, which nobody else sees yet.
 *
 * @throws INVALID_DOCUMENT, CONFLICT where its documents do not fit
 */
export async function carryColumns(
  { prefix, number, names, tables, catalogue }: RestoredTable,
  runtime: Runtime,
  before: readonly StoredColumn[],
): Promise<void> {
  const columns = before.map((column) => ({ ...column, isReady: true }));
  if (columns.length === 0) {
    return;
  }
  const s = quoteName(prefix);
  const rows = (_what: string, statement: Parameters<Session['rows']>[0]): ReturnType<Session['rows']> => tables.rows(statement);
  const filler = new ColumnFiller({ database: { prefix, runtime, rows: rows as never }, long: tables, names, container: number });
  await filler.check(columns);
  const nowSeconds = Math.floor(runtime.nowMs() / 1000);
  await tables.rows({ text: addColumns(names, columns) });
  for (const text of keepColumns(s, names, number, columns)) {
    await tables.rows({ text });
  }
  await tables.rows({ text: `UPDATE ${names.documents} SET ${RELEASED} = coalesce(expires_at <= $1, false)`, values: [nowSeconds] });
  for (const column of columns.filter(({ unique }) => unique)) {
    await tables.rows({ text: createColumnIndex(s, names, number, column, '') });
  }
  await catalogue.rows({ text: `UPDATE ${s}.containers SET columns = $2 WHERE number = $1`, values: [number, columnsText(columns)] });
}
