import type { Runtime } from '../../../core/runtime.ts';
import type { ContainerRow } from '../container-row.ts';
import { containerNames, quoteName } from '../names.ts';
import type { Session } from '../postgres-database.ts';
import { columnsText, type StoredColumn } from './column-definition.ts';
import { ColumnFiller } from './column-filler.ts';
import { addColumns, createColumnIndex, keepColumns, RELEASED } from './column-sql.ts';

/**
 * Gives a container that was just restored the columns that it had before: all within the transaction of the restore, in which nobody else sees its table.
 *
 * @throws INVALID_DOCUMENT, CONFLICT where its documents do not fit
 */
export async function carryColumns(
  session: Session,
  prefix: string,
  runtime: Runtime,
  { database, number }: Pick<ContainerRow, 'database' | 'number'>,
  before: readonly StoredColumn[],
): Promise<void> {
  const columns = before.map((column) => ({ ...column, isReady: true }));
  if (columns.length === 0) {
    return;
  }
  const names = containerNames(prefix, database, number);
  const s = quoteName(prefix);
  const rows = (_what: string, statement: Parameters<Session['rows']>[0]): ReturnType<Session['rows']> => session.rows(statement);
  const filler = new ColumnFiller({ database: { prefix, runtime, rows: rows as never }, long: session, names, container: number });
  await filler.check(columns);
  const nowSeconds = Math.floor(runtime.nowMs() / 1000);
  await session.rows({ text: addColumns(names, columns) });
  for (const text of keepColumns(s, names, number, columns)) {
    await session.rows({ text });
  }
  await session.rows({ text: `UPDATE ${names.documents} SET ${RELEASED} = coalesce(expires_at <= $1, false)`, values: [nowSeconds] });
  for (const column of columns.filter(({ unique }) => unique)) {
    await session.rows({ text: createColumnIndex(s, names, number, column, '') });
  }
  await session.rows({ text: `UPDATE ${s}.containers SET columns = $2 WHERE number = $1`, values: [number, columnsText(columns)] });
}
