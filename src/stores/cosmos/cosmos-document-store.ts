import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { BaseDocumentStore, type BulkItem } from '../../store/base-document-store.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import type { ChangePage } from '../../store/changes.ts';
import type { WriteOutcome } from '../../store/hooked-transaction.ts';
import type { BatchResult, BulkResult, CallOptions, ReadManyResult, ReadOptions, ReadResult } from '../../store/operations.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { QueryExplanation } from '../../store/query-explanation.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { ChangesRequest, QueryRequest } from '../../store/store-hooks.ts';
import type { PreparedKey, StoreOperation, WriteOperation } from '../../store/write-rules.ts';
import { runBatch } from './batch-requests.ts';
import { BulkRun } from './bulk-requests.ts';
import { ChangePager } from './change-pages.ts';
import type { ContainerLink } from './container-link.ts';
import type { ClientHandle } from './cosmos-client.ts';
import { readDocument, writeDocument } from './document-requests.ts';
import { explainQuery } from './explain-query.ts';
import { withOwnSignal } from './own-signal.ts';
import { QueryPager } from './query-pages.ts';
import { readManyDocuments } from './read-many.ts';

/** What a {@link CosmosDocumentStore} needs of its backend. */
export interface CosmosStoreContext {
  readonly handle: ClientHandle;
  /** Whether the store disposes of the client. */
  readonly ownsClient: boolean;
  readonly capabilities: StoreCapabilities;
  readonly maxConcurrency: number;
  readonly runtime: Runtime;
}

/** One container of a Cosmos DB account, over the official SDK. */
export class CosmosDocumentStore<T extends object = JsonObject> extends BaseDocumentStore<T> {
  readonly capabilities: StoreCapabilities;
  readonly #context: CosmosStoreContext;
  readonly #link: ContainerLink;
  readonly #queries: QueryPager;
  readonly #changes: ChangePager;

  constructor(link: ContainerLink, context: CosmosStoreContext, schema: StandardSchemaLike | undefined) {
    super(link.info, context.runtime, schema);
    this.capabilities = context.capabilities;
    this.#context = context;
    this.#link = link;
    this.#queries = new QueryPager(link, context.runtime);
    this.#changes = new ChangePager(link);
  }

  /** Forgets the tokens of the backend, so that the next call fetches one. Does nothing where there is a key. */
  invalidateCredentials(): void {
    this.#context.handle.credentials?.invalidate();
  }

  protected _read(key: PreparedKey, options: ReadOptions): Promise<ReadResult<T> | undefined> {
    return readDocument<T>(this.#link, key, options);
  }

  protected override _readMany(keys: readonly PreparedKey[], options: CallOptions): Promise<ReadManyResult<T>> {
    return withOwnSignal(options, (own) => readManyDocuments<T>(this.#link, this.#queries, keys, own, this.#context.maxConcurrency));
  }

  protected _write(operation: WriteOperation, options: CallOptions): Promise<WriteOutcome<T>> {
    return writeDocument<T>(this.#link, operation, options);
  }

  protected _batch(key: Omit<PreparedKey, 'id'>, operations: readonly StoreOperation[], options: CallOptions): Promise<BatchResult<T>> {
    return runBatch<T>(this.#link, key, operations, options);
  }

  protected _bulk(items: readonly BulkItem[], options: CallOptions): Promise<BulkResult<T>> {
    return withOwnSignal(options, (own) => new BulkRun<T>(this.#link, items, own).run(items, this.#context.maxConcurrency));
  }

  protected async _queryPage(request: QueryRequest): Promise<QueryPage<unknown>> {
    const { items, continuation, documentsScanned, requestUnits, session } = await this.#queries.readPage(request);
    return { items, continuation, documentsScanned, requestUnits, session };
  }

  protected _explain(request: QueryRequest): Promise<QueryExplanation> {
    return explainQuery(this.#queries, request);
  }

  protected _changesPage(request: ChangesRequest): Promise<ChangePage<T>> {
    return this.#changes.readPage<T>(request);
  }

  protected _close(): Promise<void> {
    this.#queries.close();
    if (this.#context.ownsClient) {
      this.#context.handle.dispose();
    }
    return Promise.resolve();
  }
}
