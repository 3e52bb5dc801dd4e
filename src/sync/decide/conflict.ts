import type { HlcStamp } from '../../core/hybrid-logical-clock.ts';
import { equalValues } from '../../core/json-order.ts';
import type { JsonObject } from '../../core/json.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import { notedWithin, writesIn } from '../remote/lineage.ts';
import { isSameWrite } from '../push/outbox.ts';
import { clampStamp, remoteOrder, type RemoteVersion } from '../remote/wire-stamp.ts';

/** One side of a conflict, as a policy sees it. */
export interface ConflictSide {
  readonly deleted: boolean;
  /** The document without system properties; `undefined` for a deletion. */
  readonly document: JsonObject | undefined;
  /** Effective stamp: corrected by server time, the same on every device. */
  readonly stamp: HlcStamp;
  /** Name of the write; empty for a write that no engine made. */
  readonly write: string;
}

/** A pending local write and a remote version that it does not follow. */
export interface Conflict {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly local: ConflictSide;
  readonly remote: ConflictSide;
  /**
   * The version that both sides come from: the remote version that the pending write follows. `null` where there is none, since each side made the
   * document anew; `undefined` where it is not known: the policy does not ask for it, or the write became pending before it did.
   */
  readonly base: JsonObject | null | undefined;
}

/** A document made of both sides. It takes their place on the device and is sent on top of the remote version. */
export interface MergedDocument {
  /** Has the id and the partition key of the two sides, and no `_perigee`. */
  readonly merged: JsonObject;
  /** Sides that lost something in it, which then go to the journal. Both unless said otherwise. */
  readonly lost?: readonly ('local' | 'remote')[] | undefined;
}

/**
 * Decides a conflict: the side that stays, or a document made of both. What loses goes to the journal.
 *
 * A policy is pure and depends on its argument alone: it may be asked again after a crash, and on another device with the sides exchanged. All devices
 * that share a container have the same one. One that throws, or that gives a document which cannot be stored there, is told of with a warning, and
 * the last write wins.
 *
 * @example
 * ```ts
 * import type { ConflictPolicy } from 'perigee/sync';
 *
 * const longest: ConflictPolicy = ({ local, remote }) =>
 *   JSON.stringify(local.document ?? '').length > JSON.stringify(remote.document ?? '').length ? 'local' : 'remote';
 * // One that wants the version both sides come from:
 * const withBase: ConflictPolicy = Object.assign<ConflictPolicy, { needsBase: true }>(
 *   ({ base, remote }) => (base === null || remote.deleted ? 'local' : 'remote'),
 *   { needsBase: true },
 * );
 * console.log(longest.needsBase, withBase.needsBase); // -> undefined true
 * ```
 */
export interface ConflictPolicy {
  (conflict: Conflict): 'local' | 'remote' | MergedDocument;
  /**
   * Whether it wants {@link Conflict.base}. The device then keeps it with each pending write, remote documents carry the names of the writes that
   * are in them, and the policy is asked also where both sides have come to the same content by different writes.
   */
  readonly needsBase?: boolean | undefined;
}

/** A pending local write, as the decision needs it. */
export interface PendingVersion {
  readonly deleted: boolean;
  /** The document as others see it; `undefined` for a deletion. */
  readonly body: JsonObject | undefined;
  /** The document as the device has it, where that is more. */
  readonly whole?: JsonObject | undefined;
  readonly stamp: HlcStamp;
  /** Name of this write. */
  readonly write: string;
  /** Names of this document's writes that were sent and whose outcome is unknown. */
  readonly sent: readonly string[];
  /** Etag of the remote version that the write follows. */
  readonly baseEtag: string | undefined;
  /** Content of that version, as {@link Conflict.base}; only for policies that ask for it. */
  readonly base?: JsonObject | null | undefined;
  /** What the writes in `sent` sent, `null` for a deletion, `undefined` for what is not known; only for policies that ask for the base. */
  readonly sentBodies?: ReadonlyMap<string, JsonObject | null | undefined> | undefined;
  /** It follows no living version: what the device knew was a tombstone, or had expired or been deleted on the device when this was written. */
  readonly anew: boolean;
}

