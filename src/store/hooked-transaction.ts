import { PerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { StoredDocument } from './document.ts';
import type { StoreTransaction, TransactionQueryOptions } from './document-store.ts';
import { bindContinuation, continuationBinding, unbindContinuation } from './bound-continuation.ts';
import type { BatchOperation, DeleteResult, OperationOutcome, PatchOperation, ReadResult, WriteResult } from './operations.ts';
import { PagedQuery } from './paged-result.ts';
import type { QueryInput, QueryPage } from './queries.ts';
import type { QueryRequest } from './store-hooks.ts';
import type { PreparedKey, StoreOperation, WriteOperation } from './write-rules.ts';

/** What became of a write that succeeded, as the hooks of a backend tell it. */
export type WriteOutcome<T extends object = JsonObject> = OperationOutcome<T> & { readonly ok: true; readonly session: string | undefined };

/** The backend's part of a transaction on one partition key: the same hooks as outside one, seeing the transaction's own writes. */
export interface TransactionHooks<T extends object = JsonObject> {
  readonly read: (key: PreparedKey) => Promise<ReadResult<T> | undefined>;
  readonly write: (operation: WriteOperation) => Promise<WriteOutcome<T>>;
  readonly queryPage: (request: QueryRequest) => Promise<QueryPage<unknown>>;
}

/** The store's part of a transaction: its checks. */
export interface TransactionChecks<T extends object = JsonObject> {
  /** Checks an operation as one of a batch, its partition key included. */
  readonly prepare: (operation: BatchOperation<T>) => Promise<StoreOperation>;
  readonly queryRequest: (query: QueryInput, options: TransactionQueryOptions) => QueryRequest;
  /** Names the data of the container: continuations are bound to it. */
  readonly continuationSource: string;
}

/** The result of a write that has a document. */
export function toWriteResult<T extends object>(outcome: WriteOutcome<T>): WriteResult<T> {
  const document = outcome.document as StoredDocument<T>;
  return {
    document,
    etag: document._etag,
    ts: document._ts,
    requestUnits: outcome.requestUnits,
    session: outcome.session,
    created: outcome.created,
    position: outcome.position,
  };
}

/** The result of a delete. */
export function toDeleteResult<T extends object>({ requestUnits, session, position }: WriteOutcome<T>): DeleteResult {
  return { requestUnits, session, position };
}

/** A {@link StoreTransaction} over hooks: checks each call as the store does, and refuses calls after {@link end}. */
export class HookedTransaction<T extends object> implements StoreTransaction<T> {
  readonly #hooks: TransactionHooks<T>;
  readonly #checks: TransactionChecks<T>;
  #ended = false;

  constructor(hooks: TransactionHooks<T>, checks: TransactionChecks<T>) {
    this.#hooks = hooks;
    this.#checks = checks;
  }

  async read(id: string): Promise<ReadResult<T> | undefined> {
    const operation = await this.#prepare({ type: 'read', id });
    return this.#hooks.read((operation as Extract<StoreOperation, { type: 'read' }>).key);
  }

  async query<R = StoredDocument<T>>(query: QueryInput): Promise<R[]> {
    this.#assertOpen();
    const request = this.#checks.queryRequest(query, {});
    return new PagedQuery<R>(undefined, async (continuation) => {
      this.#assertOpen();
      return (await this.#hooks.queryPage({ ...request, continuation })) as QueryPage<R>;
    }).toArray();
  }

  async queryPage<R = StoredDocument<T>>(query: QueryInput, options: TransactionQueryOptions = {}): Promise<QueryPage<R>> {
    this.#assertOpen();
    const request = this.#checks.queryRequest(query, options);
    const binding = continuationBinding(this.#checks.continuationSource, request);
    const page = await this.#hooks.queryPage({ ...request, continuation: unbindContinuation(binding, options.continuation) });
    return { ...page, continuation: bindContinuation(binding, page.continuation) } as QueryPage<R>;
  }

  create(document: T & { readonly id: string }): Promise<WriteResult<T>> {
    return this.#put({ type: 'create', document });
  }

  upsert(document: T & { readonly id: string }, options: { readonly ifMatch?: string | undefined } = {}): Promise<WriteResult<T>> {
    return this.#put({ type: 'upsert', document, ifMatch: options.ifMatch });
  }

  replace(document: T & { readonly id: string }, options: { readonly ifMatch?: string | undefined } = {}): Promise<WriteResult<T>> {
    return this.#put({ type: 'replace', document, ifMatch: options.ifMatch });
  }

  patch(
    id: string,
    operations: readonly PatchOperation[],
    options: { readonly ifMatch?: string | undefined; readonly condition?: string | undefined } = {},
  ): Promise<WriteResult<T>> {
    return this.#put({ type: 'patch', id, operations, condition: options.condition, ifMatch: options.ifMatch });
  }

  async delete(id: string, options: { readonly ifMatch?: string | undefined } = {}): Promise<DeleteResult> {
    return toDeleteResult(await this.#write({ type: 'delete', id, ifMatch: options.ifMatch }));
  }

  /** Refuses later calls: one that outlives its transaction would take effect outside it. */
  end(): void {
    this.#ended = true;
  }

  async #put(operation: BatchOperation<T>): Promise<WriteResult<T>> {
    return toWriteResult(await this.#write(operation));
  }

  async #write(operation: BatchOperation<T>): Promise<WriteOutcome<T>> {
    return this.#hooks.write((await this.#prepare(operation)) as WriteOperation);
  }

  async #prepare(operation: BatchOperation<T>): Promise<StoreOperation> {
    this.#assertOpen();
    const prepared = await this.#checks.prepare(operation);
    this.#assertOpen();
    return prepared;
  }

  #assertOpen(): void {
    if (this.#ended) {
      throw new PerigeeError('CLOSED', 'The transaction has ended. Await every call on it before its function returns.');
    }
  }
}
