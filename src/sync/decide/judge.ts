import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import { partNow } from '../load-part.ts';
import { documentOf } from '../push/groups.ts';
import type { OutboxRow } from '../push/outbox.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';
import type { BaseRow } from '../state/base-versions.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { clientWins, lastWriteWins } from './conflict-policies.ts';
import { decide, type ConflictPolicy, type Decision, type DecisionRules, type PendingVersion } from './conflict.ts';

/** A pending write and everything that it is brought together with. */
export interface Unsettled {
  readonly row: OutboxRow;
  readonly local: PendingVersion;
  readonly base: BaseRow | undefined;
  readonly remote: RemoteVersion | undefined;
}

/** How a pending write is brought together with the remote. */
export interface SettleOptions {
  /** What is pending stays whatever the policy says, and a document that is gone is made again. */
  readonly forced?: boolean | undefined;
  /** The remote was restored from a backup: the same holds for what it is behind with. */
  readonly restored?: object | undefined;
}

/** A merged document, checked. */
export interface Merged {
  /** With what the device has for itself. */
  readonly document: PreparedDocument;
  readonly shared: JsonObject;
  readonly lost: readonly ('local' | 'remote')[];
}

/** What is to become of a pending write. */
export interface Judgement {
  readonly decision: Exclude<Decision, 'merged'> | Merged;
  /** Why the loser goes to the journal, where the decision alone does not say it. */
  readonly reason: 'restored' | 'forced' | 'schema' | 'group' | undefined;
}

/** Rules of decisions about one document. */
export function rulesFor(context: SyncContext, scope: Scope, id: string): DecisionRules {
  return {
    container: scope.container,
    partitionKey: scope.partitionKey,
    id,
    policy: scope.policy,
    toleranceMs: context.toleranceMs,
    serverNowMs: context.clock.serverNowMs(),
  };
}

/** Whether a restored remote is behind what was known of a document. */
export function isBehind(base: BaseRow | undefined, remote: RemoteVersion | undefined): base is BaseRow {
  return base !== undefined && (remote === undefined || remote.ts <= base.ts);
}

/** Decides about a pending write, and changes nothing. */
export function judge(context: SyncContext, scope: Scope, unsettled: Unsettled, options: SettleOptions): Judgement {
  const { row, local, base, remote } = unsettled;
  const rules = rulesFor(context, scope, documentOf(row.id));
  const isRestored = options.restored !== undefined && isBehind(base, remote);
  const forced = options.forced === true || isRestored;
  const isJudged = forced || canJudge(scope, local, remote);
  const policy = forced ? clientWins : isJudged ? scope.policy : remoteStays(scope.policy);
  const decision = decideSafely(context, scope, unsettled, { ...rules, policy });
  return {
    decision: forced && decision === 'remote-deleted' ? 'recreate' : decision,
    reason: isRestored ? 'restored' : forced ? 'forced' : isJudged ? undefined : 'schema',
  };
}

/** Whether both sides have the version of the program. A newer one holds what it does not know, and would be cut. */
function canJudge({ form }: Scope, local: PendingVersion, remote: RemoteVersion | undefined): boolean {
  return [local.body, remote?.deleted === true ? undefined : remote?.body].every((body) => body === undefined || form.knows(body));
}

/** What the remote holds stays; the rest is as with the policy of the container. */
function remoteStays({ needsBase }: ConflictPolicy): ConflictPolicy {
  const policy: ConflictPolicy = () => 'remote';
  return Object.assign(policy, { needsBase });
}

/** The decision by the policy; by the last write where that fails, so that a document which it cannot cope with holds back nobody. */
function decideSafely(context: SyncContext, scope: Scope, { local, remote }: Unsettled, rules: DecisionRules): Judgement['decision'] {
  return safely(
    context,
    scope,
    () => {
      const decided = decide(local, remote, rules);
      return typeof decided === 'string' ? decided : partNow(context.late.merging).checkMerged(scope, local, rules.id, decided);
    },
    () => decide(local, remote, { ...rules, policy: lastWriteWins }) as Exclude<Decision, 'merged'>,
  );
}

/** What a policy gives, or something else where it fails, so that a document which it cannot cope with holds back nobody. */
export function safely<D>(context: SyncContext, scope: Scope, byPolicy: () => D, otherwise: () => D): D {
  try {
    return byPolicy();
  } catch (error) {
    const what = isPerigeeError(error) ? error.code : error instanceof Error ? error.name : typeof error;
    context.warn(
      `The conflict policy of the container ${JSON.stringify(scope.container)} failed or gave a document that cannot be stored (${what}); the last write won.`,
    );
    return otherwise();
  }
}
