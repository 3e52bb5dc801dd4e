import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ContainerInput } from '../store/container-definition.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { PartitionKeyInput } from '../store/partition-key.ts';
import type { SqliteBackend } from '../stores/sqlite/sqlite-backend.ts';
import type { ConflictPolicy } from './decide/conflict.ts';
import type { Connectivity } from './run/connectivity.ts';
import type { SchemaOptions } from './form/schema-versions.ts';

/** One partition key that a device holds. */
export interface ScopeEntry {
  readonly container: string;
  /** A full partition key: one component per path of the container. */
  readonly partitionKey: PartitionKeyInput;
  /**
   * Only documents with one of these values at this path (`/type`). Others are not pulled, and cannot be written locally; a document whose value
   * changes to another leaves the device.
   */
  readonly types?: { readonly path: string; readonly values: readonly JsonValue[] } | undefined;
}

/** Named moments of a run at which a crash must lose nothing; see `ARCHITECTURE.md`. */
export type SyncPoint =
  | 'before-send'
  | 'after-send'
  | 'after-remote-applied'
  | 'before-local-commit'
  | 'after-local-commit'
  | 'between-page-and-cursor'
  | 'in-checkpoint';

/** What {@link SyncEngine.open} takes. */
export interface SyncOptions {
  /** The device's file. One file belongs to one user. */
  readonly backend: SqliteBackend;
  /** Database within the file; created when missing. `sync` unless said otherwise. */
  readonly database?: string | undefined;
  /** Whose work this is. The file is bound to the user on first open; opening it for another raises SYNC_SCOPE. */
  readonly user: string;
  /** Id of the device, 1 to 64 characters out of A-Z, a-z, 0-9, `_` and `-`. Drawn at random on first open and kept in the file unless given. */
  readonly device?: string | undefined;
  /** What the device holds. */
  readonly scope: readonly ScopeEntry[];
  /** Opens the remote store of a container; called once per container, again after it failed. */
  readonly remote: (container: string) => DocumentStore<JsonObject> | Promise<DocumentStore<JsonObject>>;
  /** Definitions for containers that are not in the file yet. Without one, the first open needs the remote, whose definition is then taken over. */
  readonly containers?: readonly ContainerInput[] | undefined;
  /**
   * Containers of the file that have no remote: nothing in them is ever sent, and every partition key can be written. {@link SyncEngine.store} gives them too. They are made where
   * the file lacks them.
   */
  readonly localContainers?: readonly ContainerInput[] | undefined;
  /**
   * Properties that never leave the device, by container id: paths such as `/draft` or `/ui/scroll`. They are part of the local document, are not sent, and stay when a
   * remote version takes its place; a remote value of one is not taken over. The file remembers them: a container that is not named here has those of last time, an empty list ends that.
   */
  readonly localFields?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Versions of the documents of single containers, by container id. Stored documents of an older version are migrated when the engine opens, those of older writers when they are taken over; one of
   * a newer version is kept whole.
   */
  readonly schemas?: Readonly<Record<string, SchemaOptions>> | undefined;
  /** The backend's runtime unless said otherwise. */
  readonly runtime?: Runtime | undefined;
  readonly logger?: Logger | undefined;
  /** What becomes of a conflict; last write wins unless said otherwise. */
  readonly policy?: ConflictPolicy | undefined;
  /** Policies of single containers, by container id, such as {@link mergeFields}; the others have `policy`. All devices that share one have the same. */
  readonly policies?: Readonly<Record<string, ConflictPolicy>> | undefined;
  /** How long a tombstone lives at the remote, in seconds: longer than any device stays away. 90 days unless said otherwise. */
  readonly tombstoneTtlSeconds?: number | undefined;
  /**
   * How often a run looks for documents that vanished without a tombstone, in milliseconds; 6 hours unless said otherwise, 0 for as seldom as no tombstone is missed: after half
   * of {@link SyncOptions.tombstoneTtlSeconds}.
   */
  readonly reconcileIntervalMs?: number | undefined;
  /**
   * How often the device writes a marker into each partition key that it sends to, along with what it sends, and looks whether the remote still has the newest one, in
   * milliseconds; 60,000 unless said otherwise, 0 for each batch and run. So a remote that was restored from a backup is told.
   */
  readonly markerIntervalMs?: number | undefined;
  /** How far ahead of server time a stamp may be before it counts as less, in milliseconds; 5,000 unless said otherwise. */
  readonly clockToleranceMs?: number | undefined;
  /** Changes asked for in one page of a pull; 500 unless said otherwise. */
  readonly pageItems?: number | undefined;
  /** How long {@link SyncEngine.sync} and others wait while another process or engine synchronises the file, in milliseconds; 10,000 unless said otherwise. */
  readonly lockTimeoutMs?: number | undefined;
  /** A run in which no request ends for so long is ended with SYNC_STALLED, in milliseconds; 120,000 unless said otherwise, 0 for never. */
  readonly stallTimeoutMs?: number | undefined;
  /**
   * Request units that the engine may spend in a minute; what is over is waited for before the next request, within the run. Ten seconds' worth may be spent at
   * once after a rest. Unlimited unless said otherwise.
   */
  readonly requestUnitsPerMinute?: number | undefined;
  /** Waits at named moments of a run, for crash tests. A point inside a local transaction must answer at once. @internal */
  readonly probe?: ((point: SyncPoint) => void | Promise<void>) | undefined;
}

