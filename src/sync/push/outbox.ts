import { formatStamp, parseStamp, type HlcStamp } from '../../core/hybrid-logical-clock.ts';
import type { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { all, get, run, type Program } from '../../stores/sqlite/driver.ts';

/** A pending write as it is stored. */
export interface OutboxRow {
  /** Id of the document; for a version that later writes have taken the place of, as `groups.ts` says. */
  readonly id: string;
  /** `create`: a put that follows no living version, since the document was missing on the device when it was written. */
  readonly kind: 'create' | 'put' | 'delete';
  /** Grows with every write of the document; position of the write in its local container. */
  readonly generation: number;
  readonly stamp: string;
  /** When the document became pending, in milliseconds by the device's clock. */
  readonly created_at_ms: number;
  /** Names of writes that were sent and whose outcome is unknown, separated by spaces. */
  readonly sent: string | null;
  /** JSON of what those writes sent, by name; only for policies that ask for the base. */
  readonly sent_bodies: string | null;
  readonly attempts: number;
  readonly rejected_code: string | null;
  /** JSON of what the remote held when it refused the write, as `dead-letters.ts` says. */
  readonly rejected_remote: string | null;
  /** JSON of the remote version that the write follows, `null` in JSON for none; only for policies that ask for it. */
  readonly base: string | null;
  /** JSON of the paths at which the document may differ from the remote version that it follows; `null`: anywhere. */
  readonly touched: string | null;
  /** Number of the atomic group that it belongs to. */
  readonly group_id: string | null;
  /** JSON of the version as it was on the device, `null` in JSON for a deletion, where later writes have taken its place there; otherwise the container has it. */
  readonly frozen: string | null;
}

/** Kinds that this version can send. */
const KNOWN_KINDS = "('create', 'put', 'delete')";
export const OUTBOX_COLUMNS =
  'id, kind, generation, stamp, created_at_ms, sent, sent_bodies, attempts, rejected_code, rejected_remote, base, touched, group_id, frozen';
/** A base that says: the write follows no living version. */
export const NO_BASE = 'null';
/** Unknown outcomes remembered per document; each needs a time-out of its own. */
const MAX_SENT = 8;
/** The same where policies merge: one that is forgotten could count twice. */
const MAX_SENT_MERGED = 32;

/**
 * Name of a pending write as this life of the device sends it. After a loss of power generations come again, and stamps do where the clock went back with
 * them, so the life, which is drawn at random, tells such writes apart.
 */
export function writeName(row: Pick<OutboxRow, 'stamp' | 'generation'>, life: string): string {
  return `${row.stamp}.${row.generation}-${life}`;
}

/** Whether two names are of one write, sent in different lives. Only for names that the device has noted itself. */
export function isSameWrite(left: string, right: string): boolean {
  return left.slice(0, left.lastIndexOf('-')) === right.slice(0, right.lastIndexOf('-'));
}

/** Stamp of a row. */
export function rowStamp(row: Pick<OutboxRow, 'stamp'>): HlcStamp {
  return parseStamp(row.stamp) ?? { timeMs: 0, counter: 0, device: '' };
}

/** Names of the writes that were sent with unknown outcome. */
export function sentNames(row: Pick<OutboxRow, 'sent'>): readonly string[] {
  return row.sent === null ? [] : row.sent.split(' ');
}

/** What the bodies of sent writes are, by name; `null` for a deletion. */
export function sentBodies(row: Pick<OutboxRow, 'sent_bodies'>): ReadonlyMap<string, JsonObject | null> {
  return new Map(row.sent_bodies === null ? [] : Object.entries(JSON.parse(row.sent_bodies) as Record<string, JsonObject | null>));
}

/**
 * Makes a document pending, or gives its pending row a new generation. A dead letter stays one: the write takes its place and waits behind it. The
 * base is that of the first write since the document was last in step with the remote.
 */
export function* recordPending(
  scope: number,
  id: string,
  kind: OutboxRow['kind'],
  generation: number,
  stamp: HlcStamp,
  nowMs: number,
  base: string | null,
  touched: string | null = null,
): Program<void> {
  yield* run(
    `INSERT INTO sync_outbox (scope, id, kind, generation, stamp, created_at_ms, base, touched) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, id) DO UPDATE SET
       kind = CASE WHEN kind = 'create' AND excluded.kind = 'put' THEN kind ELSE excluded.kind END,
       touched = excluded.touched, generation = excluded.generation, stamp = excluded.stamp`,
    scope,
    id,
    kind,
    generation,
    formatStamp(stamp),
    nowMs,
    base,
    touched,
  );
}

/** Lets a document be sent whole. */
export function* forgetTouched(scope: number, id: string): Program<void> {
  yield* run('UPDATE sync_outbox SET touched = NULL WHERE scope = ? AND id = ?', scope, id);
}

/** What becomes pending again, since the remote has forgotten it. */
export interface ForgottenWrite {
  readonly kind: OutboxRow['kind'];
  readonly generation: number;
  readonly stamp: string;
  readonly nowMs: number;
  /** As {@link OutboxRow.base}. */
  readonly base: string | null;
  /** Name and content of the write that the remote had acknowledged, `null` for a deletion; only for policies that ask for the base. */
  readonly sent: { readonly name: string; readonly body: JsonObject | null } | undefined;
}

/** Makes a document pending that was in step with the remote. */
export function* recordForgotten(scope: number, id: string, { kind, generation, stamp, nowMs, base, sent }: ForgottenWrite): Program<void> {
  yield* run(
    'INSERT INTO sync_outbox (scope, id, kind, generation, stamp, created_at_ms, base, sent, sent_bodies) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    scope,
    id,
    kind,
    generation,
    stamp,
    nowMs,
    base,
    sent?.name ?? null,
    sent === undefined ? null : JSON.stringify({ [sent.name]: sent.body }),
  );
}

/** Kind of a pending write in the place of which a document was put. */
export const WRITTEN_KIND = "CASE kind WHEN 'delete' THEN 'put' ELSE kind END";

/** Takes note that a document of a position was put in the place of a pending write. */
export function* recordReplaced(scope: number, id: string, generation: number, stamp: HlcStamp): Program<void> {
  yield* run(
    `UPDATE sync_outbox SET kind = ${WRITTEN_KIND}, touched = NULL, generation = ?, stamp = ? WHERE scope = ? AND id = ?`,
    generation,
    formatStamp(stamp),
    scope,
    id,
  );
}

/** The pending row of a document. */
export function* readPending(scope: number, id: string): Program<OutboxRow | undefined> {
  return yield* get<OutboxRow>(`SELECT ${OUTBOX_COLUMNS} FROM sync_outbox WHERE scope = ? AND id = ?`, scope, id);
}

/** Pending rows that may be sent, in the order of their generations, from behind `after` to `upTo`. */
export function* listSendable(
  scope: number,
  after: number,
  upTo: number,
  limit: number,
): Program<readonly Pick<OutboxRow, 'id' | 'generation' | 'group_id'>[]> {
  return yield* all(
    `SELECT id, generation, group_id FROM sync_outbox
     WHERE scope = ? AND rejected_code IS NULL AND generation > ? AND generation <= ? ORDER BY generation LIMIT ?`,
    scope,
    after,
    upTo,
    limit,
  );
}

/** The highest generation pending in a scope; 0 for none. */
export function* highestGeneration(scope: number): Program<number> {
  const row = yield* get<{ highest: number | null }>('SELECT max(generation) AS highest FROM sync_outbox WHERE scope = ?', scope);
  return row?.highest ?? 0;
}

/** Documents with a pending write of which the base is known, behind one of them, by id. */
export function* listBased(scope: number, after: string, limit: number): Program<readonly string[]> {
  const rows = yield* all<{ id: string }>(
    'SELECT id FROM sync_outbox WHERE scope = ? AND base IS NOT NULL AND id > ? ORDER BY id LIMIT ?',
    scope,
    after,
    limit,
  );
  return rows.map(({ id }) => id);
}

/** Whether a scope has any pending row; almost always not, which saves a look-up per pulled document. */
export function* hasPending(scope: number): Program<boolean> {
  return (yield* get('SELECT 1 AS one FROM sync_outbox WHERE scope = ? LIMIT 1', scope)) !== undefined;
}

/** Notes that a write is about to be sent, so that it is known as such should its answer be lost; what it sends too, for policies that ask for the base. */
export function* markSent(scope: number, row: OutboxRow, name: string, body: JsonObject | null | undefined): Program<void> {
  const names = sentNames(row);
  if (names.includes(name)) {
    return;
  }
  const kept = names.slice(1 - (body === undefined ? MAX_SENT : MAX_SENT_MERGED));
  const known = body === undefined ? undefined : sentBodies(row);
  const bodies =
    known === undefined || body === undefined
      ? null
      : JSON.stringify(Object.fromEntries([...[...known].filter(([sent]) => kept.includes(sent)), [name, body]]));
  yield* run(
    'UPDATE sync_outbox SET sent = ?, sent_bodies = ? WHERE scope = ? AND id = ?',
    [...kept, name].join(' '),
    bodies,
    scope,
    row.id,
  );
}

/** Stands for sent writes of which the names are gone. */
const FORGOTTEN = '?';

/** A version was given up, and another one was made on top of it: whatever of the document has been sent is still open, and it counts as sent. */
export function* inheritSent(scope: number, from: OutboxRow, to: OutboxRow): Program<void> {
  const names = [...(from.sent === null ? [FORGOTTEN] : sentNames(from)), ...sentNames(to)].slice(-MAX_SENT_MERGED);
  const bodies = [...sentBodies(from), ...sentBodies(to)].filter(([name]) => names.includes(name));
  yield* run(
    'UPDATE sync_outbox SET sent = ?, sent_bodies = ? WHERE scope = ? AND id = ?',
    names.join(' '),
    bodies.length === 0 ? null : JSON.stringify(Object.fromEntries(bodies)),
    scope,
    to.id,
  );
}

/**
 * Takes every new document that waits for one that may have been sent. A loss of power takes back the note of a sending along with everything behind it;
 * a deletion of the document then has to reach the remote, which may have it.
 */
export function* doubtUnsent(): Program<void> {
  yield* run("UPDATE sync_outbox SET sent = ? WHERE sent IS NULL AND kind = 'create'", FORGOTTEN);
}

/**
 * Makes rows of kinds that this version does not know dead letters: what they mean cannot be told from the document, and another version may know.
 * Gives how many.
 */
export function* parkUnknown(nowMs: number): Program<number> {
  return yield* run(
    `UPDATE sync_outbox SET rejected_code = 'NOT_SUPPORTED', rejected_message = ?, rejected_at_ms = ?, first_rejected_at_ms = coalesce(first_rejected_at_ms, ?)
     WHERE kind NOT IN ${KNOWN_KINDS} AND rejected_code IS NULL`,
    'This version does not know the kind of the pending write. Open the file with the version that made it, or edit or discard the dead letter.',
    nowMs,
    nowMs,
  );
}

/** Removes a pending row where its generation is still the one given; otherwise it was edited meanwhile. Gives whether it went. */
export function* clearPending(scope: number, id: string, generation: number): Program<boolean> {
  return (yield* run('DELETE FROM sync_outbox WHERE scope = ? AND id = ? AND generation = ?', scope, id, generation)) > 0;
}

/** What a pending write follows from now on. */
export interface PendingBase {
  /** As {@link OutboxRow.base}. */
  readonly text: string | null;
  /** As {@link OutboxRow.rejected_remote}, should it be a dead letter. */
  readonly remote: string | null;
  /** Whether the version is one that the device sent out of the same patches, so that what they touched is still all that can differ. */
  readonly keepsTouched?: boolean | undefined;
}

/** What a pending write followed is gone; it is still open whether an earlier one arrives. */
export function* rebasePending(scope: number, id: string, base: PendingBase): Program<void> {
  yield* run(
    `UPDATE sync_outbox SET touched = NULL, base = ?, rejected_remote = CASE WHEN rejected_code IS NULL THEN NULL ELSE ? END WHERE scope = ? AND id = ?`,
    base.text,
    base.remote,
    scope,
    id,
  );
}

/** A pending write follows another version that is sent before it. */
export function* setPendingBase(scope: number, id: string, base: string | null): Program<void> {
  yield* run('UPDATE sync_outbox SET touched = NULL, base = ? WHERE scope = ? AND id = ?', base, scope, id);
}

/** The base of a pending write advanced: nothing sent before it is open, and the write follows that version. */
export function* advancePending(scope: number, id: string, base: PendingBase): Program<void> {
  yield* run(
    `UPDATE sync_outbox SET sent = NULL, sent_bodies = NULL, kind = CASE kind WHEN 'create' THEN 'put' ELSE kind END, base = ?,
       touched = CASE WHEN ? THEN touched END,
       rejected_remote = CASE WHEN rejected_code IS NULL THEN NULL ELSE ? END WHERE scope = ? AND id = ?`,
    base.text,
    base.keepsTouched === true ? 1 : 0,
    base.remote,
    scope,
    id,
  );
}

/** Makes a row a dead letter that the remote refused for a reason of its own, unless it was edited meanwhile. Gives whether it did. */
export function* rejectPending(scope: number, id: string, generation: number, error: PerigeeError, nowMs: number): Program<boolean> {
  return (
    (yield* run(
      `UPDATE sync_outbox SET attempts = attempts + 1, rejected_code = ?, rejected_message = ?, rejected_at_ms = ?, rejected_remote = NULL,
         first_rejected_at_ms = coalesce(first_rejected_at_ms, ?)
       WHERE scope = ? AND id = ? AND generation = ?`,
      error.code,
      error.message,
      nowMs,
      nowMs,
      scope,
      id,
      generation,
    )) > 0
  );
}

/** Lets rejected rows be sent again, those of unknown kinds apart. Gives how many. */
export function* retryRejectedRows(scope: number, id: string | undefined): Program<number> {
  const set = `UPDATE sync_outbox SET rejected_code = NULL, rejected_message = NULL, rejected_at_ms = NULL, rejected_remote = NULL
     WHERE rejected_code IS NOT NULL AND kind IN ${KNOWN_KINDS}`;
  return id === undefined ? yield* run(`${set} AND scope = ?`, scope) : yield* run(`${set} AND scope = ? AND id = ?`, scope, id);
}
