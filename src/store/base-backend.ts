import { PerigeeError, throwIfAborted } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Backend, CatalogDocument, ContainerInfo, DatabaseInfo, OpenContainerOptions } from './backend.ts';
import type { BaseDocumentStore } from './base-document-store.ts';
import { CallTracker } from './call-tracker.ts';
import type { CapabilityName, StoreCapabilities } from './capabilities.ts';
import { checkContainerEtag, type ContainerWriteOptions } from './container-etag.ts';
import { checkReplacement, defineContainer, type ContainerDefinition, type ContainerInput } from './container-definition.ts';
import type { DocumentStore } from './document-store.ts';
import { checkResourceName } from './ids.ts';
import {
  checkSnapshotOptions,
  completeSnapshot,
  SnapshotLoader,
  type RestoreRequest,
  type SnapshotBody,
  type SnapshotRequest,
} from './snapshot/backend-snapshots.ts';
import type { RestoreOptions, SnapshotOptions, SnapshotRecord, SnapshotSummary } from './snapshot/snapshot-record.ts';
import type { StandardSchemaLike } from './standard-schema.ts';

/** Why a hook of {@link BaseBackend} did nothing: the database it was told of is missing, or something with the id exists. */
export type CreateRefusal = 'no-database' | 'exists';

/**
 * Checks every call of a backend once and leaves the work to hooks; it also knows the stores that it opened, and closes them with itself.
 *
 * Names and definitions that reach a hook are checked and normalised. A hook says "missing" or "exists" by what it returns, as each of them
 * documents, and the base raises the error; each hook decides and acts atomically, for another process may do the same at the same time.
 */
export abstract class BaseBackend implements Backend {
  abstract readonly name: string;
  abstract readonly capabilities: StoreCapabilities;
  readonly runtime: Runtime;
  /** Calls under way on the backend itself; its stores count their own. */
  protected readonly calls: CallTracker;
  readonly #stores = new Set<{ close(): Promise<void> }>();

  constructor(runtime: Runtime, what = 'backend') {
    this.runtime = runtime;
    this.calls = new CallTracker(what);
  }

  protected abstract _createDatabase(id: string): Promise<DatabaseInfo | 'exists'>;
  protected abstract _readDatabase(id: string): Promise<DatabaseInfo | undefined>;
  protected abstract _listDatabases(): Promise<readonly DatabaseInfo[]>;
  /** Deletes the database with all it holds; `false` when there is none. */
  protected abstract _deleteDatabase(id: string): Promise<boolean>;

  protected abstract _createContainer(databaseId: string, definition: ContainerDefinition): Promise<ContainerInfo | CreateRefusal>;
  /** `undefined` when the container or its database is missing. */
  protected abstract _readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined>;
  /** `undefined` when the database is missing. */
  protected abstract _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined>;
  /**
   * Replaces the definition of `current`; `undefined` when it is gone by now.
   *
   * @throws PRECONDITION_FAILED where the container does not have the etag `ifMatch` when it is written: {@link checkContainerEtag}
   */
  protected abstract _replaceContainer(
    current: ContainerInfo,
    definition: ContainerDefinition,
    ifMatch: string | undefined,
  ): Promise<ContainerInfo | undefined>;
  /** Deletes the container with its documents; `false` when there is none. @throws PRECONDITION_FAILED as {@link _replaceContainer} */
  protected abstract _deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean>;

  /** Opens a store on a container that was there a moment ago; `undefined` when it is gone by now. */
  protected abstract _container<T extends object>(
    container: ContainerInfo,
    schema: StandardSchemaLike | undefined,
  ): Promise<BaseDocumentStore<T> | undefined>;

  /** Progress of the container's indexes in percent, `undefined` when the container is missing; override where `capabilities.indexProgress` is true. */
  protected _indexProgress(_databaseId: string, _id: string): Promise<number | undefined> {
    return Promise.reject(this.notSupported('indexProgress'));
  }

  /** Frees what the backend holds; called once, after all stores have closed. */
  protected abstract _close(): Promise<void>;