/** How {@link SyncEngine.start} runs. */
export interface SyncSchedule {
  /** Time between runs while nothing changes locally, in milliseconds; 30,000 unless said otherwise. */
  readonly intervalMs?: number | undefined;
  /** Wait after a local change, so that changes go together, in milliseconds; 200 unless said otherwise. */
  readonly debounceMs?: number | undefined;
  /** Share of each wait that chance may take away, 0 to 1; 0.2 unless said otherwise. */
  readonly jitter?: number | undefined;
  /** Wait after a failure, in milliseconds; doubles with each further one. 1,000 unless said otherwise. */
  readonly minBackoffMs?: number | undefined;
  /** Longest wait after failures, in milliseconds; 300,000 unless said otherwise. */
  readonly maxBackoffMs?: number | undefined;
  /** How often to look whether another process has left something to send in the file, in milliseconds; 2,000 unless said otherwise, 0 for never. */
  readonly pollIntervalMs?: number | undefined;
  /** Tells whether there is a connection: without one nothing is tried, and when one is back a run begins at once. Such as {@link browserConnectivity}. */
  readonly connectivity?: Connectivity | undefined;
}

/** What one run accepts. */
export interface SyncRunOptions {
  /** Ends the run with the signal's reason at the next step; nothing is lost, and the next run goes on from there. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link SyncEngine.caughtUp} accepts. */
export interface CaughtUpOptions extends SyncRunOptions {
  /** Rejects with TIMEOUT after so long, in milliseconds; waits for as long as it takes unless given. */
  readonly timeoutMs?: number | undefined;
}

/** What a reconciliation accepts. */
export interface ReconcileOptions extends SyncRunOptions {
  /** Ends the reconciliation after the page that reaches this many request units; the next one goes on from there. Unlimited unless said otherwise. */
  readonly maxRequestUnits?: number | undefined;
}

/** What {@link SyncEngine.repair} accepts. */
export interface RepairOptions extends SyncRunOptions {
  /** Differing documents that a report names; further ones are counted. 1,000 unless said otherwise. */
  readonly maxNamed?: number | undefined;
}

/** What {@link SyncEngine.verify} accepts. */
export interface VerifyOptions extends RepairOptions {
  /** No further request is made once this many request units were used; the report is then not `complete`. Unlimited unless said otherwise. */
  readonly maxRequestUnits?: number | undefined;
}
