import { PerigeeError } from '../../../core/errors.ts';
import { keyOf, type StoreOperation, type WriteOperation } from '../../../store/write-rules.ts';
import type { AppliedWrite } from '../../common/applied-write.ts';
import { documentKey } from '../../common/document-key.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { Session } from '../postgres-database.ts';
import { columnRefusal, misfitError, refusingColumn, releaseExpired, takenError, type ColumnRefusal } from './column-refusal.ts';

/** What of a unit of writes is needed to take back an operation. */
export interface RevocableUnit {
  /** Decides one write, or gives the error that refuses it. */
  readonly decide: () => Promise<AppliedWrite | PerigeeError>;
  /** Writes what was decided. */
  readonly flush: () => Promise<void>;
  /** Forgets what was decided since the unit was as it is now, with nothing left to flush. */
  readonly mark: () => () => void;
}

/** A value that others take and leave at once is given up after so many attempts. */
const MAX_ATTEMPTS = 10;

/**
 * Whether operations have to be written one by one, so that each is checked by what the table holds at its turn. Where every operation is about another
 * document and none deletes, one statement finds the same, in fewer turns.
 */
export function needsCare({ row }: PostgresContainer, operations: readonly StoreOperation[]): boolean {
  if (row.columns === null) {
    return false;
  }
  const writes = operations.filter(({ type }) => type !== 'read');
  return (
    writes.length === 1 ||
    writes.some(({ type }) => type === 'delete') ||
    new Set(writes.map((one) => documentKey(keyOf(one)))).size < writes.length
  );
}

/** Runs a statement that writes; `undefined` where a column refuses it, which {@link applyCarefully} then tells more of. */
export async function unlessRefused<R>(container: PostgresContainer, write: () => Promise<R>): Promise<R | undefined> {
  try {
    return await write();
  } catch (error) {
    if (columnRefusal(container, error) === undefined) {
      throw error;
    }
    return undefined;
  }
}

/** Carries out one write of a unit at once, or gives the error of the column that refuses it: then nothing of it is left. */
export async function applyCarefully(
  container: PostgresContainer,
  session: Session,
  { decide, flush, mark }: RevocableUnit,
  operation: WriteOperation,
): Promise<AppliedWrite | PerigeeError> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const takeBack = mark();
    const applied = await decide();
    if (applied instanceof PerigeeError) {
      return applied;
    }
    await session.rows({ text: 'SAVEPOINT perigee_column' });
    let refusal: ColumnRefusal | undefined;
    try {
      await flush();
    } catch (error) {
      refusal = columnRefusal(container, error);
      if (refusal === undefined) {
        throw error;
      }
    }
    if (refusal === undefined) {
      await session.rows({ text: 'RELEASE SAVEPOINT perigee_column' });
      return applied;
    }
    await session.rows({ text: 'ROLLBACK TO SAVEPOINT perigee_column' });
    takeBack();
    const error = await whyRefused(container, session, refusal, applied, operation);
    if (error !== undefined) {
      return error;
    }
  }
  throw new PerigeeError('RETRY_WITH', 'Cannot write to the PostgreSQL store: others keep taking the value of a unique column. Try again.');
}

async function whyRefused(
  container: PostgresContainer,
  session: Session,
  refusal: ColumnRefusal,
  { document }: AppliedWrite,
  { type }: WriteOperation,
): Promise<PerigeeError | undefined> {
  const column = await refusingColumn(container, session, refusal);
  if (column === undefined || document === undefined) {
    return undefined;
  }
  const what = `${type} the document ${JSON.stringify(document.id)}`;
  if (refusal.kind === 'misfit') {
    return misfitError(what, column);
  }
  const { database, names } = container;
  const place = { database, names, rowKey: container.rowKey(document), nowSeconds: container.nowSeconds() };
  return (await releaseExpired(place, session, column, document)) === 'taken' ? takenError(what, column) : undefined;
}
