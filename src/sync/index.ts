/**
 * Offline-first sync between a device's SQLite file and a remote document store.
 *
 * @module
 */
export { lastWriteWins, type Conflict, type ConflictPolicy, type ConflictSide } from './conflict.ts';
export { SyncEngine } from './engine.ts';
export type { JournalEntry, JournalQuery, JournalReason } from './journal.ts';
export type { PendingDocument, PendingQuery } from './status.ts';
export type { SyncEvents, SyncPhase, SyncProgress, SyncState, SyncStatus } from './sync-events.ts';
export type { ReconcileOptions, ScopeEntry, SyncOptions, SyncPoint, SyncRunOptions, SyncSchedule } from './sync-options.ts';
export type { ConflictOutcome, ConflictReport, RejectedReport, SyncReport } from './sync-report.ts';
export { RESERVED_PROPERTY } from './wire-stamp.ts';
