import type { Program } from '../../stores/sqlite/driver.ts';
import { documentOf, readUnit, type Unit } from '../push/groups.ts';
import { clearPending } from '../push/outbox.ts';
import { readPendingVersion } from '../push/pending-version.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';
import { readBase } from '../state/base-versions.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { isAdopted } from './merge.ts';
import { judge, type Judgement, type SettleOptions, type Unsettled } from './judge.ts';
import { carryOut } from './settle.ts';
import type { Applied } from './take-remote.ts';

/** The remote holds what was known. */
const UNCHANGED: Applied = { change: 'none', decision: 'follows', advanced: false };
/** Decisions that say: the group has arrived. */
const ARRIVED: ReadonlySet<Judgement['decision']> = new Set(['acknowledged', 'included'] as const);
/** Decisions by which a member is given up. */
const LOST: ReadonlySet<Judgement['decision']> = new Set(['remote', 'remote-deleted'] as const);

/**
 * Brings the members of an atomic group together with what the remote holds of them, in the caller's transaction: as one. Where one of them loses against the remote,
 * all go to the journal, and the remote's versions are taken.
 *
 * Where one of them is at the remote already the group has arrived, and what became of each document since is a matter of its own.
 *
 * @param versions what the remote holds of each member at this moment
 */
export function* settleGroup(
  context: SyncContext,
  scope: Scope,
  group: Unit,
  versions: ReadonlyMap<string, RemoteVersion | undefined>,
  options: SettleOptions,
): Program<readonly Applied[]> {
  const judged: (readonly [Unsettled, Judgement])[] = [];
  for (const row of yield* readUnit(scope.number, group)) {
    const id = documentOf(row.id);
    const base = yield* readBase(scope.number, id);
    const local = yield* readPendingVersion(scope, row, base);
    if (local === undefined) {
      yield* clearPending(scope.number, row.id, row.generation);
    } else {
      const unsettled = { row, local, base, remote: versions.get(id) };
      judged.push([unsettled, judge(context, scope, unsettled, options)]);
    }
  }
  const isLost =
    judged.some(([{ remote }, { decision }]) => isGivenUp(remote, decision)) && !judged.some(([, { decision }]) => ARRIVED.has(decision));
  const applied: Applied[] = [];
  for (const [unsettled, judgement] of judged) {
    if (!isLost && unsettled.remote !== undefined && unsettled.remote.etag === unsettled.base?.etag) {
      applied.push(UNCHANGED);
      continue;
    }
    const isWilling = !isGivenUp(unsettled.remote, judgement.decision) && judgement.decision !== 'equal';
    applied.push(yield* carryOut(context, scope, unsettled, isLost && isWilling ? { decision: 'remote', reason: 'group' } : judgement));
  }
  return applied;
}

/** Whether the remote's version of a member stays; a merge may come to that as well. */
function isGivenUp(remote: RemoteVersion | undefined, decision: Judgement['decision']): boolean {
  return typeof decision === 'object'
    ? decision.lost.includes('local') && remote !== undefined && isAdopted(decision, remote)
    : LOST.has(decision);
}
