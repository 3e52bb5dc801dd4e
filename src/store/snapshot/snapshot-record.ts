import type { ContainerDefinition } from '../container-definition.ts';
import type { PartitionKeyText } from '../partition-key.ts';
import type { RetentionFloor } from '../version-retention.ts';
import type { EtagEra } from '../version-etag.ts';

/** The version of the form in which snapshots are made. */
export const SNAPSHOT_VERSION = 1;

/** The first record of a snapshot. */
export interface SnapshotHeader {
  readonly kind: 'perigee-snapshot';
  /** Version of the form: {@link SNAPSHOT_VERSION}. */
  readonly version: number;
  /** The moment whose state it is, in milliseconds since 1970. */
  readonly takenAtMs: number;
  /** Ordinal of the last database that was ever made. */
  readonly lastDatabase: number;
}

/** A database; its containers follow it. Databases and containers come in the order in which they were made. */
export interface SnapshotDatabase {
  readonly kind: 'database';
  readonly id: string;
  readonly rid: string;
  readonly etag: string;
  readonly ts: number;
  /** Ordinal of the last container that was ever made in it. */
  readonly lastContainer: number;
}

/** A container; its documents follow it, then what is recorded of its versions. */
export interface SnapshotContainer {
  readonly kind: 'container';
  /** Id of the database that was named last; `null` for the catalog, which comes behind all others. */
  readonly database: string | null;
  readonly rid: string;
  readonly etag: string;
  readonly ts: number;
  readonly definition: ContainerDefinition;
  /** The highest position that was ever given in it. */
  readonly position: number;
  /** Which etags its versions have. */
  readonly etags: readonly EtagEra[];
  /** From where on all changes follow; `null` where versions are not recorded. */
  readonly recorded: RetentionFloor | null;
}

/** One version of a document as it is stored. */
export interface SnapshotVersion {
  readonly position: number;
  /** Seconds since 1970. */
  readonly ts: number;
  /** The second at and after which it counts as missing, `null` for never. */
  readonly expiresAt: number | null;
  /** JSON of the document without system properties. */
  readonly text: string;
}

/** A document, in the order of creation. */
export interface SnapshotDocument extends SnapshotVersion {
  readonly kind: 'document';
  /** Creation order, of which `_rid` is made. */
  readonly ordinal: number;
}

/** A recorded change, in commit order; what it left is what the next change of the document found, or else the document itself. */
export interface SnapshotChange {
  readonly kind: 'change';
  readonly change: 'create' | 'replace' | 'delete' | 'expire';
  readonly position: number;
  readonly ordinal: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly id: string;
  readonly partitionKey: PartitionKeyText;
  /** The version before; `null` for a create. */
  readonly before: SnapshotVersion | null;
}

/** How much there was: what a snapshot ends with. */
export interface SnapshotSummary {
  readonly databases: number;
  /** The catalog counts too, where it holds anything. */
  readonly containers: number;
  readonly documents: number;
  readonly changes: number;
}

/** The last record. One without it is torn. */
export interface SnapshotEnd extends SnapshotSummary {
  readonly kind: 'end';
  /** A checksum over all records before it; it finds damage, and proves nothing about who made the snapshot. */
  readonly digest: string;
}

/** One record of a snapshot: a plain JSON object. */
export type SnapshotRecord = SnapshotHeader | SnapshotDatabase | SnapshotContainer | SnapshotDocument | SnapshotChange | SnapshotEnd;

/** How a snapshot is made. */
export interface SnapshotOptions {
  /**
   * The moment whose documents are wanted, in milliseconds since 1970: computed from recorded versions, so every container needs a change feed policy
   * that reaches back to it. Databases, containers and the catalog are as they are now. Absent: now.
   */
  readonly asOfMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then, and at the end, with what was given so far. */
  readonly onProgress?: ((progress: SnapshotSummary) => void) | undefined;
}

/** How a snapshot is restored. */
export interface RestoreOptions {
  /** The snapshot takes the place of everything that is there. Otherwise the backend must be empty. */
  readonly replace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then, and at the end, with what was taken so far. */
  readonly onProgress?: ((progress: SnapshotSummary) => void) | undefined;
}