/** What a decision depends on beside the two versions. */
export interface DecisionRules {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly policy: ConflictPolicy;
  readonly toleranceMs: number;
  /** Device time corrected by what was learned of the server's. */
  readonly serverNowMs: number;
}

/**
 * What becomes of a pending write in the face of a remote version:
 *
 * - `acknowledged`: the remote version is this write; it is done.
 * - `follows`: the remote version is the one the write follows, or an earlier write of this device; the write is still to be sent.
 * - `equal`: both sides say the same; the remote version is adopted.
 * - `recreate`: it follows no living version, and what was there is gone; it is sent as a new document.
 * - `remote-deleted`: the document is gone from the remote; the deletion stays.
 * - `included`: others have built on this write already, as the remote version says; it is adopted.
 * - `local`, `remote`, `merged`: a conflict, and the side that stays, or a document made of both.
 */
export type Decision = 'acknowledged' | 'follows' | 'equal' | 'recreate' | 'remote-deleted' | 'included' | 'local' | 'remote' | 'merged';

/** A decision, with the document where it is a merged one. */
export type Decided = Exclude<Decision, 'merged'> | MergedDocument;

function sameContent(local: PendingVersion, remote: RemoteVersion): boolean {
  return local.deleted || remote.deleted ? local.deleted === remote.deleted : equalValues(local.body, remote.body);
}

/** Whether a name is that of the pending write itself, be it from an earlier life of the device. */
function isThisWrite(local: PendingVersion, name: string): boolean {
  return name === local.write || (local.sent.includes(name) && isSameWrite(name, local.write));
}

function decideMissing(local: PendingVersion): Decided {
  if (local.deleted) {
    return 'equal';
  }
  return local.baseEtag === undefined || local.anew ? 'recreate' : 'remote-deleted';
}

/** Both sides of a conflict with their effective stamps. */
export function conflictOf(local: PendingVersion, remote: RemoteVersion, rules: DecisionRules): Conflict {
  const order = remoteOrder(remote, rules.toleranceMs);
  return {
    container: rules.container,
    partitionKey: rules.partitionKey,
    id: rules.id,
    local: {
      deleted: local.deleted,
      document: local.body,
      stamp: clampStamp(local.stamp, rules.serverNowMs + rules.toleranceMs),
      write: local.write,
    },
    remote: { deleted: remote.deleted, document: remote.deleted ? undefined : remote.body, ...order },
    base: rules.policy.needsBase === true ? commonBase(local, remote) : undefined,
  };
}

/**
 * The version both sides come from. Where the remote version was made on top of a write of this document whose answer was lost, that write is the one;
 * by the version before it, its change would count twice.
 */
function commonBase(local: PendingVersion, remote: RemoteVersion): JsonObject | null | undefined {
  const within = notedWithin(remote, local.write, local.sent);
  return within === undefined ? local.base : local.sentBodies?.get(within);
}

/** Decides what becomes of a pending write; pure. `remote` is `undefined` where the remote has no such document. */
export function decide(local: PendingVersion, remote: RemoteVersion | undefined, rules: DecisionRules): Decided {
  if (remote === undefined) {
    return decideMissing(local);
  }
  if (remote.etag === local.baseEtag) {
    return 'follows';
  }
  const conflict = conflictOf(local, remote, rules);
  // A believed stamp only: whoever edits our version and keeps the property must not pass for us.
  if (conflict.remote.write !== '' && isThisWrite(local, conflict.remote.write)) {
    return 'acknowledged';
  }
  const isOwn = local.sent.includes(conflict.remote.write);
  const needsBase = rules.policy.needsBase === true;
  // Two devices that both count from 1 to 2 say the same and mean 3.
  if (sameContent(local, remote) && (isOwn || local.deleted || !needsBase)) {
    return 'equal';
  }
  if (isOwn) {
    return 'follows';
  }
  return needsBase && writesIn(remote).some((name) => isThisWrite(local, name)) ? 'included' : rules.policy(conflict);
}
