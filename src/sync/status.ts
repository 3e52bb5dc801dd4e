import type { JsonObject } from '../core/json.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { parsePartitionKeyText, type PartitionKey } from '../store/partition-key.ts';
import { all, get, type Program } from '../stores/sqlite/driver.ts';
import { IS_LETTER } from './dead-letters/is-letter.ts';
import { documentOf } from './push/groups.ts';
import type { JournalEntry, JournalRow } from './state/journal.ts';

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

interface PendingRow {
  readonly container: string;
  readonly pk: string;
  readonly id: string;
  readonly group_id: string | null;
  readonly kind: 'put' | 'delete';
  readonly created_at_ms: number;
  readonly attempts: number;
  readonly rejected_code: ErrorCode | null;
  readonly rejected_message: string | null;
  readonly rejected_at_ms: number | null;
}

/** Pending documents, oldest first. */
export function* listPending(database: string, query: PendingQuery): Program<readonly PendingDocument[]> {
  const rows = yield* all<PendingRow>(
    `SELECT s.container, s.pk, o.id, o.group_id, CASE o.kind WHEN 'delete' THEN 'delete' ELSE 'put' END AS kind, o.created_at_ms, o.attempts, o.rejected_code, o.rejected_message, o.rejected_at_ms
     FROM sync_outbox o JOIN sync_scope s ON s.scope = o.scope
     WHERE s.database = ? AND (o.frozen IS NULL OR o.rejected_code IS NOT NULL) AND (? IS NULL OR s.container = ?) AND (? IS NULL OR (o.rejected_code IS NOT NULL) = ?)
     ORDER BY o.created_at_ms, o.id LIMIT ?`,
    database,
    query.container ?? null,
    query.container ?? null,
    query.rejected === undefined ? null : Number(query.rejected),
    query.rejected === undefined ? null : Number(query.rejected),
    query.limit ?? 1000,
  );
  return rows.map((row) => ({
    container: row.container,
    partitionKey: parsePartitionKeyText(row.pk),
    id: documentOf(row.id),
    kind: row.kind,
    sinceMs: row.created_at_ms,
    attempts: row.attempts,
    ...(row.group_id === null ? {} : { group: Number(row.group_id) }),
    rejected:
      row.rejected_code === null
        ? undefined
        : { code: row.rejected_code, message: row.rejected_message ?? '', atMs: row.rejected_at_ms ?? 0 },
  }));
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

/** A journal row as callers see it. */
export function journalEntryOf(row: JournalRow): JournalEntry {
  return {
    seq: row.seq,
    container: row.container,
    partitionKey: parsePartitionKeyText(row.pk),
    id: row.id,
    reason: row.reason,
    losingSide: row.losing_side,
    document: row.document === null ? undefined : (JSON.parse(row.document) as JsonObject),
    losingStamp: row.losing_stamp,
    winningStamp: row.winning_stamp ?? undefined,
    atMs: row.at_ms,
  };
}
