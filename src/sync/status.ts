import type { ErrorCode } from '../core/error-codes.ts';
import type { PartitionKey } from '../store/partition-key.ts';
import { get, type Program } from '../stores/sqlite/driver.ts';
import { IS_LETTER } from './dead-letters/is-letter.ts';

/** A document that waits to be sent. */
export interface PendingDocument {
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly kind: 'put' | 'delete';
  /** Device time at which it became pending, in milliseconds. */
  readonly sinceMs: number;
  /** How often the remote refused it. */
  readonly attempts: number;
  /** Number of the transaction that wrote it with others of the partition key: they are sent together. Absent where it is sent for itself. */
  readonly group?: number | undefined;
  /** Why the remote refused it; it is then a dead letter, see {@link SyncEngine.deadLetters}. */
  readonly rejected: { readonly code: ErrorCode; readonly message: string; readonly atMs: number } | undefined;
}

/** Which pending documents to list. */
export interface PendingQuery {
  readonly container?: string | undefined;
  /** Only those that the remote refused, or only the others. */
  readonly rejected?: boolean | undefined;
  /** 1,000 unless said otherwise. */
  readonly limit?: number | undefined;
}

/**
 * Counts documents that wait, and dead letters, among rows `o` of the outbox; in files of earlier versions too. Older versions of a document that wait for their group are
 * not counted once more, and neither are members of a group that wait for another one.
 */
export const COUNTED: string = `count(*) FILTER (WHERE instr(o.id, '/') = 0) AS pending, count(*) FILTER (WHERE ${IS_LETTER}) AS rejected`;

/** Numbers of a status. */
export interface StatusCounts {
  readonly pending: number;
  readonly oldest: number | null;
  readonly rejected: number;
  readonly conflicts: number;
}

/** Counts what waits and what was decided, over all partition keys of the file. */
export function* countStatus(): Program<StatusCounts> {
  const row = yield* get<StatusCounts>(
    `SELECT ${COUNTED}, min(created_at_ms) AS oldest, (SELECT count(*) FROM sync_journal) AS conflicts FROM sync_outbox o`,
  );
  return row as StatusCounts;
}
