import { formatStamp, type HlcStamp } from '../../core/hybrid-logical-clock.ts';
import type { JsonObject } from '../../core/json.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import { get, type Program } from '../../stores/sqlite/driver.ts';

/**
 * Why a version is in the journal. `forced`: a forced push replaced it; `merged`: a merge decided something against it; `discarded`: a dead letter was given up;
 * `repaired`: a repair replaced what the device held; `restored`: the remote was restored from a backup, and held another version than it had acknowledged;
 * `schema`: one of the two versions was not of the program's schema, so that no policy could judge, and the remote's stayed; `group`: another document of the same
 * transaction lost, and with it the whole.
 */
export type JournalReason =
  | 'local-wins'
  | 'remote-wins'
  | 'remote-deleted'
  | 'forced'
  | 'merged'
  | 'discarded'
  | 'repaired'
  | 'restored'
  | 'schema'
  | 'group';

/** A version that lost a conflict, or was given up. */
export interface JournalEntry {
  readonly seq: number;
  readonly container: string;
  readonly partitionKey: PartitionKey;
  readonly id: string;
  readonly reason: JournalReason;
  readonly losingSide: 'local' | 'remote';
  /** The document without system properties; `undefined` where the losing write was a deletion. */
  readonly document: JsonObject | undefined;
  /** Stamps as text of fixed width: text order is time order. */
  readonly losingStamp: string;
  /** Absent where nothing took the document's place. */
  readonly winningStamp: string | undefined;
  /** Device time in milliseconds. */
  readonly atMs: number;
}

/** Which entries to list. */
export interface JournalQuery {
  readonly container?: string | undefined;
  readonly id?: string | undefined;
  /** Entries behind this one. */
  readonly afterSeq?: number | undefined;
  /** 100 unless said otherwise. */
  readonly limit?: number | undefined;
}

/** An entry before it has a number. */
export interface JournalInput {
  readonly scope: number;
  readonly id: string;
  readonly reason: JournalReason;
  readonly losingSide: 'local' | 'remote';
  readonly document: JsonObject | undefined;
  readonly losingStamp: HlcStamp;
  readonly winningStamp: HlcStamp | undefined;
  readonly atMs: number;
}

/** Whether the journal has any entry. */
export function* hasJournal(): Program<boolean> {
  return (yield* get('SELECT 1 AS one FROM sync_journal LIMIT 1')) !== undefined;
}

/** Writes an entry down and gives its number. */
export function* appendJournal(entry: JournalInput): Program<number> {
  const row = yield* get<{ seq: number }>(
    `INSERT INTO sync_journal (scope, id, reason, losing_side, deleted, document, losing_stamp, winning_stamp, at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
    entry.scope,
    entry.id,
    entry.reason,
    entry.losingSide,
    entry.document === undefined ? 1 : 0,
    entry.document === undefined ? null : JSON.stringify(entry.document),
    formatStamp(entry.losingStamp),
    entry.winningStamp === undefined ? null : formatStamp(entry.winningStamp),
    entry.atMs,
  );
  return (row as { readonly seq: number }).seq;
}
