import type { PartitionKey } from '../store/partition-key.ts';
import type { RunnerState } from './run/runner.ts';
import type { ConflictReport, RejectedReport, SyncReport } from './sync-report.ts';

/** What the engine is doing: nothing, a run, waiting for a connection, waiting for a credential, or nothing any more. */
export type SyncState = 'idle' | 'running' | 'offline' | 'auth' | 'stopped';

/** What a run is at. */
export type SyncPhase = 'push' | 'first-load' | 'pull' | 'reconcile' | 'verify';

/** How far a run is. */
export interface SyncProgress {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly phase: SyncPhase;
  /** Documents done in this phase; of a first load since its beginning, however often it was interrupted. */
  readonly done: number;
  /** Documents to do as far as it is known: an estimate, since both sides go on. */
  readonly total: number | undefined;
}

/** The engine at a glance. */
export interface SyncStatus {
  readonly state: SyncState;
  /** Whether it runs by itself: after {@link SyncEngine.start}. */
  readonly scheduled: boolean;
  /** Who synchronises the file at this moment: this engine, another process or engine, or nobody. */
  readonly runner: RunnerState;
  /** Documents that wait to be sent, rejected ones included. */
  readonly pending: number;
  /** How long the oldest of them has waited, in milliseconds. */
  readonly oldestPendingAgeMs: number | undefined;
  /** Dead letters: documents that the remote refused and that wait to be edited, retried or discarded. */
  readonly rejected: number;
  /** Entries of the journal. */
  readonly conflicts: number;
  readonly lastRun: SyncReport | undefined;
  readonly progress: SyncProgress | undefined;
  /** What people should know and is not an error, such as a container where tombstones never expire. */
  readonly warnings: readonly string[];
}

/** Events of an engine. */
export interface SyncEvents {
  readonly state: SyncState;
  readonly progress: SyncProgress;
  readonly conflict: ConflictReport;
  /** The remote refused a pending write for a reason of its own: see {@link SyncEngine.deadLetters}. */
  readonly deadLetter: RejectedReport;
  readonly warning: string;
  /** A run has ended, in whatever way. */
  readonly run: SyncReport;
}