  /** Checks what the backend's own query engine makes of a definition, before it is created or replaces `_current`; override where there is one. */
  protected _checkDefinition(_definition: ContainerDefinition, _current?: ContainerDefinition): void {}

  /** Called before {@link _checkDefinition}, which cannot wait; override to load what it works with. */
  protected _loadRules(): Promise<void> {
    return Promise.resolve();
  }

  /** Override where `capabilities.catalog` is true. */
  protected _catalog(): Promise<BaseDocumentStore<CatalogDocument>> {
    return Promise.reject(this.notSupported('catalog'));
  }

  /** Override where writes are not durable against a loss of power by themselves. */
  protected _flush(): Promise<void> {
    return Promise.resolve();
  }

  /** Gives everything without the last record, in pieces; override where `capabilities.snapshots` is true. Reads when iterated, ends when left. */
  protected _snapshot(_request: SnapshotRequest): AsyncIterable<Iterable<SnapshotBody>> {
    throw this.notSupported('snapshots');
  }

  /** Takes a snapshot, all of it or nothing; override where `capabilities.snapshots` is true. @throws CONFLICT when the backend is not empty */
  protected _restore(_request: RestoreRequest): Promise<void> {
    return Promise.reject(this.notSupported('snapshots'));
  }

  /** The refusal of an operation that needs an absent capability. */
  protected notSupported(capability: CapabilityName): PerigeeError {
    return new PerigeeError('NOT_SUPPORTED', `The ${this.name} backend lacks the capability ${capability}.`, { details: { capability } });
  }

