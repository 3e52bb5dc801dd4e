import type { JsonObject } from '../core/json.ts';
import type { Runtime } from '../core/runtime.ts';
import type { StoreCapabilities } from './capabilities.ts';
import type { ContainerDefinition, ContainerInput } from './container-definition.ts';
import type { DocumentStore } from './document-store.ts';
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
  /** Id, partition key and unique keys must stay. */
  replaceContainer(databaseId: string, input: ContainerInput): Promise<ContainerInfo>;
  deleteContainer(databaseId: string, id: string): Promise<void>;

  /** Opens a container. The store belongs to the caller, who closes it; closing the backend closes it too. */
  container<T extends object = JsonObject>(databaseId: string, id: string, options?: OpenContainerOptions): Promise<DocumentStore<T>>;
  /** The catalog. @throws NOT_SUPPORTED */
  catalog(): Promise<DocumentStore<CatalogDocument>>;

  /** As {@link DocumentStore.flush}, for all containers. */
  flush(): Promise<void>;
  /** Closes all stores and frees what the backend holds. Later calls raise CLOSED. Closing twice is allowed. */
  close(): Promise<void>;
}
