import { all, get, run, type Program } from '../../stores/sqlite/driver.ts';
import { documentOf, readFirst, readUnit, type Unit } from '../push/groups.ts';
import { retryRejectedRows, type OutboxRow } from '../push/outbox.ts';
import { IS_LETTER } from './is-letter.ts';
import { snapshotText } from '../remote/remote-snapshot.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** Rows of dead letters of a scope of which nobody has asked yet what the remote holds. */
export function* listUndescribed(scope: number, limit: number): Program<readonly string[]> {
  const rows = yield* all<{ id: string }>(
    'SELECT id FROM sync_outbox WHERE scope = ? AND rejected_code IS NOT NULL AND rejected_remote IS NULL LIMIT ?',
    scope,
    limit,
  );
  return rows.map(({ id }) => id);
}

/** Writes down what the remote holds of the documents of rows. */
export function* describeRejected(
  scope: number,
  rowIds: readonly string[],
  versions: ReadonlyMap<string, RemoteVersion | undefined>,
): Program<void> {
  for (const rowId of rowIds) {
    yield* run(
      'UPDATE sync_outbox SET rejected_remote = ? WHERE scope = ? AND id = ? AND rejected_code IS NOT NULL',
      snapshotText(versions.get(documentOf(rowId))),
      scope,
      rowId,
    );
  }
}

/** The row of a document by which it is a dead letter, or belongs to a group that is one. */
export function* readRejected(scope: number, id: string): Program<OutboxRow | undefined> {
  let row = yield* readFirst(scope, id);
  while (row !== undefined && row.rejected_code === null) {
    row = yield* readFirst(scope, id, row.generation);
  }
  return row;
}

/** Lets a dead letter be sent again, with all its group. Gives whether it was one. */
export function* retryUnit(scope: number, unit: Unit): Program<boolean> {
  let count = 0;
  for (const { id } of yield* readUnit(scope, unit)) {
    count += yield* retryRejectedRows(scope, id);
  }
  return count > 0;
}

/** How many dead letters a scope has. */
export function* countLetters(scope: number): Program<number> {
  const row = yield* get<{ count: number }>(`SELECT count(*) AS count FROM sync_outbox o WHERE o.scope = ? AND ${IS_LETTER}`, scope);
  return row?.count ?? 0;
}
