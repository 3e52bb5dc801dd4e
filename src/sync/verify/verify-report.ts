import type { PartitionKey } from '../../store/partition-key.ts';
import type { SyncReport } from '../sync-report.ts';

/**
 * How a document differs. The first three are defects, or changes that were not pulled yet: `missing-on-device`, `missing-at-remote`, and `different` for another
 * content or another version than the one the device knows. `pending` waits to be sent; `dead-letter` was refused, see
 * {@link SyncEngine.deadLetters}.
 */
export type DifferenceKind = 'missing-on-device' | 'missing-at-remote' | 'different' | 'pending' | 'dead-letter';

/** A kind that nothing pending explains. */
export type DefectKind = Exclude<DifferenceKind, 'pending' | 'dead-letter'>;

/** A document in which both sides differ. */
export interface SyncDifference {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly kind: DifferenceKind;
}

/** What a comparison of both sides found. */
export interface VerifyReport {
  /** Both sides were looked at whole and hold the same; nothing is pending. */
  readonly equal: boolean;
  /** Whether both sides were looked at whole; not where the request units given did not suffice. */
  readonly complete: boolean;
  /** Differences that nothing pending explains. */
  readonly defects: number;
  /** How many there are of each kind. Those that are not named are counted as they were listed. */
  readonly counts: Readonly<Record<DifferenceKind, number>>;
  /** The first, defects before what is pending. */
  readonly differences: readonly SyncDifference[];
  /** Documents on the device in scope, without those that are pending. */
  readonly documentsOnDevice: number;
  /** Documents at the remote in scope, without tombstones and those that are pending. */
  readonly documentsAtRemote: number;
  /** Wall-clock time in milliseconds. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly requests: number;
  readonly requestUnits: number;
}

/** What a repair found, did, and left. */
export interface RepairReport {
  readonly before: VerifyReport;
  readonly after: VerifyReport;
  /** Documents that were brought to what the remote holds, nothing being pending. */
  readonly reloaded: number;
  /** Versions of the device that were nowhere else; they are in the journal, with the reason `repaired`. */
  readonly journaled: number;
  /** The run in between. */
  readonly run: SyncReport;
}

/** What was found, in the making. */
export class DifferenceList {
  readonly counts: Record<DifferenceKind, number> = {
    'missing-on-device': 0,
    'missing-at-remote': 0,
    different: 0,
    pending: 0,
    'dead-letter': 0,
  };
  readonly named: SyncDifference[] = [];
  documentsOnDevice = 0;
  documentsAtRemote = 0;
  readonly #maxNamed: number;

  constructor(maxNamed: number) {
    this.#maxNamed = maxNamed;
  }

  /** How many more have room. */
  get room(): number {
    return this.#maxNamed - this.named.length;
  }

  get defects(): number {
    return this.counts['missing-on-device'] + this.counts['missing-at-remote'] + this.counts.different;
  }

  get total(): number {
    return this.defects + this.counts.pending + this.counts['dead-letter'];
  }

  add(difference: SyncDifference): void {
    this.counts[difference.kind] += 1;
    this.name(difference);
  }

  /** Names one that is counted already. */
  name(difference: SyncDifference): void {
    if (this.room > 0) {
      this.named.push(difference);
    }
  }
}
