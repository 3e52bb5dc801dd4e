import type { JsonObject } from '../../core/json.ts';
import type { PartitionKeyText } from '../../store/partition-key.ts';
import type { WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite, PreviousVersion } from '../common/applied-write.ts';
import type { Program } from './driver.ts';

/**
 * A record of every write to a container, kept in the same file and in the same transaction as the write.
 *
 * A container that was once opened with a journal is marked with its name, durably: a store opened without that journal refuses to write
 * (SYNC_SCOPE), so that nothing goes unrecorded. Documents that expire are not recorded.
 */
export interface WriteJournal {
  readonly name: string;
  /** Whether {@link AppliedWrite.previous} carries the text of the version before; costs reading it. */
  readonly needsPreviousText: boolean;
  /** Refuses an operation by throwing a `PerigeeError`, before anything is read or written for it. Other operations of a bulk go on. */
  check?(operation: WriteOperation): void;
  /** Refuses to let a document take the place of a living one, by throwing a `PerigeeError`, before anything is written. Asked by calls of the store, not by programs. */
  checkChange?(previousText: string, document: JsonObject): void;
  /** Whether an expired document must stay in the file, unread, because the journal still needs its text. Asked before the document is swept away. */
  keeps?(partitionKeyText: PartitionKeyText, id: string): Program<boolean>;
  /** Runs in the write's transaction. What it throws undoes that transaction: the whole batch, or the part of a bulk that shares it. */
  recorded(write: AppliedWrite): Program<void>;
  /** Told of all writes of a batch or a transaction, in their order and after each was recorded, in the same transaction. What it throws undoes that transaction. */
  recordedTogether?(writes: readonly AppliedWrite[]): Program<void>;
}

/** How {@link SqliteDocumentStore.putProgram} and {@link SqliteDocumentStore.deleteProgram} write. */
export interface ProgramWriteOptions {
  /** Second at and after which the document counts as missing, `undefined` for never. Without the member the container's rules decide. */
  readonly expiresAtSeconds?: number | undefined;
  /** Whether the store's journal records the write; `true` unless said otherwise. */
  readonly journal?: boolean | undefined;
  /** The document is most likely not there yet: adding it is tried before looking for it. Changes nothing but the cost. */
  readonly expectNew?: boolean | undefined;
}

/** A document as it is stored. */
export interface StoredRow extends PreviousVersion {
  /** JSON of the document without system properties. */
  readonly text: string;
  /** Second at and after which it counts as missing. */
  readonly expiresAtSeconds: number | undefined;
}
