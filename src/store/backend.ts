import type { JsonObject } from '../core/json.ts';
import type { Runtime } from '../core/runtime.ts';
import type { StoreCapabilities } from './capabilities.ts';
import type { ContainerWriteOptions } from './container-etag.ts';
import type { ContainerDefinition, ContainerInput } from './container-definition.ts';
import type { DocumentStore } from './document-store.ts';
import type { RestoreOptions, SnapshotOptions, SnapshotRecord, SnapshotSummary } from './snapshot/snapshot-record.ts';
import type { StandardSchemaLike } from './standard-schema.ts';

/** A database as it is read. */
export interface DatabaseInfo {
  readonly id: string;
  /** Resource id of 4 bytes in base64. */
  readonly rid: string;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly ts: number;
}

/** A container as it is read. */
export interface ContainerInfo {
  readonly databaseId: string;
  /** Resource id of 8 bytes in base64. */
  readonly rid: string;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly ts: number;
  readonly definition: ContainerDefinition;
}

/** How a container is opened. */
export interface OpenContainerOptions {
  /** A Standard Schema that every document of `create`, `upsert`, `replace` (alone, in a batch, in bulk) must satisfy; VALIDATION_FAILED otherwise. Patches and reads are not checked. */
  readonly schema?: StandardSchemaLike | undefined;
}

/** A system document of the catalog: users, permissions, scripts, offers, keys. `scope` is its partition key. */
export interface CatalogDocument {
  readonly id: string;
  readonly scope: string;
  readonly [key: string]: unknown;
}

/**
 * A place that holds databases, which hold containers, and a catalog of system documents.
 *
 * Names of databases and containers are case-sensitive. Deleting a database deletes its containers; deleting a container deletes its documents.
 * A missing database or container raises NOT_FOUND, an existing one CONFLICT. Physical names are generated, never taken from users' names.
 */
export interface Backend {
  /** Short name for people: `memory`, `sqlite`, `cosmos`. Programs read {@link capabilities}. */
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly runtime: Runtime;

  createDatabase(id: string): Promise<DatabaseInfo>;
  readDatabase(id: string): Promise<DatabaseInfo | undefined>;
  /** In creation order. */
  listDatabases(): Promise<readonly DatabaseInfo[]>;
  deleteDatabase(id: string): Promise<void>;

  createContainer(databaseId: string, input: ContainerInput): Promise<ContainerInfo>;
  readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined>;
  /** In creation order. */
  listContainers(databaseId: string): Promise<readonly ContainerInfo[]>;
  /** Id, partition key and unique keys must stay. Of two who name the same etag, one succeeds. */
  replaceContainer(databaseId: string, input: ContainerInput, options?: ContainerWriteOptions): Promise<ContainerInfo>;
  deleteContainer(databaseId: string, id: string, options?: ContainerWriteOptions): Promise<void>;

  /**
   * How far the indexes are that the policy of a container asks for, in whole percent: 100 where all of them serve queries. One that cannot be made keeps it
   * below.
   *
   * @throws NOT_SUPPORTED, NOT_FOUND
   */
  indexProgress(databaseId: string, id: string): Promise<number>;

  /** Opens a container. The store belongs to the caller, who closes it; closing the backend closes it too. */
  container<T extends object = JsonObject>(databaseId: string, id: string, options?: OpenContainerOptions): Promise<DocumentStore<T>>;
  /** The catalog. @throws NOT_SUPPORTED */
  catalog(): Promise<DocumentStore<CatalogDocument>>;

  /**
   * Everything that the backend holds, as records: databases, containers, documents, recorded versions and the catalog, streamed.
   *
   * Each container is as it was at one point of its commit order. On one backend that point is the same for all containers: a write that had resolved
   * before the first record was asked for is in it. Memory is bounded, but that of a backend in memory, which holds on to the versions of that point.
   *
   * @throws NOT_SUPPORTED; with `asOfMs` OUTSIDE_RETENTION, which names the containers in `details.containers`, and INVALID_OPTION
   *
   * @example
   * ```ts
   * import { openMemoryBackend } from 'perigee/memory';
   *
   * const backend = openMemoryBackend();
   * await backend.createDatabase('shop');
   * await backend.createContainer('shop', { id: 'orders', partitionKey: '/customer' });
   * const fixture = [];
   * for await (const record of backend.snapshot()) {
   *   fixture.push(record);
   * }
   * await (await backend.container('shop', 'orders')).create({ id: '17', customer: 'ada' });
   * await backend.restore(fixture, { replace: true });
   * console.log(await (await backend.container('shop', 'orders')).read('17', 'ada')); // -> undefined
   * await backend.close();
   * ```
   */
  snapshot(options?: SnapshotOptions): AsyncIterable<SnapshotRecord>;
  /**
   * Restores a snapshot, all of it or nothing, into an empty backend, or in place of everything with `replace`.
   *
   * Ids, resource ids, definitions, property order, `_ts`, etags and creation order are as they were, and a document has as much of its life left as
   * when the snapshot was taken. Stores that are open on what was there answer NOT_FOUND, the catalog's too. Positions go on above all that were ever
   * given, and cursors and continuations from before are refused.
   *
   * @throws NOT_SUPPORTED, INVALID_SNAPSHOT, CONFLICT when the backend is not empty; SYNC_SCOPE when a container there is journaled
   */
  restore(records: AsyncIterable<SnapshotRecord> | Iterable<SnapshotRecord>, options?: RestoreOptions): Promise<SnapshotSummary>;

  /** As {@link DocumentStore.flush}, for all containers. */
  flush(): Promise<void>;
  /** Closes all stores and frees what the backend holds. Later calls raise CLOSED. Closing twice is allowed. */
  close(): Promise<void>;
}
