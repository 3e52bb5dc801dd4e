import type { PerigeeError } from '../../core/errors.ts';
import { DEPENDENT_CODE } from '../dead-letters/is-letter.ts';
import { all, get, run, type Program } from '../../stores/sqlite/driver.ts';
import { clearPending, OUTBOX_COLUMNS, readPending, rejectPending, WRITTEN_KIND, type OutboxRow } from './outbox.ts';

/** Between the id of a document and its group, and before the group alone: no id has one. */
const SLASH = '/';
/** The character after it. */
const BEHIND_SLASH = '0';

/** Rows by their group; left to itself SQLite would look at every pending row. */
const MEMBERS = 'sync_outbox INDEXED BY sync_outbox_group';

/** What is sent whole or not at all: a document by its id, or a group as `/number`. */
export type Unit = string;

/** The unit of a row. */
export function unitOf({ id, group_id: group }: Pick<OutboxRow, 'id' | 'group_id'>): Unit {
  return group === null ? id : SLASH + group;
}

/** Whether a unit is a group. */
export function isGroup(unit: Unit): boolean {
  return unit.startsWith(SLASH);
}

/** The document of a row's id. A version that later writes have taken the place of has the id `document/group`. */
export function documentOf(rowId: string): string {
  const at = rowId.indexOf(SLASH);
  return at === -1 ? rowId : rowId.slice(0, at);
}

/** Rows of a unit, in the order of their generations. */
export function* readUnit(scope: number, unit: Unit): Program<readonly OutboxRow[]> {
  if (!isGroup(unit)) {
    const row = yield* readPending(scope, unit);
    return row === undefined || row.group_id !== null ? [] : [row];
  }
  return yield* all<OutboxRow>(
    `SELECT ${OUTBOX_COLUMNS} FROM ${MEMBERS} WHERE scope = ? AND group_id = ? ORDER BY generation`,
    scope,
    unit.slice(SLASH.length),
  );
}

/** Whether a scope has groups that wait to be sent; almost always not, which saves a look-up per document. */
export function* hasGroups(scope: number): Program<boolean> {
  return (yield* get('SELECT 1 AS one FROM sync_outbox WHERE scope = ? AND group_id IS NOT NULL LIMIT 1', scope)) !== undefined;
}

/** The oldest pending version of a document; where `behind` is given, of those made later. */
export function* readFirst(scope: number, id: string, behind = 0): Program<OutboxRow | undefined> {
  // One look-up for each of the two places; joined by OR they would be a look at every pending row.
  return yield* get<OutboxRow>(
    `SELECT * FROM (
       SELECT ${OUTBOX_COLUMNS} FROM sync_outbox WHERE scope = ? AND id = ?
       UNION ALL SELECT ${OUTBOX_COLUMNS} FROM sync_outbox WHERE scope = ? AND id > ? AND id < ?
     ) WHERE generation > ? ORDER BY generation LIMIT 1`,
    scope,
    id,
    scope,
    id + SLASH,
    id + BEHIND_SLASH,
    behind,
  );
}

/** Units that hold a version of a document, in the order in which they have to be sent. */
export function* unitsOf(scope: number, id: string): Program<readonly Unit[]> {
  const units: Unit[] = [];
  for (let row = yield* readFirst(scope, id); row !== undefined; row = yield* readFirst(scope, id, row.generation)) {
    units.push(unitOf(row));
  }
  return units;
}

/**
 * Keeps a member of a group as it is, before a later write takes its place on the device.
 *
 * @param text JSON of the version; not needed for a deletion
 * @returns `false` where it is not known: the later write then goes with the group
 */
export function* freeze(scope: number, id: string, text: string | undefined): Program<boolean> {
  const changes = yield* run(
    `UPDATE sync_outbox SET id = id || '/' || group_id, frozen = CASE kind WHEN 'delete' THEN 'null' ELSE ? END, touched = NULL
     WHERE scope = ? AND id = ? AND group_id IS NOT NULL AND (kind = 'delete' OR ? IS NOT NULL)`,
    text ?? null,
    scope,
    id,
    text ?? null,
  );
  return changes > 0;
}

/** Makes pending documents a group. Gives how many they are: one alone is none. */
export function* formGroup(scope: number, group: number, ids: readonly string[], nowMs: number): Program<number> {
  const listed = 'scope = ? AND id IN (SELECT value FROM json_each(?))';
  const count = yield* run(`UPDATE sync_outbox SET group_id = ? WHERE ${listed}`, String(group), scope, JSON.stringify(ids));
  if (count === 1) {
    yield* run(`UPDATE sync_outbox SET group_id = NULL WHERE ${listed}`, scope, JSON.stringify(ids));
    return count;
  }
  const rejected = yield* get(
    `SELECT 1 AS one FROM ${MEMBERS} WHERE scope = ? AND group_id = ? AND rejected_code IS NOT NULL`,
    scope,
    String(group),
  );
  if (rejected !== undefined) {
    yield* holdBack(scope, String(group), nowMs);
  }
  return count;
}

/** Lets the members of a group wait of which one was refused. */
function* holdBack(scope: number, group: string, nowMs: number): Program<void> {
  yield* run(
    `UPDATE ${MEMBERS} SET rejected_code = '${DEPENDENT_CODE}', rejected_message = ?, rejected_at_ms = ?, rejected_remote = NULL,
       first_rejected_at_ms = coalesce(first_rejected_at_ms, ?)
     WHERE scope = ? AND group_id = ? AND rejected_code IS NULL`,
    'Not sent: the remote refused another document of the same transaction.',
    nowMs,
    nowMs,
    scope,
    group,
  );
}

/** What a row is now that held a version when it was sent. */
export type Cleared = 'current' | 'frozen' | undefined;

/** Where the version is that was sent from a row: there still, frozen meanwhile, or replaced by a later one. */
function* withVersion(item: SentVersion, change: (id: string) => Program<boolean>): Program<Cleared> {
  if (yield* change(item.rowId)) {
    return documentOf(item.rowId) === item.rowId ? 'current' : 'frozen';
  }
  return isGroup(item.unit) && (yield* change(documentOf(item.rowId) + item.unit)) ? 'frozen' : undefined;
}

/** A version that was sent. */
export interface SentVersion {
  readonly unit: Unit;
  readonly rowId: string;
  readonly generation: number;
}

/** Removes the row of a version that was sent; `undefined` where a later write has taken its place. */
export function* clearSent(scope: number, item: SentVersion): Program<Cleared> {
  return yield* withVersion(item, (id) => clearPending(scope, id, item.generation));
}

/** Makes a version that was sent a dead letter, with its whole group. Gives whether it did: it may have been edited meanwhile. */
export function* rejectSent(scope: number, item: SentVersion, error: PerigeeError, nowMs: number): Program<boolean> {
  const rejected = yield* withVersion(item, (id) => rejectPending(scope, id, item.generation, error, nowMs));
  if (rejected !== undefined && isGroup(item.unit)) {
    yield* holdBack(scope, item.unit.slice(SLASH.length), nowMs);
  }
  return rejected !== undefined;
}

/** Puts another version in the place of a frozen one. */
export function* replaceFrozen(scope: number, rowId: string, text: string, stamp: string): Program<void> {
  yield* run(`UPDATE sync_outbox SET kind = ${WRITTEN_KIND}, frozen = ?, stamp = ? WHERE scope = ? AND id = ?`, text, stamp, scope, rowId);
}
