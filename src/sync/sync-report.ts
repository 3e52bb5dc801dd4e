import type { ErrorCode } from '../core/error-codes.ts';
import type { PerigeeError } from '../core/errors.ts';
import type { PartitionKey } from '../store/partition-key.ts';

/**
 * How a conflict was decided. `local-wins`, `remote-wins` and `merged` are the policy's word; `remote-deleted`: the document was gone from the
 * remote, and a deletion stays.
 */
export type ConflictOutcome = 'local-wins' | 'remote-wins' | 'remote-deleted' | 'merged';

/** One decided conflict. */
export interface ConflictReport {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly outcome: ConflictOutcome;
  /** Number of the losing version in the journal; `undefined` for a merge in which neither side lost anything. Where both did, the first of the two. */
  readonly journalSeq: number | undefined;
}

/** A pending document that the remote refused for a reason of its own; it is a dead letter, see {@link SyncEngine.deadLetters}. */
export interface RejectedReport {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly code: ErrorCode;
}

/** Conflicts and rejections that a report lists one by one; further ones are counted. */
export const REPORT_LIST_LIMIT = 1000;

/** What a run did. */
export interface SyncReport {
  readonly outcome: 'complete' | 'failed' | 'aborted';
  /** Wall-clock time in milliseconds. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Writes that the remote acknowledged. */
  readonly pushed: number;
  /** Remote versions taken over. */
  readonly pulled: number;
  /** Documents removed locally because they are gone from the remote: tombstones and vanished documents. */
  readonly deletedLocally: number;
  /** The first {@link REPORT_LIST_LIMIT}. */
  readonly conflicts: readonly ConflictReport[];
  readonly conflictCount: number;
  /** The first {@link REPORT_LIST_LIMIT}. */
  readonly rejected: readonly RejectedReport[];
  readonly rejectedCount: number;
  readonly requests: number;
  readonly requestUnits: number;
  /** How long the run waited for its budget of request units, in milliseconds; see {@link SyncOptions.requestUnitsPerMinute}. */
  readonly waitedMs: number;
  /** UTF-8 bytes of the documents sent, stamps included; again for each attempt. */
  readonly bytesSent: number;
  /** Length of the JSON of the documents taken over, in UTF-16 units: bytes where it is ASCII. */
  readonly bytesReceived: number;
  /** Why the run ended early. */
  readonly error: PerigeeError | undefined;
}

/** A report in the making. */
export class ReportBuilder {
  pushed = 0;
  pulled = 0;
  deletedLocally = 0;
  requests = 0;
  requestUnits = 0;
  waitedMs = 0;
  bytesSent = 0;
  bytesReceived = 0;
  readonly #startedAtMs: number;
  readonly #conflicts: ConflictReport[] = [];
  readonly #rejected: RejectedReport[] = [];
  #conflictCount = 0;
  #rejectedCount = 0;

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  conflict(report: ConflictReport): void {
    this.#conflictCount += 1;
    if (this.#conflicts.length < REPORT_LIST_LIMIT) {
      this.#conflicts.push(report);
    }
  }

  reject(report: RejectedReport): void {
    this.#rejectedCount += 1;
    if (this.#rejected.length < REPORT_LIST_LIMIT) {
      this.#rejected.push(report);
    }
  }

  /** The report as it stands. */
  build(outcome: SyncReport['outcome'], durationMs: number, error?: PerigeeError): SyncReport {
    return {
      outcome,
      startedAtMs: this.#startedAtMs,
      durationMs,
      pushed: this.pushed,
      pulled: this.pulled,
      deletedLocally: this.deletedLocally,
      conflicts: [...this.#conflicts],
      conflictCount: this.#conflictCount,
      rejected: [...this.#rejected],
      rejectedCount: this.#rejectedCount,
      requests: this.requests,
      requestUnits: this.requestUnits,
      waitedMs: this.waitedMs,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      error,
    };
  }
}
