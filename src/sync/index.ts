/**
 * Offline-first sync between a device's SQLite file and a remote document store.
 *
 * @module
 */
export { browserConnectivity, type Connectivity, type OnlineScope } from './run/connectivity.ts';
export { clientWins, lastWriteWins, serverWins, type SidePolicy } from './decide/conflict-policies.ts';
export type { Conflict, ConflictPolicy, ConflictSide, MergedDocument } from './decide/conflict.ts';
export type {
  DeadLetter,
  DeadLetterExport,
  DeadLetterQuery,
  DeadLetterRemote,
  DeadLetterKey,
  DeadLetters,
} from './dead-letters/dead-letters.ts';
export { SyncEngine } from './engine.ts';
export type { JournalEntry, JournalQuery, JournalReason } from './state/journal.ts';
export { mergeFields, type MergeFieldsOptions } from './decide/merge-fields.ts';
export { meterSync, type GaugeCallback, type MetricText, type SyncMeter } from './meter-sync.ts';
export type { RunnerState } from './run/runner.ts';
export type { SchemaMigration, SchemaOptions } from './form/schema-versions.ts';
export type { PendingDocument, PendingQuery } from './status.ts';
export type { SyncEvents, SyncPhase, SyncProgress, SyncState, SyncStatus } from './sync-events.ts';
export type {
  CaughtUpOptions,
  ReconcileOptions,
  RepairOptions,
  ScopeEntry,
  SyncOptions,
  SyncPoint,
  SyncRunOptions,
  SyncSchedule,
  VerifyOptions,
} from './sync-options.ts';
export type { ConflictOutcome, ConflictReport, RejectedReport, SyncReport } from './sync-report.ts';
export type { SyncedStore } from './writes/synced-store.ts';
export type { DifferenceKind, RepairReport, SyncDifference, VerifyReport } from './verify/verify-report.ts';
export {
  UserSessions,
  type LogoutOptions,
  type UnsentWork,
  type UserSession,
  type UserSessionsOptions,
  type UserStorage,
} from './user-sessions.ts';
export type { ReachedOptions, WriteHandle, WriteTier } from './writes/write-handle.ts';
export { RESERVED_PROPERTY } from './remote/wire-stamp.ts';
