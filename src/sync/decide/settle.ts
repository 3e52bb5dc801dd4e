import { PerigeeError } from '../../core/errors.ts';
import { prepareDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { partNow } from '../load-part.ts';
import { documentOf, readFirst } from '../push/groups.ts';
import { advancePending, clearPending, inheritSent, rebasePending, type OutboxRow } from '../push/outbox.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';
import { deleteBase, type BaseRow } from '../state/base-versions.ts';
import { appendJournal, type JournalReason } from '../state/journal.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { conflictOf, type PendingVersion } from './conflict.ts';
import { judge, rulesFor, type Judgement, type SettleOptions, type Unsettled } from './judge.ts';
import { advance, pendingBase, report } from './settle-parts.ts';
import { expireWith, NOTHING, setBase, takeRemote, type Applied } from './take-remote.ts';

/** Decides about a pending write and carries the decision out, in the caller's transaction. */
export function* settle(context: SyncContext, scope: Scope, unsettled: Unsettled, options: SettleOptions): Program<Applied> {
  return yield* carryOut(context, scope, unsettled, judge(context, scope, unsettled, options));
}

/** Carries a decision about a pending version out, in the caller's transaction. */
export function* carryOut(context: SyncContext, scope: Scope, unsettled: Unsettled, { decision, reason }: Judgement): Program<Applied> {
  const { row, local, base, remote } = unsettled;
  const id = documentOf(row.id);
  const isCurrent = row.frozen === null;
  if (typeof decision === 'object') {
    if (remote === undefined) {
      throw new PerigeeError('INTERNAL', 'A conflict was merged without a remote version.');
    }
    return yield* partNow(context.late.merging).merge(context, scope, { ...unsettled, remote }, decision);
  }
  switch (decision) {
    case 'acknowledged':
    case 'equal':
      yield* setBase(scope, id, remote);
      yield* clearPending(scope.number, row.id, row.generation);
      if (!isCurrent) {
        yield* advanceNext(scope, id, remote);
      } else if (remote !== undefined && local.body !== undefined) {
        yield* expireWith(scope, prepareDocument(local.body, scope.paths), remote.ts);
      }
      return { change: 'none', decision };
    case 'included':
      return { ...(yield* giveUp(context, scope, row, base, remote)), decision: 'acknowledged' };
    case 'follows':
      yield* advance(scope, row, remote);
      return { change: 'none', decision, advanced: true };
    case 'recreate':
      yield* deleteBase(scope.number, id);
      yield* rebasePending(scope.number, row.id, pendingBase(scope, undefined));
      return { change: 'none', decision, advanced: base !== undefined };
    case 'local': {
      const journalSeq = yield* journalLoser(context, scope, id, local, remote, reason ?? 'local-wins');
      // What the version known was made of is in the pending one, whatever a restored remote has forgotten.
      yield* advance(scope, row, remote, reason === 'restored' ? base?.lineage : undefined);
      return { change: 'none', decision, advanced: true, conflict: report(scope, id, 'local-wins', journalSeq) };
    }
    case 'remote':
    case 'remote-deleted': {
      const outcome = decision === 'remote' ? 'remote-wins' : 'remote-deleted';
      const journalSeq = yield* journalLoser(context, scope, id, local, remote, reason ?? outcome);
      return { ...(yield* giveUp(context, scope, row, base, remote)), decision, conflict: report(scope, id, outcome, journalSeq) };
    }
    default:
      return decision satisfies never;
  }
}

/**
 * Gives a pending version up for the remote's. Where later writes have taken its place on the device, the document there stays, and the remote version counts as unknown:
 * they meet it themselves.
 */
export function* giveUp(
  context: SyncContext,
  scope: Scope,
  row: OutboxRow,
  base: BaseRow | undefined,
  remote: RemoteVersion | undefined,
): Program<Applied> {
  yield* clearPending(scope.number, row.id, row.generation);
  const id = documentOf(row.id);
  const next = row.frozen === null ? undefined : yield* readFirst(scope.number, id);
  if (next === undefined) {
    return yield* takeRemote(context, scope, id, base, remote);
  }
  yield* inheritSent(scope.number, row, next);
  return NOTHING;
}

/** The version that was made on top of one which the remote has. */
function* advanceNext(scope: Scope, id: string, remote: RemoteVersion | undefined): Program<void> {
  const next = yield* readFirst(scope.number, id);
  if (next !== undefined) {
    yield* advancePending(scope.number, next.id, pendingBase(scope, remote));
  }
}

/** Writes the losing version down. */
export function* journalLoser(
  context: SyncContext,
  scope: Scope,
  id: string,
  local: PendingVersion,
  remote: RemoteVersion | undefined,
  reason: JournalReason,
): Program<number> {
  const conflict = remote === undefined ? undefined : conflictOf(local, remote, rulesFor(context, scope, id));
  const localStamp = conflict?.local.stamp ?? local.stamp;
  const remoteLoses = reason === 'local-wins' || reason === 'forced' || reason === 'restored';
  return yield* appendJournal({
    scope: scope.number,
    id,
    reason,
    losingSide: remoteLoses ? 'remote' : 'local',
    document: remoteLoses ? conflict?.remote.document : (local.whole ?? local.body),
    losingStamp: remoteLoses ? (conflict?.remote.stamp ?? localStamp) : localStamp,
    winningStamp: remoteLoses ? localStamp : conflict?.remote.stamp,
    atMs: context.runtime.nowMs(),
  });
}
