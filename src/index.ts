/**
 * Perigee: one document data layer. This entry holds what all parts share: values and their order, errors, the runtime, the store contract.
 * Backends, sync and the server have entries of their own.
 *
 * @module
 */
export { Emitter, type Unsubscribe } from './core/emitter.ts';
export { ERROR_CODES, type ErrorCategory, type ErrorCode, type ErrorCodeInfo, type ErrorFacts } from './core/error-codes.ts';
export { isPerigeeError, PerigeeError, type PerigeeErrorOptions } from './core/errors.ts';
export { compareStamps, formatStamp, HybridLogicalClock, parseStamp, type HlcStamp } from './core/hybrid-logical-clock.ts';
export { canonicalJson, compareStrings, compareValues, equalValues } from './core/json-order.ts';
export type { JsonObject, JsonValue } from './core/json.ts';
export { silentLogger, type Logger, type LogLevel } from './core/logger.ts';
export { systemRuntime, type CancelTimer, type Runtime } from './core/runtime.ts';
export { ShiftableRuntime } from './core/shiftable-runtime.ts';
export type { Backend, CatalogDocument, ContainerInfo, DatabaseInfo, OpenContainerOptions } from './store/backend.ts';
export type { ContainerWriteOptions } from './store/container-etag.ts';
export type { CapabilityName, StoreCapabilities } from './store/capabilities.ts';
export type { Change, ChangeFeed, ChangePage, ChangesFrom, ChangesOptions } from './store/changes.ts';
export type {
  ChangeFeedPolicy,
  ComputedProperty,
  ContainerDefinition,
  ContainerInput,
  PartitionKeyDefinition,
} from './store/container-definition.ts';
export type { StoredDocument, SystemProperties } from './store/document.ts';
export type { DocumentStore, StoreTransaction, TransactionQueryOptions } from './store/document-store.ts';
export { effectivePartitionKey } from './store/effective-partition-key.ts';
export { STORE_LIMITS, type StoreLimits } from './store/limits.ts';
export type {
  BatchOperation,
  BatchResult,
  BulkOperation,
  BulkResult,
  CallOptions,
  ConsistencyLevel,
  DeleteResult,
  DocumentKey,
  OperationOutcome,
  PatchOperation,
  PatchOptions,
  ReadManyResult,
  ReadOptions,
  ReadResult,
  ResultInfo,
  WriteOptions,
  WriteResult,
} from './store/operations.ts';
export type { PartitionKey, PartitionKeyComponent, PartitionKeyInput } from './store/partition-key.ts';
export type {
  EpkRange,
  ExplainOptions,
  OrderByMode,
  QueryInput,
  QueryOptions,
  QueryPage,
  QueryResult,
  WatchOptions,
} from './store/queries.ts';
export type {
  IndexAdvice,
  IndexTrial,
  MeasuredStatement,
  MeasuredStep,
  PlannedAccess,
  PlanOperation,
  PlanStep,
  QueryExplanation,
} from './store/query-explanation.ts';
export type {
  RestoreOptions,
  SnapshotChange,
  SnapshotContainer,
  SnapshotDatabase,
  SnapshotDocument,
  SnapshotEnd,
  SnapshotHeader,
  SnapshotOptions,
  SnapshotRecord,
  SnapshotSummary,
  SnapshotVersion,
} from './store/snapshot/snapshot-record.ts';
export type { StandardResult, StandardSchemaLike } from './store/standard-schema.ts';
export type { UserDefinedFunction, UserDefinedFunctions } from './store/user-functions.ts';
