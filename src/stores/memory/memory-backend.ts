import type { JsonObject } from '../../core/json.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { systemRuntime, toHex, type Runtime } from '../../core/runtime.ts';
import type { ScalarFunction } from '../../query/functions/function-entry.ts';
import { prepareUserFunctions } from '../../query/user-functions.ts';
import type { UserDefinedFunctions } from '../../store/user-functions.ts';
import type { CatalogDocument, ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { BaseBackend, type CreateRefusal } from '../../store/base-backend.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import { defineContainer, type ContainerDefinition } from '../../store/container-definition.ts';
import { checkContainerEtag } from '../../store/container-etag.ts';
import { containerRid, databaseRid } from '../../store/resource-id.ts';
import { notEmpty, type RestoreRequest, type SnapshotBody, type SnapshotRequest } from '../../store/snapshot/backend-snapshots.ts';
import { SNAPSHOT_VERSION, type SnapshotDatabase } from '../../store/snapshot/snapshot-record.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { EtagEra } from '../../store/version-etag.ts';
import { pastOutsideRetention } from '../../store/version-retention.ts';
import { loadedEngine, QUERY_ENGINE } from '../common/query-engine.ts';
import { ResidentContainer } from '../common/resident-container.ts';
import { MEMORY_CAPABILITIES } from './memory-capabilities.ts';
import { MemoryDocumentStore } from './memory-document-store.ts';
import { MemoryRestore } from './memory-restore.ts';
import { canCaptureAsOf, captureAsOf, captureContainer, recordsOf, type CapturedContainer } from './memory-snapshot.ts';

/** Settings of {@link openMemoryBackend}. */
export interface MemoryBackendOptions {
  /** Clock and chance; those of the host unless said otherwise. */
  readonly runtime?: Runtime | undefined;
  /** Takes note of databases and containers that come and go, at level `debug`; silent unless said otherwise. */
  readonly logger?: Logger | undefined;
  /** Functions that queries call as `udf.name(…)`. */
  readonly userDefinedFunctions?: UserDefinedFunctions | undefined;
}

interface MemoryDatabase {
  readonly info: DatabaseInfo;
  readonly containers: Map<string, ResidentContainer>;
  lastContainer: number;
}

/** The ordinal of a database that no user's database reaches: the catalog's container belongs to it. */
const CATALOG_DATABASE = 0xffffffff;

/**
 * Opens a backend that keeps everything in memory: the reference that says what the contract means, and a fast store for tests.
 *
 * Nothing outlives `close()` or the process.
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 *
 * const backend = openMemoryBackend();
 * await backend.createDatabase('shop');
 * await backend.createContainer('shop', { id: 'orders', partitionKey: '/customer' });
 * const orders = await backend.container('shop', 'orders');
 * const { created } = await orders.upsert({ id: '17', customer: 'ada', total: 3 });
 * console.log(created); // -> true
 * await backend.close();
 * ```
 */
export function openMemoryBackend(options: MemoryBackendOptions = {}): MemoryBackend {
  return new MemoryBackend(options);
}

/** Databases and containers in memory; see {@link openMemoryBackend}. */
export class MemoryBackend extends BaseBackend {
  readonly name = 'memory';
  readonly capabilities: StoreCapabilities = MEMORY_CAPABILITIES;
  readonly #logger: Logger;
  #databases = new Map<string, MemoryDatabase>();
  /** Drawn anew for each backend, so that an etag or a cursor of another run is never taken for one of this. */
  readonly #incarnation: string;
  #catalog: ResidentContainer;
  readonly #userFunctions: ReadonlyMap<string, ScalarFunction>;
  #lastDatabase = 0;
  #lastResource = 0;

  constructor(options: MemoryBackendOptions = {}) {
    super(options.runtime ?? systemRuntime, 'memory backend');
    this.#logger = options.logger ?? silentLogger;
    this.#incarnation = toHex(this.runtime.randomBytes(8));
    this.#userFunctions = prepareUserFunctions(options.userDefinedFunctions);
    this.#catalog = this.#newCatalog();
  }

  protected override async _loadRules(): Promise<void> {
    await QUERY_ENGINE.load();
  }

  protected override _checkDefinition(definition: ContainerDefinition, current?: ContainerDefinition): void {
    loadedEngine().checkContainer(definition, current);
  }

  protected async _createDatabase(id: string): Promise<DatabaseInfo | 'exists'> {
    if (this.#databases.has(id)) {
      return 'exists';
    }
    this.#lastDatabase += 1;
    const info: DatabaseInfo = { id, rid: databaseRid(this.#lastDatabase), ...this.#stamp() };
    this.#databases.set(id, { info, containers: new Map(), lastContainer: 0 });
    this.#logger.log('debug', 'Database created.', { database: id });
    return info;
  }

  protected async _readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    return this.#databases.get(id)?.info;
  }

  protected async _listDatabases(): Promise<readonly DatabaseInfo[]> {
    return Array.from(this.#databases.values(), (database) => database.info);
  }

  protected async _deleteDatabase(id: string): Promise<boolean> {
    for (const container of this.#databases.get(id)?.containers.values() ?? []) {
      container.markDeleted();
    }
    this.#logger.log('debug', 'Database deleted.', { database: id });
    return this.#databases.delete(id);
  }

  protected async _createContainer(databaseId: string, definition: ContainerDefinition): Promise<ContainerInfo | CreateRefusal> {
    const database = this.#databases.get(databaseId);
    if (database === undefined) {
      return 'no-database';
    }
    if (database.containers.has(definition.id)) {
      return 'exists';
    }
    database.lastContainer += 1;
    const rid = containerRid(database.info.rid, database.lastContainer);
    const container = this.#newContainer({ databaseId, definition, rid, ...this.#stamp() });
    database.containers.set(definition.id, container);
    this.#logger.log('debug', 'Container created.', { database: databaseId, container: definition.id });
    return container.info;
  }

  protected async _readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined> {
    return this.#databases.get(databaseId)?.containers.get(id)?.info;
  }

  protected async _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined> {
    const database = this.#databases.get(databaseId);
    return database === undefined ? undefined : Array.from(database.containers.values(), (container) => container.info);
  }

  protected async _replaceContainer(
    current: ContainerInfo,
    definition: ContainerDefinition,
    ifMatch: string | undefined,
  ): Promise<ContainerInfo | undefined> {
    const container = this.#find(current);
    await container?.redefine(definition.defaultTtl, () => {
      checkContainerEtag(definition.id, container.info.etag, ifMatch);
      return { ...current, definition, ...this.#stamp() };
    });
    return container?.info;
  }

  protected async _deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean> {
    const containers = this.#databases.get(databaseId)?.containers;
    const container = containers?.get(id);
    if (container !== undefined) {
      checkContainerEtag(id, container.info.etag, ifMatch);
      container.markDeleted();
    }
    this.#logger.log('debug', 'Container deleted.', { database: databaseId, container: id });
    return containers?.delete(id) ?? false;
  }

  protected async _container<T extends object = JsonObject>(
    info: ContainerInfo,
    schema: StandardSchemaLike | undefined,
  ): Promise<MemoryDocumentStore<T> | undefined> {
    const container = this.#find(info);
    return container === undefined ? undefined : new MemoryDocumentStore<T>(container, this.runtime, schema);
  }

  protected override async _catalog(): Promise<MemoryDocumentStore<CatalogDocument>> {
    return new MemoryDocumentStore<CatalogDocument>(this.#catalog, this.runtime, undefined);
  }

  protected override async *_snapshot({ asOfMs, signal }: SnapshotRequest): AsyncGenerator<Iterable<SnapshotBody>> {
    const takenAtMs = asOfMs ?? this.runtime.nowMs();
    for (const container of this.#containers()) {
      await container.tidyVersions(signal);
    }
    // All of it in one turn, so that the snapshot is one moment of everything.
    const lastDatabase = this.#lastDatabase;
    const databases = Array.from(this.#databases.values(), (database) => this.#capture(database, takenAtMs, asOfMs));
    const catalog = captureContainer(this.#catalog, null, this.runtime.nowMs());
    const missing = databases.flatMap((database) => database.missing);
    if (missing.length > 0) {
      throw pastOutsideRetention(missing);
    }
    yield [{ kind: 'perigee-snapshot', version: SNAPSHOT_VERSION, takenAtMs, lastDatabase }];
    for (const { record, containers } of databases) {
      yield [record];
      for (const captured of containers) {
        yield recordsOf(captured);
      }
    }
    if (catalog.record.position > 0) {
      yield recordsOf(catalog);
    }
  }

  protected override async _restore({ replace, load }: RestoreRequest): Promise<void> {
    const assertEmpty = (): void => {
      if (!replace && (this.#databases.size > 0 || this.#catalog.position > 0)) {
        throw notEmpty();
      }
    };
    assertEmpty();
    const restored = new MemoryRestore((info, eras) => this.#newContainer(info, eras));
    await load(restored);
    await restored.fill();
    assertEmpty();
    this.calls.assertOpen();
    this.#take(restored);
  }

  /** Puts what was restored in the place of what is there. */
  #take(restored: MemoryRestore): void {
    const positions = new Map<string, number>();
    const lastContainers = new Map<string, number>();
    for (const { info, lastContainer } of this.#databases.values()) {
      lastContainers.set(info.rid, lastContainer);
    }
    for (const container of this.#containers()) {
      positions.set(container.info.rid, container.position);
      container.markDeleted();
    }
    positions.set(this.#catalog.info.rid, this.#catalog.position);
    this.#catalog.markDeleted();
    this.#databases = new Map();
    for (const [id, { info, lastContainer, containers }] of restored.databases) {
      this.#databases.set(id, {
        info,
        lastContainer: Math.max(lastContainer, lastContainers.get(info.rid) ?? 0),
        containers: new Map(Array.from(containers, ([name, { container }]) => [name, container])),
      });
    }
    this.#lastDatabase = Math.max(this.#lastDatabase, restored.lastDatabase);
    this.#catalog = restored.catalog?.container ?? this.#newCatalog();
    for (const container of [...this.#containers(), this.#catalog]) {
      container.goOnAbove(positions.get(container.info.rid) ?? 0);
    }
  }

  protected async _close(): Promise<void> {
    this.#databases.clear();
    this.#catalog.markDeleted();
  }

  #find(info: ContainerInfo): ResidentContainer | undefined {
    const container = this.#databases.get(info.databaseId)?.containers.get(info.definition.id);
    return container?.info.rid === info.rid ? container : undefined;
  }

  *#containers(): Generator<ResidentContainer> {
    for (const { containers } of this.#databases.values()) {
      yield* containers.values();
    }
  }

  #capture(
    { info, lastContainer, containers }: MemoryDatabase,
    takenAtMs: number,
    asOfMs: number | undefined,
  ): { readonly record: SnapshotDatabase; readonly containers: readonly CapturedContainer[]; readonly missing: readonly string[] } {
    const all = Array.from(containers.values());
    const missing = asOfMs === undefined ? [] : all.filter((container) => !canCaptureAsOf(container, asOfMs));
    return {
      record: { kind: 'database', ...info, lastContainer },
      containers: all.map((container) =>
        asOfMs === undefined ? captureContainer(container, info.id, takenAtMs) : captureAsOf(container, info.id, asOfMs),
      ),
      missing: missing.map((container) => `${info.id}/${container.info.definition.id}`),
    };
  }

  #newCatalog(): ResidentContainer {
    const rid = containerRid(databaseRid(CATALOG_DATABASE), 1);
    const definition = defineContainer({ id: 'catalog', partitionKey: '/scope' });
    return this.#newContainer({ databaseId: '', definition, rid, ...this.#stamp() });
  }

  #newContainer(info: ContainerInfo, eras: readonly EtagEra[] = []): ResidentContainer {
    this.#lastResource += 1;
    return new ResidentContainer(info, this.runtime, {
      incarnation: `${this.#incarnation}-${this.#lastResource.toString(16)}`,
      userFunctions: this.#userFunctions,
      recordsVersions: true,
      eras,
    });
  }

  /** Etag and time of a database or container that is written now. */
  #stamp(): { readonly etag: string; readonly ts: number } {
    this.#lastResource += 1;
    return { etag: `"${this.#incarnation}-${this.#lastResource.toString(16)}"`, ts: Math.floor(this.runtime.nowMs() / 1000) };
  }
}
