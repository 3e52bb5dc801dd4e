import { isPerigeeError, PerigeeError, throwIfAborted } from '../../../core/errors.ts';
import { sleep, type CancelTimer } from '../../../core/runtime.ts';
import { Lease } from '../lease.ts';
import { containerNames } from '../names.ts';
import type { PostgresDatabase, Session } from '../postgres-database.ts';
import { changeColumns, ownerRow, setReady, type ColumnOwner } from './column-catalog.ts';
import { readColumns, withColumns, type PromotedColumn, type StoredColumn } from './column-definition.ts';
import { ColumnFiller } from './column-filler.ts';
import { LongConnection, type Connecting } from '../long-connection.ts';

/** How far a promotion is. */
export interface PromotionProgress {
  /** `checking`: whether all documents fit. `filling`: the columns get their values. `indexing`: a unique index is made. */
  readonly state: 'checking' | 'filling' | 'indexing';
  /** Documents that were looked at while filling. */
  readonly documents: number;
}

/** How columns are promoted. */
export interface PromoteOptions {
  /** Ends it, and takes back what was done. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PromotionProgress) => void) | undefined;
}

/** What columns are changed with. */
export interface ColumnTools {
  readonly database: PostgresDatabase;
  readonly connecting: Connecting;
  /** Draws an etag for a container that changes. */
  readonly newEtag: () => string;
}

const WHAT = 'promote paths to columns of the PostgreSQL store';
const LEASE_MS = 6000;
const RENEW_MS = 2000;
/** Another server that changes the columns of the same container is waited for so long, which is longer than the lease of one that was killed. */
const WAIT_MS = 10_000;
const LOOK_AGAIN_MS = 200;

/** Runs `work` while no other server changes the columns of a container. @throws STORE_BUSY */
export async function aloneWith<R>(database: PostgresDatabase, container: number, work: () => Promise<R>): Promise<R> {
  const { runtime } = database;
  const lease = new Lease(database, `columns ${container}`, LEASE_MS);
  const until = runtime.monotonicMs() + WAIT_MS;
  while (!(await lease.take())) {
    if (runtime.monotonicMs() >= until) {
      throw new PerigeeError('STORE_BUSY', 'Another server changes the columns of the same container. Try again when it is done.');
    }
    await sleep(runtime, LOOK_AGAIN_MS);
  }
  let cancel: CancelTimer | undefined;
  const renew = (): void => {
    cancel = runtime.setTimer(RENEW_MS, () => void lease.take().then(renew, renew));
  };
  renew();
  try {
    return await work();
  } finally {
    cancel?.();
    await lease.leave().catch(() => undefined);
  }
}

/**
 * Promotes paths to columns: looks whether all documents fit, adds the columns with the trigger that keeps them, fills them in slices, and makes the indexes
 * of unique ones. Others read and write meanwhile. Where a document does not fit, nothing is changed.
 *
 * Killed in between it leaves columns that are not ready; called again it goes on.
 */
export async function promoteColumns(
  { database, connecting, newEtag }: ColumnTools,
  owner: ColumnOwner,
  asked: readonly Omit<PromotedColumn, 'isReady'>[],
  { signal, onProgress }: PromoteOptions,
): Promise<readonly StoredColumn[]> {
  const session: Session = { rows: (statement) => database.rows(WHAT, statement) };
  const { number } = await ownerRow(session, database.prefix, owner);
  return aloneWith(database, number, async () => {
    const row = await ownerRow(session, database.prefix, owner);
    const before = readColumns(row.columns);
    const unready = (columns: readonly StoredColumn[]): readonly StoredColumn[] =>
      columns.filter(({ name, isReady }) => !isReady && asked.some((one) => one.name === name));
    const due = unready(withColumns(before, asked));
    if (due.length === 0) {
      return before;
    }
    const long = new LongConnection(connecting, database, WHAT, signal);
    const filler = new ColumnFiller({
      database,
      long,
      names: containerNames(database.prefix, row.database, row.number),
      container: row.number,
    });
    let isBegun = due.some(({ name }) => before.some((column) => column.name === name));
    const keep = (columns: readonly StoredColumn[]): readonly StoredColumn[] =>
      columns.filter(({ name, isReady }) => isReady || !due.some((one) => one.name === name));
    try {
      onProgress?.({ state: 'checking', documents: 0 });
      await filler.check(due);
      isBegun = true;
      const { columns } = await changeColumns(database, owner, WHAT, newEtag(), (present) => withColumns(present, asked));
      const added = unready(columns);
      await filler.fill(added, signal, (documents) => onProgress?.({ state: 'filling', documents }));
      for (const column of added.filter(({ unique }) => unique)) {
        onProgress?.({ state: 'indexing', documents: 0 });
        await filler.index(column, signal);
      }
      throwIfAborted(signal);
      return await setReady(database, owner, WHAT, added);
    } catch (error) {
      if (isBegun && !isPerigeeError(error, 'NOT_FOUND')) {
        await changeColumns(database, owner, WHAT, newEtag(), keep).catch((failure: unknown) =>
          database.logger.log('error', 'Columns that could not be promoted could not be taken back; drop them.', { error: failure }),
        );
      }
      throw error;
    } finally {
      await long.end();
    }
  });
}

/** The columns of a container. @throws NOT_FOUND */
export async function listColumns({ database }: Pick<ColumnTools, 'database'>, owner: ColumnOwner): Promise<readonly StoredColumn[]> {
  const session: Session = { rows: (statement) => database.read('read the columns of the PostgreSQL store', statement) };
  return readColumns((await ownerRow(session, database.prefix, owner)).columns);
}

/** Takes columns away. @throws NOT_FOUND, CONFLICT, STORE_BUSY */
export async function dropColumns(
  { database, newEtag }: ColumnTools,
  owner: ColumnOwner,
  dropped: readonly string[],
): Promise<readonly StoredColumn[]> {
  const what = 'drop columns of the PostgreSQL store';
  const session: Session = { rows: (statement) => database.rows(what, statement) };
  const { number } = await ownerRow(session, database.prefix, owner);
  return aloneWith(database, number, async () => {
    const { columns } = await changeColumns(database, owner, what, newEtag(), (present) => {
      const missing = dropped.find((name) => !present.some((column) => column.name === name));
      if (missing !== undefined) {
        throw new PerigeeError('NOT_FOUND', `Cannot drop the column ${JSON.stringify(missing)}: the container has none of this name.`);
      }
      return present.filter(({ name }) => !dropped.includes(name));
    });
    return columns;
  });
}
