import { isPerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { prepareDocument, type PreparedDocument } from '../store/prepared-document.ts';
import { expiresAtSeconds } from '../store/write-rules.ts';
import type { Program } from '../stores/sqlite/driver.ts';
import { compareWithBase, deleteBase, readBase, writeBase, type BaseRow, type BaseVersion } from './base-versions.ts';
import { conflictOf, decide, type Decision, type DecisionRules, type PendingVersion } from './conflict.ts';
import { appendJournal, type JournalReason } from './journal.ts';
import { clearPending, forgetSent, readPending, rowStamp, sentNames, writeName, type OutboxRow } from './outbox.ts';
import { keyIn, type Scope } from './scope.ts';
import type { SyncContext } from './sync-context.ts';
import type { ConflictReport } from './sync-report.ts';
import type { RemoteVersion } from './wire-stamp.ts';

/** What became of one remote version, for the report. */
export interface Applied {
  /** What happened to the local document. */
  readonly change: 'none' | 'taken' | 'deleted';
  /** Present where a write was pending. */
  readonly decision?: Decision | undefined;
  /** Whether what is pending now follows another remote version than before. */
  readonly advanced?: boolean | undefined;
  readonly conflict?: ConflictReport | undefined;
  /** Nothing was done, since it may be older than what is known: the document has to be read. */
  readonly unsure?: boolean | undefined;
  /** Length of the JSON taken over. */
  readonly bytes?: number | undefined;
}

/** How a remote version came to be known. */
export interface ApplyOptions {
  /** It is what the remote holds now; otherwise it is from a feed, which may be behind what is known. */
  readonly authoritative: boolean;
  /** Whether anything may be pending in the scope. */
  readonly mayBePending: boolean;
  /** What is pending stays whatever the policy says, and a document that is gone is made again. */
  readonly forced?: boolean | undefined;
  /** Remote versions known of all documents at hand, read in the same transaction; otherwise each is looked up. */
  readonly bases?: ReadonlyMap<string, BaseRow> | undefined;
  /** Nothing is done unless this is still the version known. */
  readonly expectedEtag?: string | undefined;
}

const NONE: Applied = { change: 'none' };

/** What identifies a remote version as a base. */
export function baseOf(remote: RemoteVersion): BaseVersion {
  return { etag: remote.etag, ts: remote.ts, position: remote.position, deleted: remote.deleted };
}

/**
 * The pending write of a row with its body, be it expired on the device. One whose document is gone from the file all the same counts as deleted;
 * `undefined` where the remote never heard of it, so that nothing is left to send.
 */
export function* readPendingVersion(scope: Scope, row: OutboxRow, base: BaseRow | undefined): Program<PendingVersion | undefined> {
  const stored = row.kind === 'delete' ? undefined : yield* scope.store.readProgram(keyIn(scope, row.id), { expired: true });
  if (stored === undefined && row.kind !== 'delete' && base === undefined && row.sent === null) {
    return undefined;
  }
  return {
    deleted: stored === undefined,
    body: stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject),
    stamp: rowStamp(row),
    write: writeName(row),
    sent: sentNames(row),
    baseEtag: base?.etag,
    anew: base?.deleted === 1 || row.kind === 'create',
  };
}

/** Rules of decisions about one document. */
export function rulesFor(context: SyncContext, scope: Scope, id: string): DecisionRules {
  return {
    container: scope.container,
    partitionKey: scope.partitionKey,
    id,
    policy: context.policy,
    toleranceMs: context.toleranceMs,
    serverNowMs: context.clock.serverNowMs(),
  };
}

/**
 * Brings one remote version (`undefined`: the remote has no such document) together with what the device holds: taken over where nothing is
 * pending, decided where something is. Runs in the caller's transaction.
 */
export function* applyRemote(
  context: SyncContext,
  scope: Scope,
  id: string,
  remote: RemoteVersion | undefined,
  options: ApplyOptions,
): Program<Applied> {
  const base = options.bases === undefined ? yield* readBase(scope.number, id) : options.bases.get(id);
  if (options.expectedEtag !== undefined && base?.etag !== options.expectedEtag) {
    return NONE;
  }
  const row = options.mayBePending ? yield* readPending(scope.number, id) : undefined;
  if (remote !== undefined && base !== undefined) {
    if (remote.etag === base.etag) {
      if (row !== undefined) {
        return { change: 'none', decision: 'follows', advanced: false };
      }
      return (yield* isInPlace(scope, remote, options.authoritative)) ? NONE : yield* takeRemote(context, scope, id, base, remote);
    }
    const order = options.authoritative ? 'newer' : compareWithBase(baseOf(remote), base);
    if (order !== 'newer') {
      return order === 'older' ? NONE : { change: 'none', unsure: true };
    }
  }
  if (row === undefined) {
    return yield* takeRemote(context, scope, id, base, remote);
  }
  const local = yield* readPendingVersion(scope, row, base);
  if (local === undefined) {
    yield* clearPending(scope.number, id, row.generation);
    return yield* takeRemote(context, scope, id, base, remote);
  }
  return yield* settle(context, scope, row, local, base, remote, options.forced === true);
}

/**
 * Whether a version that is known is on the device as it should be. It is not where the types in scope are others than when it came, nor where the
 * device lost it by a clock that was ahead or by an earlier time to live; the latter is looked for only where `thoroughly`, for it costs a look-up.
 */
