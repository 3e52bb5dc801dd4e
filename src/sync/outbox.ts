import { formatStamp, parseStamp, type HlcStamp } from '../core/hybrid-logical-clock.ts';
import type { PerigeeError } from '../core/errors.ts';
import { all, get, run, type Program } from '../stores/sqlite/driver.ts';

/** A pending write as it is stored. */
export interface OutboxRow {
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
  readonly attempts: number;
  readonly rejected_code: string | null;
}

const COLUMNS = 'id, kind, generation, stamp, created_at_ms, sent, attempts, rejected_code';
/** Unknown outcomes remembered per document; each needs a time-out of its own. */
const MAX_SENT = 8;

/** Name of a pending write: unique, since the generation is drawn in the write's transaction and the stamp never repeats after a restored backup. */
export function writeName(row: Pick<OutboxRow, 'stamp' | 'generation'>): string {
  return `${row.stamp}.${row.generation}`;
}

/** Stamp of a row. */
export function rowStamp(row: Pick<OutboxRow, 'stamp'>): HlcStamp {
  return parseStamp(row.stamp) ?? { timeMs: 0, counter: 0, device: '' };
}

/** Names of the writes that were sent with unknown outcome. */
export function sentNames(row: Pick<OutboxRow, 'sent'>): readonly string[] {
  return row.sent === null ? [] : row.sent.split(' ');
}

/** Makes a document pending, or gives its pending row a new generation; an earlier rejection is lifted, for the document changed. */
export function* recordPending(
  scope: number,
  id: string,
  kind: OutboxRow['kind'],
  generation: number,
  stamp: HlcStamp,
  nowMs: number,
): Program<void> {
  yield* run(
    `INSERT INTO sync_outbox (scope, id, kind, generation, stamp, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, id) DO UPDATE SET
       kind = CASE WHEN kind = 'create' AND excluded.kind = 'put' THEN kind ELSE excluded.kind END,
       generation = excluded.generation, stamp = excluded.stamp, attempts = 0, rejected_code = NULL, rejected_message = NULL, rejected_at_ms = NULL`,
    scope,
    id,
    kind,
    generation,
    formatStamp(stamp),
    nowMs,
  );
}

/** The pending row of a document. */
export function* readPending(scope: number, id: string): Program<OutboxRow | undefined> {
  return yield* get<OutboxRow>(`SELECT ${COLUMNS} FROM sync_outbox WHERE scope = ? AND id = ?`, scope, id);
}

/** Pending rows that may be sent, in the order of their generations, from behind `after` to `upTo`. */
export function* listSendable(
  scope: number,
  after: number,
  upTo: number,
  limit: number,
): Program<readonly { id: string; generation: number }[]> {
  return yield* all(
    `SELECT id, generation FROM sync_outbox
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

/** Whether a scope has any pending row; almost always not, which saves a look-up per pulled document. */
export function* hasPending(scope: number): Program<boolean> {
  return (yield* get('SELECT 1 AS one FROM sync_outbox WHERE scope = ? LIMIT 1', scope)) !== undefined;
}

/** Notes that a write is about to be sent, so that it is known as such should its answer be lost. */
export function* markSent(scope: number, row: OutboxRow): Program<void> {
  const names = sentNames(row);
  const name = writeName(row);
  if (!names.includes(name)) {
    const sent = [...names.slice(1 - MAX_SENT), name].join(' ');
    yield* run('UPDATE sync_outbox SET sent = ? WHERE scope = ? AND id = ?', sent, scope, row.id);
  }
}

/** Takes note that the remote holds a write: the row goes where its generation is still the one sent, otherwise it stays pending. Gives whether it went. */
export function* clearPending(scope: number, id: string, generation: number): Program<boolean> {
  const cleared = (yield* run('DELETE FROM sync_outbox WHERE scope = ? AND id = ? AND generation = ?', scope, id, generation)) > 0;
  if (!cleared) {
    yield* forgetSent(scope, id);
  }
  return cleared;
}

/** The base of a pending write advanced: nothing sent before it is open, and the write follows that version. */
export function* forgetSent(scope: number, id: string): Program<void> {
  yield* run(
    "UPDATE sync_outbox SET sent = NULL, kind = CASE kind WHEN 'create' THEN 'put' ELSE kind END WHERE scope = ? AND id = ?",
    scope,
    id,
  );
}

/** Sets a row aside that the remote refused for a reason of its own, unless it was edited meanwhile. Gives whether it did. */
export function* rejectPending(scope: number, id: string, generation: number, error: PerigeeError, nowMs: number): Program<boolean> {
  return (
    (yield* run(
      `UPDATE sync_outbox SET attempts = attempts + 1, rejected_code = ?, rejected_message = ?, rejected_at_ms = ?
       WHERE scope = ? AND id = ? AND generation = ?`,
      error.code,
      error.message,
      nowMs,
      scope,
      id,
      generation,
    )) > 0
  );
}

/** Lets rejected rows be sent again. Gives how many. */
export function* retryRejectedRows(scope: number, id: string | undefined): Program<number> {
  const set = 'UPDATE sync_outbox SET rejected_code = NULL, rejected_message = NULL, rejected_at_ms = NULL WHERE rejected_code IS NOT NULL';
  return id === undefined ? yield* run(`${set} AND scope = ?`, scope) : yield* run(`${set} AND scope = ? AND id = ?`, scope, id);
}