  createDatabase(id: string): Promise<DatabaseInfo> {
    return this.#manage(async () => {
      const result = await this._createDatabase(checkResourceName(id));
      if (result === 'exists') {
        throw new PerigeeError('CONFLICT', `Cannot create the database ${JSON.stringify(id)}: one with this id exists.`);
      }
      return result;
    });
  }

  readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    return this.calls.run(undefined, () => this._readDatabase(checkResourceName(id)));
  }

  listDatabases(): Promise<readonly DatabaseInfo[]> {
    return this.calls.run(undefined, () => this._listDatabases());
  }

  deleteDatabase(id: string): Promise<void> {
    return this.#manage(async () => {
      if (!(await this._deleteDatabase(checkResourceName(id)))) {
        throw databaseMissing('delete', id);
      }
    });
  }

  createContainer(databaseId: string, input: ContainerInput): Promise<ContainerInfo> {
    return this.#manage(async () => {
      checkResourceName(databaseId);
      const definition = defineContainer(input);
      await this._loadRules();
      this._checkDefinition(definition);
      const result = await this._createContainer(databaseId, definition);
      if (result === 'no-database') {
        throw databaseMissing(`create the container ${JSON.stringify(definition.id)} in`, databaseId);
      }
      if (result === 'exists') {
        throw new PerigeeError('CONFLICT', `Cannot create the container ${JSON.stringify(definition.id)}: one with this id exists.`);
      }
      return result;
    });
  }

  readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined> {
    return this.calls.run(undefined, () => this._readContainer(checkResourceName(databaseId), checkResourceName(id)));
  }

  listContainers(databaseId: string): Promise<readonly ContainerInfo[]> {
    return this.calls.run(undefined, async () => {
      const result = await this._listContainers(checkResourceName(databaseId));
      if (result === undefined) {
        throw databaseMissing('list the containers of', databaseId);
      }
      return result;
    });
  }

  replaceContainer(databaseId: string, input: ContainerInput, { ifMatch }: ContainerWriteOptions = {}): Promise<ContainerInfo> {
    return this.#manage(async () => {
      checkResourceName(databaseId);
      const definition = defineContainer(input);
      await this._loadRules();
      const current = await this._readContainer(databaseId, definition.id);
      if (current === undefined) {
        throw containerMissing('replace', databaseId, definition.id);
      }
      checkContainerEtag(definition.id, current.etag, ifMatch);
      checkReplacement(current.definition, definition);
      this._checkDefinition(definition, current.definition);
      const result = await this._replaceContainer(current, definition, ifMatch);
      if (result === undefined) {
        throw containerMissing('replace', databaseId, definition.id);
      }
      return result;
    });
  }

  deleteContainer(databaseId: string, id: string, { ifMatch }: ContainerWriteOptions = {}): Promise<void> {
    return this.#manage(async () => {
      if (!(await this._deleteContainer(checkResourceName(databaseId), checkResourceName(id), ifMatch))) {
        throw containerMissing('delete', databaseId, id);
      }
    });
  }

  indexProgress(databaseId: string, id: string): Promise<number> {
    return this.calls.run(undefined, async () => {
      const percent = await this._indexProgress(checkResourceName(databaseId), checkResourceName(id));
      if (percent === undefined) {
        throw containerMissing('tell the progress of the indexes of', databaseId, id);
      }
      return percent;
    });
  }

  container<T extends object = JsonObject>(databaseId: string, id: string, options: OpenContainerOptions = {}): Promise<DocumentStore<T>> {
    return this.calls.run(undefined, async () => {
      const info = await this._readContainer(checkResourceName(databaseId), checkResourceName(id));
      const store = info === undefined ? undefined : await this._container<T>(info, options.schema);
      if (store === undefined) {
        throw containerMissing('open', databaseId, id);
      }
      return this.track(store);
    });
  }

  catalog(): Promise<DocumentStore<CatalogDocument>> {
    return this.calls.run(undefined, async () => {
      if (!this.capabilities.catalog) {
        throw this.notSupported('catalog');
      }
      return this.track(await this._catalog());
    });
  }

  snapshot(options: SnapshotOptions = {}): AsyncGenerator<SnapshotRecord> {
    return completeSnapshot(this.#snapshotPieces(options), options, () => this.calls.assertOpen());
  }

  async *#snapshotPieces(options: SnapshotOptions): AsyncGenerator<Iterable<SnapshotBody>> {
    this.calls.assertOpen();
    throwIfAborted(options.signal);
    if (!this.capabilities.snapshots) {
      throw this.notSupported('snapshots');
    }
    yield* this._snapshot(checkSnapshotOptions(options, this.runtime));
  }

  restore(records: AsyncIterable<SnapshotRecord> | Iterable<SnapshotRecord>, options: RestoreOptions = {}): Promise<SnapshotSummary> {
    return this.calls.run(options.signal, async () => {
      if (!this.capabilities.snapshots) {
        throw this.notSupported('snapshots');
      }
      await this._loadRules();
      const loader = new SnapshotLoader(records, options, this.runtime, (definition) => this._checkDefinition(definition));
      await this._restore({ replace: options.replace === true, signal: options.signal, load: (sink) => loader.load(sink) });
      return loader.summary;
    });
  }

  flush(): Promise<void> {
    return this.calls.run(undefined, () => this._flush());
  }

  close(): Promise<void> {
    return this.calls.close(async () => {
      const results = await Promise.allSettled(Array.from(this.#stores, (store) => store.close()));
      await this._close();
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) {
        throw failed.reason;
      }
    });
  }

  #manage<R>(work: () => Promise<R>): Promise<R> {
    return this.calls.run(undefined, () => {
      if (!this.capabilities.manageContainers) {
        throw this.notSupported('manageContainers');
      }
      return work();
    });
  }

  /** Takes a store that a hook did not give under the care of the backend, which closes it with itself. */
  protected track<S extends { close(): Promise<void>; onClosed(listener: () => void): unknown }>(store: S): S {
    this.#stores.add(store);
    store.onClosed(() => this.#stores.delete(store));
    return store;
  }
}

function databaseMissing(attempt: string, id: string): PerigeeError {
  return new PerigeeError('NOT_FOUND', `Cannot ${attempt} the database ${JSON.stringify(id)}: there is none. Create it first.`);
}

function containerMissing(attempt: string, databaseId: string, id: string): PerigeeError {
  const where = `the container ${JSON.stringify(id)} of the database ${JSON.stringify(databaseId)}`;
  return new PerigeeError('NOT_FOUND', `Cannot ${attempt} ${where}: there is none. Create it first.`);
}
