import type { HlcStamp } from '../../core/hybrid-logical-clock.ts';
import { equalValues } from '../../core/json-order.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { documentOf, readFirst } from '../push/groups.ts';
import { clearPending, setPendingBase } from '../push/outbox.ts';
import { readPendingVersion } from '../push/pending-version.ts';
import { replacePending } from '../push/replace-pending.ts';
import { readBase } from '../state/base-versions.ts';
import { appendJournal } from '../state/journal.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { conflictOf, type Conflict, type ConflictSide } from './conflict.ts';
import { decideByPolicy, rulesFor, type Merged, type Unsettled } from './judge.ts';
import { advance, report } from './settle-parts.ts';
import { setBase, takeRemote, type Applied } from './take-remote.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** Puts a merged document in the place of the pending one: a new write, after both sides, on top of the remote version. */
export function* merge(
  context: SyncContext,
  scope: Scope,
  unsettled: Unsettled & { readonly remote: RemoteVersion },
  merged: Merged,
): Program<Applied> {
  const { row, local, base, remote } = unsettled;
  const id = documentOf(row.id);
  const conflict = conflictOf(local, remote, rulesFor(context, scope, id));
  const { clock } = context;
  clock.observe(conflict.local.stamp);
  clock.observe(conflict.remote.stamp);
  const adopts = !remote.deleted && equalValues(merged.shared, remote.body);
  const winningStamp = adopts ? conflict.remote.stamp : clock.next();
  const seqs = yield* journalLosers(context, scope, id, conflict, merged.lost, local.whole, winningStamp);
  if (!adopts) {
    yield* replacePending(scope, row, merged.document, winningStamp);
    yield* advance(scope, row, remote);
    if (row.frozen !== null) {
      yield* carryOver(context, scope, id, row.generation, merged.shared, conflict.remote);
    }
    return { change: 'none', decision: 'merged', advanced: true, conflict: report(scope, id, 'merged', seqs[0]) };
  }
  yield* clearPending(scope.number, row.id, row.generation);
  let taken: Applied = { change: 'none' };
  if (row.frozen === null) {
    taken = yield* takeRemote(context, scope, id, base, remote);
  } else {
    yield* setBase(scope, id, remote);
    yield* carryOver(context, scope, id, row.generation, merged.shared, conflict.remote);
  }
  return merged.lost.length === 0
    ? { ...taken, decision: 'equal' }
    : { ...taken, decision: 'remote', conflict: report(scope, id, 'merged', seqs[0]) };
}

/** Writes down which sides lost something. */
function* journalLosers(
  context: SyncContext,
  scope: Scope,
  id: string,
  conflict: Conflict,
  lost: Merged['lost'],
  whole: JsonObject | undefined,
  winningStamp: HlcStamp,
): Program<readonly number[]> {
  const seqs: number[] = [];
  for (const losingSide of lost) {
    const { document: seen, stamp: losingStamp } = conflict[losingSide];
    const document = losingSide === 'local' ? (whole ?? seen) : seen;
    const entry = { scope: scope.number, id, reason: 'merged', losingSide, document, losingStamp, winningStamp } as const;
    seqs.push(yield* appendJournal({ ...entry, atMs: context.runtime.nowMs() }));
  }
  return seqs;
}

/**
 * A pending version was merged with the remote's, and others were made on top of it: what the remote brought goes into them as well, or they would take it back.
 *
 * @param shared what they follow now
 * @param side the remote version that was merged
 */
function* carryOver(context: SyncContext, scope: Scope, id: string, behind: number, shared: JsonObject, side: ConflictSide): Program<void> {
  const next = yield* readFirst(scope.number, id, behind);
  const local = next === undefined ? undefined : yield* readPendingVersion(scope, next, yield* readBase(scope.number, id));
  if (next === undefined || local === undefined) {
    return;
  }
  const conflict: Conflict = {
    container: scope.container,
    partitionKey: scope.partitionKey,
    id,
    local: { deleted: local.deleted, document: local.body, stamp: local.stamp, write: local.write },
    remote: { ...side, deleted: false, document: shared },
    base: local.base,
  };
  const decided = decideByPolicy(context, scope, local, conflict);
  yield* setPendingBase(scope.number, next.id, scope.needsBase ? JSON.stringify(shared) : null);
  if (decided === 'local') {
    return;
  }
  const stamp = context.clock.next();
  yield* journalLosers(context, scope, id, { ...conflict, remote: side }, decided.lost, local.whole, stamp);
  yield* replacePending(scope, next, decided.document, stamp);
  if (next.frozen !== null) {
    yield* carryOver(context, scope, id, next.generation, decided.shared, side);
  }
}
