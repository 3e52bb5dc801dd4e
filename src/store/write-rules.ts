import { PerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { PatchOperation } from './operations.ts';
import type { PartitionKey, PartitionKeyText } from './partition-key.ts';
import { applyPatch } from './patch.ts';
import { prepareDocument, withoutSystemProperties, type PreparedDocument } from './prepared-document.ts';

/** A checked write, as the hooks of a backend receive it. */
export type WriteOperation =
  | { readonly type: 'create'; readonly document: PreparedDocument }
  | { readonly type: 'upsert' | 'replace'; readonly document: PreparedDocument; readonly ifMatch: string | undefined }
  | { readonly type: 'delete'; readonly key: PreparedKey; readonly ifMatch: string | undefined }
  | {
      readonly type: 'patch';
      readonly key: PreparedKey;
      readonly operations: readonly PatchOperation[];
      readonly condition: string | undefined;
      readonly ifMatch: string | undefined;
    };

/** A checked read within a batch or bulk. */
export interface ReadOperation {
  readonly type: 'read';
  readonly key: PreparedKey;
  readonly ifNoneMatch: string | undefined;
}

export type StoreOperation = WriteOperation | ReadOperation;

/** A checked document key. */
export interface PreparedKey {
  readonly id: string;
  readonly partitionKey: PartitionKey;
  readonly partitionKeyText: PartitionKeyText;
}

/** The key that an operation addresses. */
export function keyOf(operation: StoreOperation): PreparedKey {
  return 'document' in operation ? operation.document : operation.key;
}

/** What a local store knows of the document that a write addresses; an expired one is given as `undefined`. */
export interface CurrentVersion {
  readonly etag: string;
  /** Parses the stored document, system properties included. */
  readonly read: () => JsonObject;
}

/** What a local store has to do for a write. */
export type WriteDecision =
  | { readonly action: 'put'; readonly document: PreparedDocument; readonly created: boolean }
  | { readonly action: 'delete' };

/** Settings of {@link decideWrite}. */
export interface WriteRules {
  readonly paths: readonly (readonly string[])[];
  /** Whether the condition of a patch holds for a stored document. */
  readonly matches: (condition: string, document: JsonObject) => boolean;
}

function name(key: PreparedKey): string {
  return `document ${JSON.stringify(key.id)}`;
}

/** Raises PRECONDITION_FAILED unless `ifMatch` is absent, `*`, or the etag. */
function checkIfMatch(operation: StoreOperation, ifMatch: string | undefined, etag: string): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etag) {
    throw new PerigeeError(
      'PRECONDITION_FAILED',
      `Cannot ${operation.type} the ${name(keyOf(operation))}: it changed since the etag was read. Read it again and decide.`,
      {
        details: { etag },
      },
    );
  }
}

/**
 * Decides what one write does to a local store: the meaning of `create`, `upsert`, `replace`, `patch`, `delete` and `ifMatch`, in one place.
 *
 * Pure: the caller reads `current` and carries the decision out within one transaction. Unique keys are the caller's part.
 *
 * @throws CONFLICT, NOT_FOUND, PRECONDITION_FAILED, INVALID_PATCH, and what {@link prepareDocument} throws for the patched document
 */
export function decideWrite(operation: WriteOperation, current: CurrentVersion | undefined, rules: WriteRules): WriteDecision {
  if (operation.type === 'create') {
    if (current !== undefined) {
      throw new PerigeeError('CONFLICT', `Cannot create the ${name(operation.document)}: one with this id exists in the partition key.`);
    }
    return { action: 'put', document: operation.document, created: true };
  }
  if (current === undefined) {
    if (operation.type === 'upsert') {
      return { action: 'put', document: operation.document, created: true };
    }
    throw new PerigeeError('NOT_FOUND', `Cannot ${operation.type} the ${name(keyOf(operation))}: there is none in the partition key.`);
  }
  checkIfMatch(operation, operation.ifMatch, current.etag);
  switch (operation.type) {
    case 'upsert':
    case 'replace':
      return { action: 'put', document: operation.document, created: false };
    case 'delete':
      return { action: 'delete' };
    case 'patch': {
      const document = current.read();
      if (operation.condition !== undefined && !rules.matches(operation.condition, document)) {
        throw new PerigeeError('PRECONDITION_FAILED', `Cannot patch the ${name(operation.key)}: its condition is false.`);
      }
      const patched = applyPatch(withoutSystemProperties(document), operation.operations);
      return { action: 'put', document: prepareDocument(patched, rules.paths), created: false };
    }
    default:
      return operation satisfies never;
  }
}

/**
 * The second at and after which a document counts as missing, or `undefined` for never.
 *
 * A container without `defaultTtl` ignores the documents' own `ttl`.
 */
export function expiresAtSeconds(ts: number, ttl: number | undefined, defaultTtl: number | undefined): number | undefined {
  if (defaultTtl === undefined) {
    return undefined;
  }
  const seconds = ttl ?? defaultTtl;
  return seconds === -1 ? undefined : ts + seconds;
}
