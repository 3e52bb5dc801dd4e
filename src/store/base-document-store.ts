import { PerigeeError, isPerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { Emitter, type Unsubscribe } from '../core/emitter.ts';
import type { Runtime } from '../core/runtime.ts';
import type { StandardSchemaLike } from './standard-schema.ts';
import type { CapabilityName, StoreCapabilities } from './capabilities.ts';
import { CallTracker } from './call-tracker.ts';
import type { ChangeFeed, ChangePage, ChangesOptions } from './changes.ts';
import type { ContainerInfo } from './backend.ts';
import type { ContainerDefinition } from './container-definition.ts';
import type { StoredDocument } from './document.ts';
import type { DocumentStore, StoreTransaction } from './document-store.ts';
import { checkBatchSize } from './batch-size.ts';
import { bindContinuation, continuationBinding, unbindContinuation } from './bound-continuation.ts';
import { checkDocumentId } from './ids.ts';
import { HookedTransaction, toDeleteResult, toWriteResult, type TransactionHooks, type WriteOutcome } from './hooked-transaction.ts';
import { STORE_LIMITS } from './limits.ts';
import type {
  BatchOperation,
  BatchResult,
  BulkOperation,
  BulkResult,
  CallOptions,
  DeleteResult,
  DocumentKey,
  PatchOperation,
  PatchOptions,
  ReadManyResult,
  ReadOptions,
  ReadResult,
  WriteOptions,
  WriteResult,
} from './operations.ts';
import { normalizePartitionKey, parsePropertyPath, partitionKeyText, type PartitionKeyInput } from './partition-key.ts';
import { checkPatch } from './patch.ts';
import { PagedChanges, PagedQuery } from './paged-result.ts';
import { prepareDocument, type PreparedDocument } from './prepared-document.ts';
import { checkConsistency, queryRequest, requestScope } from './query-request.ts';
import type { QueryExplanation } from './query-explanation.ts';
import type { ExplainOptions, QueryInput, QueryOptions, QueryPage, QueryResult, WatchOptions } from './queries.ts';
import type { ChangesRequest, ExplainRequest, QueryRequest } from './store-hooks.ts';
import { watchQuery } from './watch-query.ts';
import { keyOf, type PreparedKey, type StoreOperation, type WriteOperation } from './write-rules.ts';

/** An operation of a bulk call: checked, or the error that its check raised. */
export type BulkItem = StoreOperation | PerigeeError;

/** How long a scan may go on after its store has begun to close: closing is answered within 50 ms. */
const CLOSE_GRACE_MS = 30;

/**
 * Checks every call once and leaves the work to hooks, so that a backend writes nothing twice and all refuse alike.
 *
 * Implementors write the `_` hooks. What a hook receives is checked and normalised; hooks raise {@link PerigeeError}s only, wrap their driver's
 * errors once, and need not look at the signal except to stop long work early.
 */
export abstract class BaseDocumentStore<T extends object = JsonObject> implements DocumentStore<T> {
  readonly databaseId: string;
  readonly definition: ContainerDefinition;
  readonly rid: string;
  abstract readonly capabilities: StoreCapabilities;
  protected readonly runtime: Runtime;
  /** Partition key paths, parsed. */
  protected readonly partitionKeyPaths: readonly (readonly string[])[];
  protected readonly calls: CallTracker;
  readonly #schema: StandardSchemaLike | undefined;
  #closingSinceMs: number | undefined;
  readonly #closed = new Emitter<{ closed: undefined }>();

  constructor(container: ContainerInfo, runtime: Runtime, schema?: StandardSchemaLike) {
    this.databaseId = container.databaseId;
    this.definition = container.definition;
    this.rid = container.rid;
    this.runtime = runtime;
    this.partitionKeyPaths = container.definition.partitionKey.paths.map(parsePropertyPath);
    this.calls = new CallTracker(`store of container ${JSON.stringify(container.definition.id)}`);
    this.#schema = schema;
  }

  /**
   * How many operations of a bulk call are checked before others get their turn: all, so that calls begin in the order in which they are made. Override
   * where a server has work of other calls meanwhile, and would wait for the answer that nobody reads.
   */
  protected get bulkCheckedAtOnce(): number {
    return Number.POSITIVE_INFINITY;
  }

  protected abstract _read(key: PreparedKey, options: ReadOptions): Promise<ReadResult<T> | undefined>;
  /** The outcome of one write; raises its error. */
  protected abstract _write(operation: WriteOperation, options: CallOptions): Promise<WriteOutcome<T>>;
  protected abstract _batch(
    key: Omit<PreparedKey, 'id'>,
    operations: readonly StoreOperation[],
    options: CallOptions,
  ): Promise<BatchResult<T>>;
  protected abstract _bulk(items: readonly BulkItem[], options: CallOptions): Promise<BulkResult<T>>;
  protected abstract _queryPage(request: QueryRequest): Promise<QueryPage<unknown>>;
  protected abstract _explain(request: ExplainRequest): Promise<QueryExplanation>;
  protected abstract _changesPage(request: ChangesRequest): Promise<ChangePage<T>>;
  protected abstract _close(): Promise<void>;

  /** Many reads; override where the backend has a cheaper way. */
  protected async _readMany(keys: readonly PreparedKey[], options: CallOptions): Promise<ReadManyResult<T>> {
    const documents: (StoredDocument<T> | undefined)[] = [];
    let requestUnits = 0;
    let session = options.session;
    for (const key of keys) {
      const result = await this._read(key, options);
      documents.push(result?.document);
      requestUnits += result?.requestUnits ?? 1;
      session = result?.session ?? session;
    }
    return { documents, requestUnits, session };
  }

  /** Override where `capabilities.transact` is true. */
  protected _transact<R>(
    _key: Omit<PreparedKey, 'id'>,
    _work: (transaction: StoreTransaction<T>) => Promise<R>,
    _options: CallOptions,
  ): Promise<R> {
    return Promise.reject(this.notSupported('transact'));
  }

  /** Override where writes are not durable against a loss of power by themselves. */
  protected _flush(): Promise<void> {
    return Promise.resolve();
  }

  /** Names the data in which a continuation has a meaning; override where a container may be restored, so that its resource id does not say it. */
  protected get continuationSource(): string {
    return this.rid;
  }

  /** Calls `listener` after each commit to the container that the backend can notice at once; `undefined` where it cannot. */
  protected _subscribe(_listener: () => void): Unsubscribe | undefined {
    return undefined;
  }

  /**
   * Runs the function of a {@link _transact} over the hooks of a backend: what it asks for is checked as outside a transaction, and refused after
   * its end. To begin, commit and undo is the backend's part.
   */
  protected async runTransaction<R>(
    key: Omit<PreparedKey, 'id'>,
    hooks: TransactionHooks<T>,
    work: (transaction: StoreTransaction<T>) => Promise<R>,
  ): Promise<R> {
    const transaction = new HookedTransaction<T>(hooks, {
      prepare: (operation) => this.#prepareInBatch(operation, key),
      queryRequest: (query, options) => this.#queryRequest(query, { ...options, partitionKey: key.partitionKey }),
      continuationSource: this.continuationSource,
    });
    try {
      return await work(transaction);
    } finally {
      transaction.end();
    }
  }

  /** The refusal of an operation that needs an absent capability. */
  protected notSupported(capability: CapabilityName): PerigeeError {
    return new PerigeeError(
      'NOT_SUPPORTED',
      `The container ${JSON.stringify(this.definition.id)} is on a backend without the capability ${capability}.`,
      { details: { capability } },
    );
  }

  read(id: string, partitionKey: PartitionKeyInput, options: ReadOptions = {}): Promise<ReadResult<T> | undefined> {
    return this.calls.run(options.signal, () => {
      checkConsistency(options.consistency);
      return this._read(this.prepareKey(id, partitionKey), options);
    });
  }

  readMany(keys: readonly DocumentKey[], options: CallOptions = {}): Promise<ReadManyResult<T>> {
    return this.calls.run(options.signal, () => {
      checkConsistency(options.consistency);
      return this._readMany(
        keys.map((key) => this.prepareKey(key.id, key.partitionKey)),
        options,
      );
    });
  }

  create(document: T & { readonly id: string }, options: CallOptions = {}): Promise<WriteResult<T>> {
    return this.#put(document, options, (prepared) => ({ type: 'create', document: prepared }));
  }

  upsert(document: T & { readonly id: string }, options: WriteOptions = {}): Promise<WriteResult<T>> {
    return this.#put(document, options, (prepared) => ({ type: 'upsert', document: prepared, ifMatch: options.ifMatch }));
  }

  replace(document: T & { readonly id: string }, options: WriteOptions = {}): Promise<WriteResult<T>> {
    return this.#put(document, options, (prepared) => ({ type: 'replace', document: prepared, ifMatch: options.ifMatch }));
  }

  patch(
    id: string,
    partitionKey: PartitionKeyInput,
    operations: readonly PatchOperation[],
    options: PatchOptions = {},
  ): Promise<WriteResult<T>> {
    return this.calls.runFor(
      options.signal,
      () => {
        const operation = this.prepareOperation(
          { type: 'patch', id, operations, condition: options.condition, ifMatch: options.ifMatch },
          this.prepareKey(id, partitionKey),
        );
        return this._write(operation as WriteOperation, options);
      },
      toWriteResult,
    );
  }

  delete(id: string, partitionKey: PartitionKeyInput, options: WriteOptions = {}): Promise<DeleteResult> {
    return this.calls.runFor(
      options.signal,
      () => this._write({ type: 'delete', key: this.prepareKey(id, partitionKey), ifMatch: options.ifMatch }, options),
      toDeleteResult,
    );
  }

  batch(partitionKey: PartitionKeyInput, operations: readonly BatchOperation<T>[], options: CallOptions = {}): Promise<BatchResult<T>> {
    return this.calls.run(options.signal, async () => {
      const components = normalizePartitionKey(partitionKey, this.partitionKeyPaths.length);
      const key = { partitionKey: components, partitionKeyText: partitionKeyText(components) };
      if (!Array.isArray(operations) || operations.length === 0 || operations.length > STORE_LIMITS.batchOperations) {
        throw new PerigeeError('BAD_REQUEST', `A batch has 1 to ${STORE_LIMITS.batchOperations} operations.`);
      }
      const prepared: StoreOperation[] = [];
      for (const operation of operations as readonly BatchOperation<T>[]) {
        prepared.push(await this.#prepareInBatch(operation, key));
      }
      checkBatchSize(prepared);
      return this._batch(key, prepared, options);
    });
  }

  bulk(operations: readonly BulkOperation<T>[], options: CallOptions = {}): Promise<BulkResult<T>> {
    return this.calls.run(options.signal, async () => {
      const items: BulkItem[] = [];
      for (const [index, operation] of operations.entries()) {
        if (index > 0 && index % this.bulkCheckedAtOnce === 0) {
          await this.runtime.yieldTask();
        }
        try {
          items.push(
            'document' in operation && this.#schema === undefined
              ? this.#prepareDocumentOperation(operation, prepareDocument(operation.document, this.partitionKeyPaths))
              : await this.#prepareAny(operation, undefined),
          );
        } catch (error) {
          if (!isPerigeeError(error)) {
            throw error;
          }
          items.push(error);
        }
      }
      return this._bulk(items, options);
    });
  }

  query<R = StoredDocument<T>>(query: QueryInput, options: QueryOptions = {}): QueryResult<R> {
    let request: QueryRequest | undefined;
    return new PagedQuery<R>(options.continuation, (continuation) =>
      this.calls.run(options.signal, async () => {
        const asked = (request ??= this.#queryRequest(query, options));
        // Most queries have one page, and a hash of what a continuation is bound to takes as long as a short one.
        const binding = (): string => continuationBinding(this.continuationSource, { ...asked, issuedFor: undefined });
        // What was issued for a wider range says so once; the pages that follow are of this one.
        const before = (): string =>
          continuation === options.continuation ? continuationBinding(this.continuationSource, asked) : binding();
        const page = await this._queryPage(
          continuation === undefined ? asked : { ...asked, continuation: unbindContinuation(before(), continuation) },
        );
        return (
          page.continuation === undefined ? page : { ...page, continuation: bindContinuation(binding(), page.continuation) }
        ) as QueryPage<R>;
      }),
    );
  }

  changes(options: ChangesOptions = {}): ChangeFeed<T> {
    const mode = options.mode ?? 'latest';
    return new PagedChanges<T>(options.from ?? 'beginning', (from) =>
      this.calls.run(options.signal, async () => {
        if (mode === 'all' && !this.capabilities.allVersionsFeed) {
          throw this.notSupported('allVersionsFeed');
        }
        const scope = requestScope(options, this.partitionKeyPaths.length);
        // What was issued for a wider range says so once; the pages that follow are of this one.
        return this._changesPage({
          from,
          mode,
          ...scope,
          issuedFor: from === options.from ? scope.issuedFor : undefined,
          signal: options.signal,
        });
      }),
    );
  }

  watch<R = StoredDocument<T>>(query: QueryInput, options: WatchOptions = {}): AsyncIterable<readonly R[]> {
    return watchQuery<R>({
      runtime: this.runtime,
      signal: options.signal,
      pollIntervalMs: options.pollIntervalMs ?? 1000,
      read: () => this.query<R>(query, { partitionKey: options.partitionKey, session: options.session, signal: options.signal }).toArray(),
      subscribe: (listener) => {
        const unsubscribe = this._subscribe(listener);
        const forget = this.onClosed(listener);
        return () => {
          unsubscribe?.();
          forget();
        };
      },
      closed: () => this.calls.closed,
    });
  }

  explain(query: QueryInput, options: ExplainOptions = {}): Promise<QueryExplanation> {
    return this.calls.run(options.signal, async () => {
      const analyze = options.analyze === true;
      if (analyze && !this.capabilities.measuredPlans) {
        throw this.notSupported('measuredPlans');
      }
      const request = this.#queryRequest(query, options);
      const binding = continuationBinding(this.continuationSource, request);
      return this._explain({ ...request, analyze, continuation: unbindContinuation(binding, request.continuation) });
    });
  }

  transact<R>(
    partitionKey: PartitionKeyInput,
    work: (transaction: StoreTransaction<T>) => Promise<R>,
    options: CallOptions = {},
  ): Promise<R> {
    return this.calls.run(options.signal, async () => {
      if (!this.capabilities.transact) {
        throw this.notSupported('transact');
      }
      const components = normalizePartitionKey(partitionKey, this.partitionKeyPaths.length);
      return this._transact({ partitionKey: components, partitionKeyText: partitionKeyText(components) }, work, options);
    });
  }

  flush(): Promise<void> {
    return this.calls.run(undefined, () => this._flush());
  }

  close(): Promise<void> {
    return this.calls.close(async () => {
      // A turn for those who wait for the calls under way: their results arrive before the close does.
      await this.runtime.yieldTask();
      try {
        await this._close();
      } finally {
        this.#closed.emit('closed', undefined);
      }
    });
  }

  /** Calls `listener` once the store has closed, so that the backend that opened it forgets it. */
  onClosed(listener: () => void): Unsubscribe {
    return this.#closed.on('closed', listener);
  }

  /**
   * Ends long work soon after the store has begun to close; called between two pieces of it. Short work still has its time, so that what was under
   * way succeeds. @throws CLOSED
   */
  protected leaveWhenClosing(): void {
    if (this.calls.closed) {
      const nowMs = this.runtime.monotonicMs();
      this.#closingSinceMs ??= nowMs;
      if (nowMs - this.#closingSinceMs > CLOSE_GRACE_MS) {
        this.calls.assertOpen();
      }
    }
  }

  /** Checks an id and a partition key. */
  protected prepareKey(id: string, partitionKey: PartitionKeyInput): PreparedKey {
    const components = normalizePartitionKey(partitionKey, this.partitionKeyPaths.length);
    return { id: checkDocumentId(id), partitionKey: components, partitionKeyText: partitionKeyText(components) };
  }

  /** Checks an operation that has no document of its own; for those with one see {@link prepareDocument}. */
  protected prepareOperation(operation: Exclude<BatchOperation<T>, { readonly document: unknown }>, key: PreparedKey): StoreOperation {
    switch (operation.type) {
      case 'read':
        return { type: 'read', key, ifNoneMatch: operation.ifNoneMatch };
      case 'delete':
        return { type: 'delete', key, ifMatch: operation.ifMatch };
      case 'patch':
        return {
          type: 'patch',
          key,
          operations: checkPatch(operation.operations, this.partitionKeyPaths, this.capabilities.patchMove),
          condition: operation.condition,
          ifMatch: operation.ifMatch,
        };
      default:
        throw new PerigeeError('BAD_REQUEST', `Unknown operation type ${JSON.stringify((operation as { type?: unknown }).type)}.`);
    }
  }

  #prepareDocumentOperation(
    operation: Extract<BatchOperation<T>, { readonly document: unknown }>,
    document: PreparedDocument,
  ): WriteOperation {
    return operation.type === 'create' ? { type: 'create', document } : { type: operation.type, document, ifMatch: operation.ifMatch };
  }

  async #prepareAny(
    operation: BatchOperation<T> | BulkOperation<T>,
    batchKey: Omit<PreparedKey, 'id'> | undefined,
  ): Promise<StoreOperation> {
    if ('document' in operation) {
      await this.#validate(operation.document);
      return this.#prepareDocumentOperation(operation, prepareDocument(operation.document, this.partitionKeyPaths));
    }
    const key =
      'partitionKey' in operation
        ? this.prepareKey(operation.id, operation.partitionKey)
        : { ...(batchKey as Omit<PreparedKey, 'id'>), id: checkDocumentId(operation.id) };
    return this.prepareOperation(operation, key);
  }

  /** Checks an operation that shares the partition key of others. */
  async #prepareInBatch(operation: BatchOperation<T>, key: Omit<PreparedKey, 'id'>): Promise<StoreOperation> {
    const prepared = await this.#prepareAny(operation, key);
    if (keyOf(prepared).partitionKeyText !== key.partitionKeyText) {
      throw new PerigeeError(
        'PARTITION_KEY_MISMATCH',
        'One or more operations within the batch request have a different partition key value than the request.',
      );
    }
    return prepared;
  }

  #put(document: T, options: CallOptions, build: (prepared: PreparedDocument) => WriteOperation): Promise<WriteResult<T>> {
    const write = (): Promise<WriteOutcome<T>> => this._write(build(prepareDocument(document, this.partitionKeyPaths)), options);
    return this.calls.runFor(
      options.signal,
      this.#schema === undefined ? write : () => this.#validate(document).then(write),
      toWriteResult,
    );
  }

  async #validate(document: unknown): Promise<void> {
    const result = await this.#schema?.['~standard'].validate(document);
    if (result?.issues !== undefined && result.issues.length > 0) {
      const issues = result.issues.map(({ message, path }) => ({ message, path: path ?? [] }));
      throw new PerigeeError('VALIDATION_FAILED', `The document does not satisfy the schema of the store: ${issues.length} issue(s).`, {
        details: { issues },
      });
    }
  }

  #queryRequest(query: QueryInput, options: QueryOptions): QueryRequest {
    if (options.userDefinedFunctions !== undefined && !this.capabilities.userDefinedFunctions) {
      throw this.notSupported('userDefinedFunctions');
    }
    return queryRequest(query, options, this.partitionKeyPaths.length);
  }
}
