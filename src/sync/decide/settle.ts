import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { equalValues } from '../../core/json-order.ts';
import { getOwn, type JsonObject } from '../../core/json.ts';
import { prepareDocument, type PreparedDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { deleteBase, type BaseRow } from '../state/base-versions.ts';
import { clientWins, lastWriteWins } from './conflict-policies.ts';
import { conflictOf, decide, type ConflictPolicy, type Decision, type DecisionRules, type PendingVersion } from './conflict.ts';
import { appendJournal, type JournalReason } from '../state/journal.ts';
import { advancePending, clearPending, NO_BASE, rebasePending, recordMerged, type OutboxRow, type PendingBase } from '../push/outbox.ts';
import { snapshotText } from '../remote/remote-snapshot.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { ConflictReport } from '../sync-report.ts';
import { expireWith, setBase, takeRemote, type Applied } from './take-remote.ts';
import { RESERVED_PROPERTY, type RemoteVersion } from '../remote/wire-stamp.ts';

/** A pending write and everything that it is brought together with. */
export interface Unsettled {
  readonly row: OutboxRow;
  readonly local: PendingVersion;
  readonly base: BaseRow | undefined;
  readonly remote: RemoteVersion | undefined;
}

/** Rules of decisions about one document. */
function rulesFor(context: SyncContext, scope: Scope, id: string): DecisionRules {
  return {
    container: scope.container,
    partitionKey: scope.partitionKey,
    id,
    policy: scope.policy,
    toleranceMs: context.toleranceMs,
    serverNowMs: context.clock.serverNowMs(),
  };
}

/** How a pending write is brought together with the remote. */
export interface SettleOptions {
  /** What is pending stays whatever the policy says, and a document that is gone is made again. */
  readonly forced?: boolean | undefined;
  /** The remote was restored from a backup: the same holds for what it is behind with. */
  readonly restored?: object | undefined;
}

/** Decides about a pending write and carries the decision out, in the caller's transaction. */
export function* settle(context: SyncContext, scope: Scope, unsettled: Unsettled, options: SettleOptions): Program<Applied> {
  const { row, local, base, remote } = unsettled;
  const { id } = row;
  const rules = rulesFor(context, scope, id);
  const isBehind = options.restored !== undefined && base !== undefined && (remote === undefined || remote.ts <= base.ts);
  const forced = options.forced === true || isBehind;
  const isJudged = forced || canJudge(scope, local, remote);
  const policy = forced ? clientWins : isJudged ? scope.policy : remoteStays(scope.policy);
  const decided = decideSafely(context, scope, unsettled, { ...rules, policy });
  if (typeof decided === 'object') {
    return yield* merge(context, scope, unsettled, decided);
  }
  const decision = forced && decided === 'remote-deleted' ? 'recreate' : decided;
  switch (decision) {
    case 'acknowledged':
    case 'equal':
      yield* setBase(scope, id, remote);
      yield* clearPending(scope.number, id, row.generation);
      if (remote !== undefined && local.body !== undefined) {
        yield* expireWith(scope, prepareDocument(local.body, scope.paths), remote.ts);
      }
      return { change: 'none', decision };
    case 'included': {
      yield* clearPending(scope.number, id, row.generation);
      return { ...(yield* takeRemote(context, scope, id, base, remote)), decision: 'acknowledged' };
    }
    case 'follows':
      yield* advance(scope, id, remote);
      return { change: 'none', decision, advanced: true };
    case 'recreate':
      yield* deleteBase(scope.number, id);
      yield* rebasePending(scope.number, id, pendingBase(scope, undefined));
      return { change: 'none', decision, advanced: base !== undefined };
    case 'local': {
      const journalSeq = yield* journalLoser(context, scope, id, local, remote, isBehind ? 'restored' : forced ? 'forced' : 'local-wins');
      yield* advance(scope, id, remote, isBehind ? base.lineage : undefined);
      return { change: 'none', decision, advanced: true, conflict: report(scope, id, 'local-wins', journalSeq) };
    }
    case 'remote':
    case 'remote-deleted': {
      const taken = yield* takeRemote(context, scope, id, base, remote);
      const outcome = decision === 'remote' ? 'remote-wins' : 'remote-deleted';
      const journalSeq = yield* journalLoser(context, scope, id, local, remote, isJudged ? outcome : 'schema');
      yield* clearPending(scope.number, id, row.generation);
      return { ...taken, decision, conflict: report(scope, id, outcome, journalSeq) };
    }
    default:
      return decision satisfies never;
  }
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

/** A merged document, checked. */
interface Merged {
  /** With what the device has for itself. */
  readonly document: PreparedDocument;
  readonly shared: JsonObject;
  readonly lost: readonly ('local' | 'remote')[];
}

/** The decision by the policy; by the last write where that fails, so that a document which it cannot cope with holds back nobody. */
function decideSafely(
  context: SyncContext,
  scope: Scope,
  { local, remote }: Unsettled,
  rules: DecisionRules,
): Exclude<Decision, 'merged'> | Merged {
  try {
    const decided = decide(local, remote, rules);
    if (typeof decided === 'object') {
      return { ...prepareMerged(scope, local, rules.id, decided.merged), lost: decided.lost ?? ['local', 'remote'] };
    }
    if (typeof decided === 'string') {
      return decided;
    }
    throw new PerigeeError('INVALID_OPTION', 'The conflict policy chose neither a side nor a merged document.');
  } catch (error) {
    const what = isPerigeeError(error) ? error.code : error instanceof Error ? error.name : typeof error;
    context.warn(
      `The conflict policy of the container ${JSON.stringify(scope.container)} failed or gave a document that cannot be stored (${what}); the last write won.`,
    );
    return decide(local, remote, { ...rules, policy: lastWriteWins }) as Exclude<Decision, 'merged'>;
  }
}

/** Checks a merged document as a local write is checked. @throws INVALID_DOCUMENT and others of a document */
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

/** Puts a merged document in the place of the pending one: a new write, after both sides, on top of the remote version. */
function* merge(
  context: SyncContext,
  scope: Scope,
  { row, local, base, remote }: Unsettled,
  { document, shared, lost }: Merged,
): Program<Applied> {
  const { id } = row;
  if (remote === undefined) {
    throw new PerigeeError('INTERNAL', 'A conflict was merged without a remote version.');
  }
  const conflict = conflictOf(local, remote, rulesFor(context, scope, id));
  const { clock } = context;
  clock.observe(conflict.local.stamp);
  clock.observe(conflict.remote.stamp);
  const adopts = !remote.deleted && equalValues(shared, remote.body);
  const winningStamp = adopts ? conflict.remote.stamp : clock.next();
  const seqs: number[] = [];
  for (const losingSide of lost) {
    const { document: seen, stamp: losingStamp } = conflict[losingSide];
    const losing = losingSide === 'local' ? (local.whole ?? seen) : seen;
    const entry = { scope: scope.number, id, reason: 'merged', losingSide, document: losing, losingStamp, winningStamp } as const;
    seqs.push(yield* appendJournal({ ...entry, atMs: context.runtime.nowMs() }));
  }
  if (adopts) {
    const taken = yield* takeRemote(context, scope, id, base, remote);
    yield* clearPending(scope.number, id, row.generation);
    return lost.length === 0
      ? { ...taken, decision: 'equal' }
      : { ...taken, decision: 'remote', conflict: report(scope, id, 'merged', seqs[0]) };
  }
  const { position } = yield* scope.store.putProgram(document, { journal: false });
  yield* advance(scope, id, remote);
  yield* recordMerged(scope.number, id, position, winningStamp);
  return { change: 'none', decision: 'merged', advanced: true, conflict: report(scope, id, 'merged', seqs[0]) };
}

function report(scope: Scope, id: string, outcome: ConflictReport['outcome'], journalSeq: number | undefined): ConflictReport {
  return { container: scope.container, partitionKey: scope.partitionKey, id, outcome, journalSeq };
}

/** What a pending write follows once it follows a remote version, or none. */
function pendingBase(scope: Scope, remote: RemoteVersion | undefined): PendingBase {
  const text = remote === undefined || remote.deleted ? NO_BASE : JSON.stringify(remote.body);
  return { text: scope.needsBase ? text : null, remote: snapshotText(remote) };
}

function* advance(scope: Scope, id: string, remote: RemoteVersion | undefined, lineage?: string | null): Program<void> {
  yield* setBase(scope, id, remote, lineage);
  yield* advancePending(scope.number, id, pendingBase(scope, remote));
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
