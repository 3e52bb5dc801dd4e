import type { JournalReason, SyncReport, VerifyReport } from '../../../src/sync/index.ts';
import type { SoakJournalEntry } from './find-lost-writes.ts';
import type { SoakDocument } from './soak-write.ts';

/** What a device process is started with. */
export interface SoakDeviceOptions {
  readonly device: string;
  readonly file: string;
  readonly log: string;
  readonly endpoint: string;
  readonly key: string;
  readonly program: 'built' | 'source';
  readonly documentsPerKey: number;
  readonly seed: string;
  /** `edit`: edits and synchronises by schedule until it is killed; `settle`: does as it is told. */
  readonly mode: 'edit' | 'settle';
}

/** A run of the engine, as the process tells it. */
export type SoakRunSummary = Pick<SyncReport, 'outcome' | 'pushed' | 'pulled' | 'deletedLocally' | 'conflictCount' | 'rejectedCount'> & {
  readonly code: string | undefined;
};

/** What a device holds. */
export interface SoakHolding {
  readonly documents: readonly SoakDocument[];
  readonly journal: readonly (SoakJournalEntry & { readonly reason: JournalReason })[];
  readonly deadLetters: readonly { readonly code: string; readonly message: string; readonly document: SoakDocument | null }[];
  readonly pending: number;
  readonly verified: VerifyReport;
}

/** What the parent asks of a settling device; each is answered. */
export type SoakRequest = 'sync' | 'tell' | 'close';

/** What a device process says. */
export type SoakMessage =
  | { readonly ready: true }
  | { readonly edits: number }
  | { readonly run: SoakRunSummary }
  | { readonly synced: SoakRunSummary }
  | { readonly holding: SoakHolding }
  | { readonly closed: true };
