import { compareStamps, type HlcStamp } from '../core/hybrid-logical-clock.ts';
import { equalValues } from '../core/json-order.ts';
import type { JsonObject } from '../core/json.ts';
import type { PartitionKey } from '../store/partition-key.ts';
import { clampStamp, remoteOrder, type RemoteVersion } from './wire-stamp.ts';

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
}

/**
 * Chooses the side that stays; the other goes to the journal.
 *
 * A policy is pure and depends on its argument alone: it may be asked again after a crash, and on another device with the sides exchanged.
 */
export type ConflictPolicy = (conflict: Conflict) => 'local' | 'remote';

/** The later write stays: by time, then counter, then device, then the write's name. A total order, so all devices choose alike. */
export const lastWriteWins: ConflictPolicy = ({ local, remote }) => {
  const order = compareStamps(local.stamp, remote.stamp);
  return (order === 0 ? (local.write > remote.write ? 1 : -1) : order) > 0 ? 'local' : 'remote';
};

/** A pending local write, as the decision needs it. */
export interface PendingVersion {
  readonly deleted: boolean;
  /** `undefined` for a deletion. */
  readonly body: JsonObject | undefined;
  readonly stamp: HlcStamp;
  /** Name of this write. */
  readonly write: string;
  /** Names of this document's writes that were sent and whose outcome is unknown. */
  readonly sent: readonly string[];
  /** Etag of the remote version that the write follows. */
  readonly baseEtag: string | undefined;
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
 * - `local`, `remote`: a conflict, and the side that stays.
 */
export type Decision = 'acknowledged' | 'follows' | 'equal' | 'recreate' | 'remote-deleted' | 'local' | 'remote';

function sameContent(local: PendingVersion, remote: RemoteVersion): boolean {
  return local.deleted || remote.deleted ? local.deleted === remote.deleted : equalValues(local.body, remote.body);
}

function decideMissing(local: PendingVersion): Decision {
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
  };
}

/** Decides what becomes of a pending write; pure. `remote` is `undefined` where the remote has no such document. */
export function decide(local: PendingVersion, remote: RemoteVersion | undefined, rules: DecisionRules): Decision {
  if (remote === undefined) {
    return decideMissing(local);
  }
  if (remote.etag === local.baseEtag) {
    return 'follows';
  }
  const conflict = conflictOf(local, remote, rules);
  // A believed stamp only: whoever edits our version and keeps the property must not pass for us.
  if (conflict.remote.write !== '' && conflict.remote.write === local.write) {
    return 'acknowledged';
  }
  if (sameContent(local, remote)) {
    return 'equal';
  }
  if (local.sent.includes(conflict.remote.write)) {
    return 'follows';
  }
  return rules.policy(conflict);
}
