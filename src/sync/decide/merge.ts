import type { HlcStamp } from '../../core/hybrid-logical-clock.ts';
import { equalValues } from '../../core/json-order.ts';
import { PerigeeError } from '../../core/errors.ts';
import { getOwn, type JsonObject } from '../../core/json.ts';
import { prepareDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { documentOf, readFirst } from '../push/groups.ts';
import { clearPending, setPendingBase } from '../push/outbox.ts';
import { readPendingVersion } from '../push/pending-version.ts';
import { replacePending } from '../push/replace-pending.ts';
import { readBase } from '../state/base-versions.ts';
import { appendJournal } from '../state/journal.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { conflictOf, type Conflict, type ConflictSide, type MergedDocument, type PendingVersion } from './conflict.ts';
import { rulesFor, safely, type Merged, type Unsettled } from './judge.ts';
import { advance, report } from './settle-parts.ts';
import { NOTHING, setBase, takeRemote, type Applied } from './take-remote.ts';
import { RESERVED_PROPERTY, type RemoteVersion } from '../remote/wire-stamp.ts';

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
  const adopts = isAdopted(merged, remote);
  const winningStamp = adopts ? conflict.remote.stamp : clock.next();
  const seqs = yield* journalLosers(context, scope, id, conflict, merged.lost, local.whole, winningStamp);
  let taken = NOTHING;
  if (!adopts) {
    yield* replacePending(scope, row, merged.document, winningStamp);
    yield* advance(scope, row, remote);
  } else {
    yield* clearPending(scope.number, row.id, row.generation);
    if (row.frozen === null) {
      taken = yield* takeRemote(context, scope, id, base, remote);
    } else {
      yield* setBase(scope, id, remote);
    }
  }
  if (row.frozen !== null) {
    yield* carryOver(context, scope, id, row.generation, merged.shared, conflict.remote);
  }
  if (!adopts) {
    return { change: 'none', decision: 'merged', advanced: true, conflict: report(scope, id, 'merged', seqs[0]) };
  }
  return merged.lost.length === 0
    ? { ...taken, decision: 'equal' }
    : { ...taken, decision: 'remote', conflict: report(scope, id, 'merged', seqs[0]) };
}

/** Whether a merge came to what the remote holds. */
export function isAdopted({ shared }: Pick<Merged, 'shared'>, remote: RemoteVersion): boolean {
  return !remote.deleted && equalValues(shared, remote.body);
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

/** What the policy says of a conflict between a pending write and a version that it was not made on: it stays, or a document takes its place. */
function decideByPolicy(context: SyncContext, scope: Scope, local: PendingVersion, conflict: Conflict): 'local' | Merged {
  return safely<'local' | Merged>(
    context,
    scope,
    () => {
      const decided = scope.policy(conflict);
      const given = decided === 'remote' ? { merged: conflict.remote.document as JsonObject, lost: ['local'] as const } : decided;
      return given === 'local' ? given : checkMerged(scope, local, conflict.id, given);
    },
    () => 'local',
  );
}

/** Checks what a policy made of both sides as a local write is checked. @throws INVALID_OPTION, INVALID_DOCUMENT and others of a document */
export function checkMerged(scope: Scope, local: PendingVersion, id: string, decided: MergedDocument): Merged {
  if (typeof decided !== 'object') {
    throw new PerigeeError('INVALID_OPTION', 'The conflict policy chose neither a side nor a merged document.');
  }
  return { ...prepareMerged(scope, local, id, decided.merged), lost: decided.lost ?? ['local', 'remote'] };
}

function prepareMerged(scope: Scope, local: PendingVersion, id: string, merged: JsonObject): Omit<Merged, 'lost'> {
  const shared = scope.form.shared(JSON.parse(prepareDocument(merged, scope.paths).text) as JsonObject);
  const document = prepareDocument(scope.form.carried(shared, local.whole), scope.paths);
  if (
    document.id !== id ||
    document.partitionKeyText !== scope.partitionKeyText ||
    getOwn(document.value, RESERVED_PROPERTY) !== undefined ||
    scope.types?.accepts(document.value) === false ||
    !scope.form.knows(shared)
  ) {
    throw new PerigeeError(
      'INVALID_DOCUMENT',
      'The merged document has another key, another type, another version or a reserved property.',
    );
  }
  return { document, shared };
}
