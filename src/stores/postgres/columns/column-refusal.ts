import { PerigeeError } from '../../../core/errors.ts';
import type { PreparedDocument } from '../../../store/prepared-document.ts';
import { quoteName } from '../names.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { Session } from '../postgres-database.ts';
import { stateOf } from '../postgres-errors.ts';
import { readColumns, type StoredColumn } from './column-definition.ts';
import { MISFIT_STATE } from './column-functions.ts';
import { columnKey, columnOfIndex, columnValue, RELEASED } from './column-sql.ts';

/** What a statement was refused for. */
export interface ColumnRefusal {
  readonly kind: 'misfit' | 'taken';
  /** The column by its name, or by its number. */
  readonly column: string | number;
}

const TAKEN_STATE = '23505';

interface PgFields {
  readonly column?: unknown;
  readonly constraint?: unknown;
}

/** Why a column refuses a write, by the error of its statement; `undefined` for another error. */
export function columnRefusal({ number }: Pick<PostgresContainer, 'number'>, error: unknown): ColumnRefusal | undefined {
  const cause = error instanceof PerigeeError ? error.cause : undefined;
  const { column, constraint } = (cause ?? {}) as PgFields;
  switch (stateOf(cause)) {
    case MISFIT_STATE:
      return typeof column === 'string' ? { kind: 'misfit', column } : undefined;
    case TAKEN_STATE: {
      const of = typeof constraint === 'string' ? columnOfIndex(number, constraint) : undefined;
      return of === undefined ? undefined : { kind: 'taken', column: of };
    }
    default:
      return undefined;
  }
}

/** The column that refuses; `undefined` when it is gone. */
export async function refusingColumn(
  { database, number }: Pick<PostgresContainer, 'database' | 'number'>,
  session: Session,
  { column }: ColumnRefusal,
): Promise<StoredColumn | undefined> {
  const text = `SELECT columns FROM ${quoteName(database.prefix)}.containers WHERE number = $1`;
  const [row] = await session.rows<{ columns: string | null }>({ text, values: [number] });
  return readColumns(row?.columns ?? null).find((one) => one.name === column || one.number === column);
}

/** What is said of a write that does not fit a column; its values are not repeated. */
export function misfitError(what: string, { name, path, type, notNull }: StoredColumn): PerigeeError {
  const wanted = notNull ? `a value of the type ${type}` : `null, or a value of the type ${type}`;
  return new PerigeeError(
    'INVALID_DOCUMENT',
    `Cannot ${what}: the path ${JSON.stringify(path)} is the column ${JSON.stringify(name)}, and has to have ${wanted}.`,
    {
      details: { path, column: name, type },
    },
  );
}

/** What is said of a write whose unique value another document has. */
export function takenError(what: string, { name, path, type }: StoredColumn): PerigeeError {
  return new PerigeeError(
    'CONFLICT',
    `Cannot ${what}: another document of the container has the same value of the path ${JSON.stringify(path)}, which is the unique column ${JSON.stringify(name)}.`,
    { details: { path, column: name, type } },
  );
}

/**
 * Lets expired documents give up the unique value that a document is to have. Says whether a living one has it all the same.
 */
export async function releaseExpired(
  {
    database,
    names,
    rowKey,
    nowSeconds,
  }: Pick<PostgresContainer, 'database' | 'names'> & {
    readonly rowKey: { readonly pk: string; readonly id: string };
    readonly nowSeconds: number;
  },
  session: Session,
  column: StoredColumn,
  document: PreparedDocument,
): Promise<'free' | 'taken'> {
  const s = quoteName(database.prefix);
  const collation = column.type === 'text' || column.type === 'jsonb' ? ' COLLATE "C"' : '';
  const own = columnKey(s, column, columnValue(s, column, '$1::text'));
  const holders = `NOT ${RELEASED} AND (${columnKey(s, column, quoteName(column.name))})${collation} = (${own}) AND NOT (pk = $2 AND id = $3)`;
  const values = [document.text, rowKey.pk, rowKey.id, nowSeconds];
  await session.rows({ text: `UPDATE ${names.documents} SET ${RELEASED} = true WHERE ${holders} AND expires_at <= $4`, values });
  const living = await session.rows({
    text: `SELECT FROM ${names.documents} WHERE ${holders} AND (expires_at IS NULL OR expires_at > $4) LIMIT 1`,
    values,
  });
  return living.length > 0 ? 'taken' : 'free';
}
