import type { PerigeeError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { StoredDocument } from './document.ts';
import type { PartitionKeyInput } from './partition-key.ts';

/**
 * What a read may see: `strong` all that was acknowledged before it, `session` what its session has seen, `eventual` what was there a moment ago, in the
 * order of commits. A store that has no replicas to choose from pays no heed to it.
 */
export type ConsistencyLevel = 'strong' | 'session' | 'eventual';

/** What every call accepts. */
export interface CallOptions {
  /** Ends the call with the signal's reason. A write that was already sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /** Session token of an earlier result: the answer is at least as new as that write. */
  readonly session?: string | undefined;
  /** What a read may see, so that a replica may answer it; `session` unless said otherwise, and `strong` without a session. */
  readonly consistency?: ConsistencyLevel | undefined;
}

export interface ReadOptions extends CallOptions {
  /** An etag: raises NOT_MODIFIED while the document still has it. */
  readonly ifNoneMatch?: string | undefined;
}

export interface WriteOptions extends CallOptions {
  /** An etag, or `*` for any existing version; otherwise the write is refused with PRECONDITION_FAILED. */
  readonly ifMatch?: string | undefined;
}

export interface PatchOptions extends WriteOptions {
  /** A condition such as `from c where c.stock > 0`; false raises PRECONDITION_FAILED. */
  readonly condition?: string | undefined;
}

/** One operation of a patch; paths are JSON pointers such as `/address/city` or `/tags/-`. */
export type PatchOperation =
  | { readonly op: 'add' | 'set' | 'replace'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'incr'; readonly path: string; readonly value: number }
  | { readonly op: 'move'; readonly from: string; readonly path: string };

/** What every result carries beside its content. */
export interface ResultInfo {
  /** Request units charged, by the service or by the documented model. */
  readonly requestUnits: number;
  /** Pass it to a later read to see at least this state. `undefined` where the backend needs none. */
  readonly session: string | undefined;
}

export interface ReadResult<T extends object = JsonObject> extends ResultInfo {
  readonly document: StoredDocument<T>;
  readonly etag: string;
  /** Seconds since 1970, by the store's clock. */
  readonly ts: number;
  /** Place in commit order of the write that left the document, where the backend has positions and tells them of what is read. */
  readonly position?: number | undefined;
}

export interface WriteResult<T extends object = JsonObject> extends ReadResult<T> {
  /** Whether the write created the document; false for a replacement. */
  readonly created: boolean;
  /** The write's place in commit order, where the backend has positions. */
  readonly position: number | undefined;
}

export interface DeleteResult extends ResultInfo {
  readonly position: number | undefined;
}

/** The key of a document as callers pass it. */
export interface DocumentKey {
  readonly id: string;
  readonly partitionKey: PartitionKeyInput;
}

export interface ReadManyResult<T extends object = JsonObject> extends ResultInfo {
  /** One entry per key, in the order of the keys; `undefined` where there is no such document. */
  readonly documents: readonly (StoredDocument<T> | undefined)[];
}

/** One operation of {@link DocumentStore.batch}; the partition key is the batch's. */
export type BatchOperation<T extends object = JsonObject> =
  | { readonly type: 'create'; readonly document: T & { readonly id: string } }
  | { readonly type: 'upsert' | 'replace'; readonly document: T & { readonly id: string }; readonly ifMatch?: string | undefined }
  | { readonly type: 'read'; readonly id: string; readonly ifNoneMatch?: string | undefined }
  | { readonly type: 'delete'; readonly id: string; readonly ifMatch?: string | undefined }
  | {
      readonly type: 'patch';
      readonly id: string;
      readonly operations: readonly PatchOperation[];
      readonly condition?: string | undefined;
      readonly ifMatch?: string | undefined;
    };

/** One operation of {@link DocumentStore.bulk}. Operations without a document name their partition key. */
export type BulkOperation<T extends object = JsonObject> =
  | Extract<BatchOperation<T>, { readonly document: unknown }>
  | (Exclude<BatchOperation<T>, { readonly document: unknown }> & { readonly partitionKey: PartitionKeyInput });

/** What became of one operation of a batch or bulk. */
export type OperationOutcome<T extends object = JsonObject> =
  | {
      readonly ok: true;
      /** Absent for `delete`. */
      readonly document: StoredDocument<T> | undefined;
      readonly etag: string | undefined;
      readonly created: boolean;
      readonly position: number | undefined;
      readonly requestUnits: number;
    }
  | { readonly ok: false; readonly error: PerigeeError; readonly requestUnits: number };

export interface BatchResult<T extends object = JsonObject> extends ResultInfo {
  /** Whether all operations took effect; otherwise none did. */
  readonly committed: boolean;
  /** One outcome per operation, in order. When not committed, the failing one has its own code and all others FAILED_DEPENDENCY. */
  readonly outcomes: readonly OperationOutcome<T>[];
}

export interface BulkResult<T extends object = JsonObject> extends ResultInfo {
  /** One outcome per operation, in the order given; each stands alone. */
  readonly outcomes: readonly OperationOutcome<T>[];
}
