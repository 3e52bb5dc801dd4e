import { isPerigeeError, PerigeeError } from '../../../core/errors.ts';
import { sleep } from '../../../core/runtime.ts';
import type { ContainerRow } from '../container-row.ts';
import { stopBuilds } from '../indexes/index-catalog.ts';
import { containerNames, quoteName, type ContainerNames } from '../names.ts';
import type { PostgresDatabase, Session } from '../postgres-database.ts';
import { Resources } from '../resource-statements.ts';
import { dropView, refreshView } from '../views/container-view.ts';
import { columnsText, readColumns, type StoredColumn } from './column-definition.ts';
import { addColumns, keepColumns, removeColumns } from './column-sql.ts';

/** The container whose columns are changed. */
export interface ColumnOwner {
  readonly databaseId: string;
  readonly containerId: string;
}

/** What a change of columns is done with. */
export interface ColumnChange {
  readonly row: ContainerRow;
  readonly names: ContainerNames;
  readonly columns: readonly StoredColumn[];
}

/** A lock that keeps everybody out is waited for so long, since all others wait behind it, and then tried again so often. */
const LOCK_WAIT_MS = 500;
const LOCK_ATTEMPTS = 20;
/** Another object of the database depends on what is to go. */
const DEPENDENT_STATE = '2BP01';

/** The container in the catalogue. @throws NOT_FOUND */
export async function ownerRow(session: Session, prefix: string, { databaseId, containerId }: ColumnOwner): Promise<ContainerRow> {
  const row = await new Resources(session, prefix).findContainer(databaseId, containerId);
  if (row === undefined) {
    throw new PerigeeError(
      'NOT_FOUND',
      `There is no container ${JSON.stringify(containerId)} in the database ${JSON.stringify(databaseId)}.`,
    );
  }
  return row;
}

/**
 * Changes the columns of a container, and has the trigger and the view follow: all of it or nothing. The container gets another etag, so every server reads
 * what it knows of it again before its next write. Gives what it came to.
 *
 * @throws NOT_FOUND; STORE_BUSY where others read or write without a pause; CONFLICT where an object of somebody else depends on a column that is to go
 */
export async function changeColumns(
  database: PostgresDatabase,
  owner: ColumnOwner,
  what: string,
  etag: string,
  change: (columns: readonly StoredColumn[]) => readonly StoredColumn[],
): Promise<ColumnChange> {
  const { prefix, runtime } = database;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction(what, async (session) => {
        const known = await ownerRow(session, prefix, owner);
        const { database: number, number: container } = known;
        await new Resources(session, prefix).holdContainer(known);
        const names = containerNames(prefix, number, container);
        await session.rows({ text: `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}` });
        await stopBuilds(session, names.schema, names.documents);
        await session.rows({ text: `LOCK TABLE ${names.documents} IN ACCESS EXCLUSIVE MODE` });
        const row = await ownerRow(session, prefix, owner);
        const columns = change(readColumns(row.columns));
        const changed = { ...row, etag, columns: columnsText(columns) };
        await alterColumns(session, prefix, row, columns);
        await session.rows({
          text: `UPDATE ${quoteName(prefix)}.containers SET columns = $2, etag = $3 WHERE number = $1`,
          values: [container, changed.columns, etag],
        });
        return { row: changed, names, columns };
      });
    } catch (error) {
      if (isPerigeeError(error) && error.details['sqlState'] === DEPENDENT_STATE) {
        throw new PerigeeError(
          'CONFLICT',
          `Cannot ${what}: another object of the database, such as a view, depends on a column that is to go. Drop that first.`,
          { cause: error },
        );
      }
      if (attempt === LOCK_ATTEMPTS || !isPerigeeError(error, 'STORE_BUSY')) {
        throw error;
      }
    }
    await sleep(runtime, LOCK_WAIT_MS);
  }
}

/** Makes the table have columns in place of those that the catalogue says. */
async function alterColumns(session: Session, prefix: string, row: ContainerRow, columns: readonly StoredColumn[]): Promise<void> {
  const before = readColumns(row.columns);
  const added = columns.filter(({ name }) => !before.some((other) => other.name === name));
  const removed = before.filter(({ name }) => !columns.some((other) => other.name === name));
  const names = containerNames(prefix, row.database, row.number);
  const hasView = removed.length > 0 && (await dropView(session, prefix, row));
  const statements = [
    ...(added.length > 0 ? [addColumns(names, added)] : []),
    ...keepColumns(quoteName(prefix), names, row.number, columns),
    ...(removed.length > 0 ? [removeColumns(names, removed, columns)] : []),
  ];
  for (const text of statements) {
    await session.rows({ text });
  }
  await refreshView(session, prefix, { ...row, columns: columnsText(columns) }, hasView ? 'make' : 'follow');
}

/** Says in the catalogue that columns are ready. */
export async function setReady(
  database: PostgresDatabase,
  owner: ColumnOwner,
  what: string,
  ready: readonly StoredColumn[],
): Promise<readonly StoredColumn[]> {
  const { prefix } = database;
  return database.transaction(what, async (session) => {
    const { number } = await ownerRow(session, prefix, owner);
    const s = quoteName(prefix);
    const [row] = await session.rows<{ columns: string | null }>({
      text: `SELECT columns FROM ${s}.containers WHERE number = $1 FOR NO KEY UPDATE`,
      values: [number],
    });
    const columns = readColumns(row?.columns ?? null).map((column) =>
      ready.some((one) => one.name === column.name && one.number === column.number) ? { ...column, isReady: true } : column,
    );
    await session.rows({ text: `UPDATE ${s}.containers SET columns = $2 WHERE number = $1`, values: [number, columnsText(columns)] });
    await refreshView(session, prefix, await ownerRow(session, prefix, owner), 'follow');
    return columns;
  });
}
