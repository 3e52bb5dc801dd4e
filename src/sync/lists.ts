import type { ErrorCode } from '../core/error-codes.ts';
import type { JsonObject } from '../core/json.ts';
import { parsePartitionKeyText } from '../store/partition-key.ts';
import { all, get, run, type Program } from '../stores/sqlite/driver.ts';
import { documentOf } from './push/groups.ts';
import type { JournalEntry, JournalQuery, JournalReason } from './state/journal.ts';
import type { PendingDocument, PendingQuery } from './status.ts';

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

/** An entry as it is stored. */
export interface JournalRow {
  readonly seq: number;
  readonly container: string;
  readonly pk: string;
  readonly id: string;
  readonly reason: JournalReason;
  readonly losing_side: 'local' | 'remote';
  readonly document: string | null;
  readonly losing_stamp: string;
  readonly winning_stamp: string | null;
  readonly at_ms: number;
}

const SELECT = `SELECT j.seq, s.container, s.pk, j.id, j.reason, j.losing_side, j.document, j.losing_stamp, j.winning_stamp, j.at_ms
  FROM sync_journal j JOIN sync_scope s ON s.scope = j.scope WHERE s.database = ?`;

/** Entries in the order of their numbers. */
export function* listJournal(database: string, query: JournalQuery): Program<readonly JournalRow[]> {
  return yield* all<JournalRow>(
    `${SELECT} AND j.seq > ? AND (? IS NULL OR s.container = ?) AND (? IS NULL OR j.id = ?) ORDER BY j.seq LIMIT ?`,
    database,
    query.afterSeq ?? 0,
    query.container ?? null,
    query.container ?? null,
    query.id ?? null,
    query.id ?? null,
    query.limit ?? 100,
  );
}

/** One entry. */
export function* readJournal(database: string, seq: number): Program<JournalRow | undefined> {
  return yield* get<JournalRow>(`${SELECT} AND j.seq = ?`, database, seq);
}

/** Removes entries older than a time; gives how many. */
export function* pruneJournal(beforeMs: number): Program<number> {
  return yield* run('DELETE FROM sync_journal WHERE at_ms < ?', beforeMs);
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
