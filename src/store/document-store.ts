import type { JsonObject } from '../core/json.ts';
import type { StoreCapabilities } from './capabilities.ts';
import type { ChangeFeed, ChangesOptions } from './changes.ts';
import type { ContainerDefinition } from './container-definition.ts';
import type { StoredDocument } from './document.ts';
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
import type { PartitionKeyInput } from './partition-key.ts';
import type { ExplainOptions, QueryInput, QueryOptions, QueryPage, QueryResult, WatchOptions } from './queries.ts';
import type { QueryExplanation } from './query-explanation.ts';

/** How {@link StoreTransaction.queryPage} runs: the partition key is the transaction's. */
export type TransactionQueryOptions = Pick<QueryOptions, 'maxItemCount' | 'continuation' | 'userDefinedFunctions'>;

/** Read and write within {@link DocumentStore.transact}: everything sees the transaction's own writes. */
export interface StoreTransaction<T extends object = JsonObject> {
  read(id: string): Promise<ReadResult<T> | undefined>;
  query<R = StoredDocument<T>>(query: QueryInput): Promise<R[]>;
  /**
   * One page of a query. Its continuation goes on in this transaction, in another one, and outside any, on the same partition key; what was
   * written in between counts.
   */
  queryPage<R = StoredDocument<T>>(query: QueryInput, options?: TransactionQueryOptions): Promise<QueryPage<R>>;
  create(document: T & { readonly id: string }): Promise<WriteResult<T>>;
  upsert(document: T & { readonly id: string }, options?: { readonly ifMatch?: string | undefined }): Promise<WriteResult<T>>;
  replace(document: T & { readonly id: string }, options?: { readonly ifMatch?: string | undefined }): Promise<WriteResult<T>>;
  patch(
    id: string,
    operations: readonly PatchOperation[],
    options?: { readonly ifMatch?: string | undefined; readonly condition?: string | undefined },
  ): Promise<WriteResult<T>>;
  delete(id: string, options?: { readonly ifMatch?: string | undefined }): Promise<DeleteResult>;
}

/**
 * One container of documents: the same members, meaning and errors on every backend.
 *
 * The key of a document is (partition key, id). What was written is what is read. A write that has resolved is durable as far as
 * `capabilities.durability` says; of two writers with the same `ifMatch` exactly one succeeds. A missing or expired document is `undefined`
 * from {@link read} and raises NOT_FOUND from `replace`, `patch` and `delete`. Every call takes an `AbortSignal`.
 *
 * Codes that any call may raise: those of `category` connection, timeout, throttle and auth, BAD_REQUEST, CLOSED, and the signal's reason.
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 *
 * const backend = openMemoryBackend();
 * await backend.createDatabase('app');
 * await backend.createContainer('app', { id: 'todos', partitionKey: '/owner' });
 * const todos = await backend.container<{ id: string; owner: string; text: string }>('app', 'todos');
 *
 * await todos.create({ id: '1', owner: 'ada', text: 'write the first program' });
 * const found = await todos.read('1', 'ada');
 * console.log(found?.document.text); // -> write the first program
 * console.log(await todos.query('SELECT VALUE c.text FROM c WHERE c.owner = "ada"').toArray()); // -> [ 'write the first program' ]
 * await backend.close();
 * ```
 */
export interface DocumentStore<T extends object = JsonObject> {
  readonly databaseId: string;
  readonly definition: ContainerDefinition;
  /** Resource id of the container, of 8 bytes in base64. */
  readonly rid: string;
  readonly capabilities: StoreCapabilities;

  /** The document, or `undefined` when there is none. @throws NOT_MODIFIED */
  read(id: string, partitionKey: PartitionKeyInput, options?: ReadOptions): Promise<ReadResult<T> | undefined>;
  /** The documents of many keys, in the order of the keys. */
  readMany(keys: readonly DocumentKey[], options?: CallOptions): Promise<ReadManyResult<T>>;
  /** Creates the document and nothing else. @throws CONFLICT when the id or a unique key is taken */
  create(document: T & { readonly id: string }, options?: CallOptions): Promise<WriteResult<T>>;
  /** Creates or replaces. With `ifMatch` it only replaces a document with that etag; a missing document is created all the same. @throws CONFLICT, PRECONDITION_FAILED */
  upsert(document: T & { readonly id: string }, options?: WriteOptions): Promise<WriteResult<T>>;
  /** Replaces the whole document. @throws NOT_FOUND, PRECONDITION_FAILED, CONFLICT (unique key) */
  replace(document: T & { readonly id: string }, options?: WriteOptions): Promise<WriteResult<T>>;
  /** Applies one to ten operations, all or none. @throws NOT_FOUND, PRECONDITION_FAILED, INVALID_PATCH, CONFLICT (unique key) */
  patch(
    id: string,
    partitionKey: PartitionKeyInput,
    operations: readonly PatchOperation[],
    options?: PatchOptions,
  ): Promise<WriteResult<T>>;
  /** @throws NOT_FOUND, PRECONDITION_FAILED */
  delete(id: string, partitionKey: PartitionKeyInput, options?: WriteOptions): Promise<DeleteResult>;
  /** Up to 100 operations and 2 MB on one partition key, all or none. Resolves also when it did not commit: see {@link BatchResult}. */
  batch(partitionKey: PartitionKeyInput, operations: readonly BatchOperation<T>[], options?: CallOptions): Promise<BatchResult<T>>;
  /**
   * Any number of operations on any partition keys; each stands alone and has an outcome in the order given. Documents are read while the call runs: leave
   * them as they are until it resolves.
   */
  bulk(operations: readonly BulkOperation<T>[], options?: CallOptions): Promise<BulkResult<T>>;
  /** Runs a query. Nothing is read before the first page is asked for. @throws QUERY_SYNTAX, QUERY_INVALID, QUERY_NOT_SUPPORTED, QUERY_LIMIT, QUERY_FAILED, INVALID_CONTINUATION from the first page on */
  query<R = StoredDocument<T>>(query: QueryInput, options?: QueryOptions): QueryResult<R>;
  /** The change feed. @throws INVALID_CONTINUATION, and in mode `all` NOT_SUPPORTED and OUTSIDE_RETENTION, from the first page on */
  changes(options?: ChangesOptions): ChangeFeed<T>;
  /** The items of a query, again whenever they differ, until the signal aborts or the iteration is left. */
  watch<R = StoredDocument<T>>(query: QueryInput, options?: WatchOptions): AsyncIterable<readonly R[]>;
  /** How a query runs and what it costs; it is run once, to its end, to find out. @throws NOT_SUPPORTED for `analyze` where no engine measures */
  explain(query: QueryInput, options?: ExplainOptions): Promise<QueryExplanation>;
  /** Runs `work` on one partition key, all or nothing: what it wrote takes effect when it resolves and is undone when it rejects. @throws NOT_SUPPORTED */
  transact<R>(partitionKey: PartitionKeyInput, work: (transaction: StoreTransaction<T>) => Promise<R>, options?: CallOptions): Promise<R>;
  /** Resolves when everything acknowledged so far survives a loss of power, where the medium can. */
  flush(): Promise<void>;
  /** Waits for the calls under way (a query that scans on for long ends with CLOSED instead), then frees what the store holds. Later calls raise CLOSED. Closing twice is allowed. */
  close(): Promise<void>;
}
