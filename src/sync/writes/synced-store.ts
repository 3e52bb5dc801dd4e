import type { JsonObject } from '../../core/json.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { BatchResult, BulkResult, DeleteResult, WriteResult } from '../../store/operations.ts';
import type { PartitionKeyInput } from '../../store/partition-key.ts';
import type { ReachedOptions, WriteHandle, WriteTier } from './write-handle.ts';

/** The local store of a container of an engine: each write, those of a transaction apart, has a handle that tells when the remote has it. */
export interface SyncedStore<T extends object = JsonObject> extends DocumentStore<T> {
  create(...args: Parameters<DocumentStore<T>['create']>): Promise<WriteResult<T> & WriteHandle>;
  upsert(...args: Parameters<DocumentStore<T>['upsert']>): Promise<WriteResult<T> & WriteHandle>;
  replace(...args: Parameters<DocumentStore<T>['replace']>): Promise<WriteResult<T> & WriteHandle>;
  patch(...args: Parameters<DocumentStore<T>['patch']>): Promise<WriteResult<T> & WriteHandle>;
  delete(...args: Parameters<DocumentStore<T>['delete']>): Promise<DeleteResult & WriteHandle>;
  /** The handle is of all operations together; of a batch that did not commit it has nothing to wait for. */
  batch(...args: Parameters<DocumentStore<T>['batch']>): Promise<BatchResult<T> & WriteHandle>;
  /** The handle is of all operations together that took effect. */
  bulk(...args: Parameters<DocumentStore<T>['bulk']>): Promise<BulkResult<T> & WriteHandle>;
}

/** A write that took effect. */
export interface WrittenDocument {
  readonly id: string;
  readonly position: number | undefined;
  /** As it was given, or the document that it is in. */
  readonly partitionKey: { readonly given: PartitionKeyInput } | { readonly in: JsonObject };
}

/** Waits until the remote has some writes. */
export type Reached = (writes: readonly WrittenDocument[], options: ReachedOptions) => Promise<void>;

interface Operation {
  readonly type: string;
  readonly id?: string;
  readonly document?: JsonObject;
  readonly partitionKey?: PartitionKeyInput;
}

interface Outcome {
  readonly ok?: boolean;
  readonly position?: number | undefined;
}

type Arguments = readonly unknown[];

function ofDocument([document]: Arguments, { position }: Outcome): readonly WrittenDocument[] {
  const body = document as JsonObject;
  return [{ id: body['id'] as string, position, partitionKey: { in: body } }];
}

function ofKey([id, given]: Arguments, { position }: Outcome): readonly WrittenDocument[] {
  return [{ id: id as string, position, partitionKey: { given: given as PartitionKeyInput } }];
}

function ofBatch([given, operations]: Arguments, result: Outcome): readonly WrittenDocument[] {
  return ofOperations(operations as readonly Operation[], result, { given: given as PartitionKeyInput });
}

function ofBulk([operations]: Arguments, result: Outcome): readonly WrittenDocument[] {
  return ofOperations(operations as readonly Operation[], result, undefined);
}

function ofOperations(
  operations: readonly Operation[],
  result: object,
  common: { readonly given: PartitionKeyInput } | undefined,
): readonly WrittenDocument[] {
  const { outcomes } = result as { readonly outcomes: readonly Outcome[] };
  return operations.flatMap(({ type, id, document, partitionKey }, index) => {
    const outcome = outcomes[index];
    if (type === 'read' || outcome?.ok !== true) {
      return [];
    }
    const key = common ?? (document === undefined ? { given: partitionKey } : { in: document });
    return [{ id: (document?.['id'] ?? id) as string, position: outcome.position, partitionKey: key }];
  });
}

/** What a call wrote, by its name. */
const WRITTEN = { create: ofDocument, upsert: ofDocument, replace: ofDocument, patch: ofKey, delete: ofKey, batch: ofBatch, bulk: ofBulk };

/** Gives the results of a store's writes their handles. */
export function syncedStore(store: DocumentStore<JsonObject>, reached: Reached): SyncedStore {
  const members = new Map<string | symbol, unknown>();
  for (const [name, written] of Object.entries(WRITTEN)) {
    const call = (store[name as keyof typeof WRITTEN] as (...args: Arguments) => Promise<Outcome & object>).bind(store);
    members.set(name, async (...args: Arguments) => {
      const result = await call(...args);
      const value = async (tier: WriteTier, options: ReachedOptions = {}): Promise<void> => {
        if (tier === 'remote') {
          await reached(written(args, result), options);
        }
      };
      return Object.defineProperty(result, 'reached', { value });
    });
  }
  return new Proxy(store, {
    get(target, name) {
      if (members.has(name)) {
        return members.get(name);
      }
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') {
        return value;
      }
      const bound: unknown = (value as (...args: Arguments) => unknown).bind(target);
      members.set(name, bound);
      return bound;
    },
  }) as SyncedStore;
}
