import { PerigeeError } from '../../core/errors.ts';
import { get, type Program } from '../../stores/sqlite/driver.ts';
import { readRejected } from '../dead-letters/dead-letter-rows.ts';
import { readPending } from '../push/outbox.ts';
import type { SyncContext } from '../sync-context.ts';
import type { FollowedWrite } from './write-handle.ts';

/** How often the file is looked at for what others have done: another process may be the one that sends. */
const POLL_MS = 2000;

/** Why the local side of a document can be in the journal before it was acknowledged. */
const LOSSES = "('remote-wins', 'remote-deleted', 'schema', 'group', 'discarded')";

/** What {@link awaitRemote} waits for. */
export interface AwaitRemoteInput {
  readonly writes: readonly FollowedWrite[];
  /** Aborts with the caller's signal, and when the engine closes. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
}

/** Resolves when the remote has acknowledged all of some writes, or later ones of their documents. @throws see `WriteHandle.reached` */
export async function awaitRemote(context: SyncContext, { writes, signal, timeoutMs }: AwaitRemoteInput): Promise<void> {
  const { database, runtime } = context;
  const untilMs = runtime.monotonicMs() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  for (let open = writes; ;) {
    const move = nextMove(context, signal, untilMs);
    try {
      const waiting = open;
      open = await database.read(() => unacknowledged(waiting));
      if (open.length === 0) {
        return;
      }
      if (runtime.monotonicMs() >= untilMs) {
        throw new PerigeeError('TIMEOUT', 'The remote has not acknowledged the write in time. It stays pending, and a later run sends it.');
      }
      await move.happened;
    } finally {
      move.forget();
    }
  }
}

/** Listens for whatever may settle a write, from before the file is looked at. */
function nextMove(
  { events, runtime }: SyncContext,
  signal: AbortSignal,
  untilMs: number,
): { readonly happened: Promise<void>; readonly forget: () => void } {
  const ends: (() => void)[] = [];
  const happened = new Promise<void>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    const waitMs = Math.min(POLL_MS, Math.max(0, untilMs - runtime.monotonicMs()));
    ends.push(
      events.on('run', () => resolve()),
      events.on('conflict', () => resolve()),
      events.on('deadLetter', () => resolve()),
      runtime.setTimer(waitMs, resolve),
      () => signal.removeEventListener('abort', onAbort),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) {
      onAbort();
    }
  });
  // Nobody may be waiting yet, or any more.
  happened.catch(() => undefined);
  return { happened, forget: () => ends.forEach((end) => end()) };
}

/** Those that still wait. */
function* unacknowledged(writes: readonly FollowedWrite[]): Program<readonly FollowedWrite[]> {
  const waiting: FollowedWrite[] = [];
  for (const write of writes) {
    if (yield* isWaiting(write)) {
      waiting.push(write);
    }
  }
  return waiting;
}

function* isWaiting({ scope, id, journalSeq }: FollowedWrite): Program<boolean> {
  const lost = yield* get<{ seq: number; reason: string }>(
    `SELECT seq, reason FROM sync_journal WHERE scope = ? AND id = ? AND seq > ? AND losing_side = 'local' AND reason IN ${LOSSES} ORDER BY seq LIMIT 1`,
    scope,
    id,
    journalSeq,
  );
  if (lost !== undefined) {
    throw new PerigeeError(
      'SYNC_LOST',
      `The write of the document ${JSON.stringify(id)} did not reach the remote: ${lost.reason === 'discarded' ? 'it was discarded' : 'it lost a conflict'}. Entry ${lost.seq} of the journal has it, and restore makes it an edit again.`,
      { details: { journalSeq: lost.seq, reason: lost.reason } },
    );
  }
  const rejected = yield* readRejected(scope, id);
  if (rejected !== undefined) {
    throw new PerigeeError(
      rejected.rejected_code as PerigeeError['code'],
      `The remote refused the document ${JSON.stringify(id)}, which is now a dead letter: find it by its id in engine.deadLetters.list(), and edit, retry or discard it.`,
      { details: { id } },
    );
  }
  return (yield* readPending(scope, id)) !== undefined;
}