function* isInPlace(scope: Scope, remote: RemoteVersion, thoroughly: boolean): Program<boolean> {
  if (remote.deleted) {
    return true;
  }
  if (scope.types?.accepts(remote.body) === false) {
    return false;
  }
  return !thoroughly || (yield* scope.store.readProgram(keyIn(scope, remote.id))) !== undefined;
}

/** Carries out the decision about a pending write. */
function* settle(
  context: SyncContext,
  scope: Scope,
  row: OutboxRow,
  local: PendingVersion,
  base: BaseRow | undefined,
  remote: RemoteVersion | undefined,
  forced: boolean,
): Program<Applied> {
  const { id } = row;
  const rules = rulesFor(context, scope, id);
  const decided = decide(local, remote, forced ? { ...rules, policy: () => 'local' } : rules);
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
    case 'follows':
      yield* setBase(scope, id, remote);
      yield* forgetSent(scope.number, id);
      return { change: 'none', decision, advanced: true };
    case 'recreate':
      yield* deleteBase(scope.number, id);
      return { change: 'none', decision, advanced: base !== undefined };
    case 'local': {
      const journalSeq = yield* journalLoser(context, scope, id, local, remote, forced ? 'forced' : 'local-wins');
      yield* setBase(scope, id, remote);
      yield* forgetSent(scope.number, id);
      return { change: 'none', decision, advanced: true, conflict: report(scope, id, 'local-wins', journalSeq) };
    }
    case 'remote':
    case 'remote-deleted': {
      const taken = yield* takeRemote(context, scope, id, base, remote);
      const outcome = decision === 'remote' ? 'remote-wins' : 'remote-deleted';
      const journalSeq = yield* journalLoser(context, scope, id, local, remote, outcome);
      yield* clearPending(scope.number, id, row.generation);
      return { ...taken, decision, conflict: report(scope, id, outcome, journalSeq) };
    }
    default:
      return decision satisfies never;
  }
}

function report(scope: Scope, id: string, outcome: ConflictReport['outcome'], journalSeq: number): ConflictReport {
  return { container: scope.container, partitionKey: scope.partitionKey, id, outcome, journalSeq };
}

function* setBase(scope: Scope, id: string, remote: RemoteVersion | undefined): Program<void> {
  if (remote === undefined) {
    yield* deleteBase(scope.number, id);
  } else {
    yield* writeBase(scope.number, id, baseOf(remote), scope.reconcileRun);
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
  const remoteLoses = reason === 'local-wins' || reason === 'forced';
  return yield* appendJournal({
    scope: scope.number,
    id,
    reason,
    losingSide: remoteLoses ? 'remote' : 'local',
    document: remoteLoses ? conflict?.remote.document : local.body,
    losingStamp: remoteLoses ? (conflict?.remote.stamp ?? localStamp) : localStamp,
    winningStamp: remoteLoses ? localStamp : conflict?.remote.stamp,
    atMs: context.runtime.nowMs(),
  });
}

/**
 * Takes a remote version over without asking. One that is outside the scope's types, or that the device cannot store, leaves the device and is not
 * known any more.
 */
function* takeRemote(
  context: SyncContext,
  scope: Scope,
  id: string,
  base: BaseRow | undefined,
  remote: RemoteVersion | undefined,
): Program<Applied> {
  if (remote?.deleted === true) {
    yield* setBase(scope, id, remote);
    return yield* removeLocal(scope, id);
  }
  const document = remote === undefined ? undefined : prepare(context, scope, remote);
  if (remote === undefined || document === undefined) {
    if (base !== undefined) {
      yield* deleteBase(scope.number, id);
    }
    return yield* removeLocal(scope, id);
  }
  yield* putLocal(scope, document, remote.ts, base === undefined);
  yield* setBase(scope, id, remote);
  return { change: 'taken', bytes: document.text.length };
}

function* removeLocal(scope: Scope, id: string): Program<Applied> {
  const removed = yield* scope.store.deleteProgram(keyIn(scope, id), { journal: false });
  return removed === undefined ? NONE : { change: 'deleted' };
}

/** Stores a document that the remote holds since `ts`; where documents expire, it does so when the remote's does. */
export function* putLocal(scope: Scope, document: PreparedDocument, ts: number, expectNew: boolean): Program<void> {
  const { defaultTtl } = scope;
  yield* scope.store.putProgram(
    document,
    defaultTtl === undefined
      ? { journal: false, expectNew }
      : { journal: false, expectNew, expiresAtSeconds: expiresAtSeconds(ts, document.ttl, defaultTtl) },
  );
}

/** Lets a document that the remote holds since `ts` expire on the device when it does there; its local version stays the same. */
export function* expireWith(scope: Scope, document: PreparedDocument, ts: number): Program<void> {
  if (scope.defaultTtl === undefined) {
    return;
  }
  const expiresAt = expiresAtSeconds(ts, document.ttl, scope.defaultTtl);
  if (!(yield* scope.store.expireProgram(document, expiresAt))) {
    yield* putLocal(scope, document, ts, true);
  }
}

/** A remote document as the local store takes it. One that it cannot take is told of and must not hold up the others. */
function prepare(context: SyncContext, scope: Scope, remote: RemoteVersion): PreparedDocument | undefined {
  if (scope.types !== undefined && !scope.types.accepts(remote.body)) {
    return undefined;
  }
  try {
    const document = prepareDocument(remote.body, scope.paths);
    if (document.partitionKeyText === scope.partitionKeyText) {
      return document;
    }
  } catch (error) {
    if (!isPerigeeError(error)) {
      throw error;
    }
  }
  context.warn(`A document of the container ${JSON.stringify(scope.container)} cannot be stored on the device and is left out.`);
  return undefined;
}
