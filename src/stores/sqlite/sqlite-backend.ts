import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Logger } from '../../core/logger.ts';
import { systemRuntime, toHex, type Runtime } from '../../core/runtime.ts';
import type { CatalogDocument, ContainerInfo, DatabaseInfo, OpenContainerOptions } from '../../store/backend.ts';
import { BaseBackend, type CreateRefusal } from '../../store/base-backend.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import { checkContainer } from '../../query/check-container.ts';
import { prepareUserFunctions, type UserDefinedFunctions } from '../../query/user-functions.ts';
import { defineContainer, type ContainerDefinition } from '../../store/container-definition.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { Unsubscribe } from '../../core/emitter.ts';
import { betterSqlite3Driver, type BetterSqlite3Constructor } from './better-sqlite3-driver.ts';
import type { Program, SqliteConnection, SqliteDriver } from './driver.ts';
import type { IndexProgress } from './indexes/index-builder.ts';
import { IndexManager, type ContainerAdvice, type IndexStatus } from './indexes/index-manager.ts';
import type { AutoIndex } from './indexes/index-usage.ts';
import {
  createContainer,
  createDatabase,
  deleteContainer,
  deleteDatabase,
  findContainer,
  listContainers,
  listDatabases,
  openCatalog,
  readDatabase,
  replaceDefinition,
  restampExpiry,
  setJournal,
  type ContainerStamp,
} from './resource-programs.ts';
import { sqliteCapabilities } from './sqlite-capabilities.ts';
import { containerInfoOf, SqliteContainer, type ContainerRow } from './sqlite-container.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { SqliteDocumentStore } from './sqlite-document-store.ts';
import { workerDriver } from './worker-driver.ts';
import type { WriteJournal } from './write-journal.ts';

/** Settings of {@link openSqliteBackend}. */
export interface SqliteBackendOptions {
  /** Path of the file, made where there is none in a folder that exists; or `:memory:`. */
  readonly path: string;
  /** What an acknowledged write survives: `normal` (the default) the end of the process, `full` also a loss of power. */
  readonly synchronous?: 'normal' | 'full' | undefined;
  /**
   * `better-sqlite3` (the default): the package in this thread, fastest. `worker`: the same in a thread of its own, so that nothing ever blocks this
   * one. Or the class that the package exports, or a driver of your own.
   */
  readonly driver?: 'better-sqlite3' | 'worker' | BetterSqlite3Constructor | SqliteDriver | undefined;
  /** Clock, timers and chance; those of the host unless said otherwise. */
  readonly runtime?: Runtime | undefined;
  /** How long a call waits for the write lock of another process before STORE_BUSY: 5,000 ms unless said otherwise. */
  readonly busyTimeoutMs?: number | undefined;
  /** Largest size of the file in pages of 4,096 bytes; a write beyond it raises STORE_FULL. No limit unless said otherwise. */
  readonly maxPageCount?: number | undefined;
  /** How often `watch` looks for commits of other processes: every 250 ms unless said otherwise. */
  readonly pollIntervalMs?: number | undefined;
  /** Functions that queries call as `udf.name(…)`. They never run inside SQLite: a filter with one is evaluated on each document. */
  readonly userDefinedFunctions?: UserDefinedFunctions | undefined;
  readonly logger?: Logger | undefined;
  /**
   * What is done about indexes that queries would use and that the index policy has only under `/*`: `advise` (the default) remembers them for
   * {@link SqliteBackend.indexAdvice}; `create` makes them, a dozen for a container at most, and drops those that nobody uses for a month; `off`.
   */
  readonly autoIndex?: AutoIndex | undefined;
}

/** How a container of a {@link SqliteBackend} is opened for the sync layer. */
export interface JournaledContainerOptions extends OpenContainerOptions {
  readonly journal: WriteJournal;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000;
const DEFAULT_POLL_INTERVAL_MS = 250;
/** Documents that get a new expiry before others have their turn. */
const RESTAMP_ROWS = 1000;

/**
 * Opens a backend on one SQLite file, and creates the file where there is none. Several processes may use one file at once.
 *
 * A file that is damaged, of another program, or of a newer version is refused and left as it was.
 *
 * @throws STORE_CORRUPT, STORE_TOO_NEW, STORE_READ_ONLY, STORE_BUSY, STORE_FULL, STORE_IO, DRIVER_MISSING, INVALID_OPTION
 *
 * @example
 * ```ts
 * import { openSqliteBackend } from 'perigee/sqlite';
 *
 * const backend = await openSqliteBackend({ path: ':memory:' });
 * await backend.createDatabase('app');
 * await backend.createContainer('app', { id: 'notes', partitionKey: '/owner' });
 * const notes = await backend.container('app', 'notes');
 * await notes.create({ id: '1', owner: 'ada', text: 'kept in SQLite' });
 * console.log((await notes.read('1', 'ada'))?.document['text']); // -> kept in SQLite
 * await backend.close();
 * ```
 */
export async function openSqliteBackend(options: SqliteBackendOptions): Promise<SqliteBackend> {
  const { path } = options;
  if (typeof path !== 'string' || path === '' || path.includes('\u0000')) {
    throw new PerigeeError('INVALID_OPTION', 'The option path is the path of a file, or ":memory:".');
  }
  const synchronous = options.synchronous ?? 'normal';
  if ((synchronous as unknown) !== 'normal' && (synchronous as unknown) !== 'full') {
    throw new PerigeeError('INVALID_OPTION', 'The option synchronous is "normal" or "full".');
  }
  const autoIndex = autoIndexOf(options.autoIndex ?? 'advise');
  const pollIntervalMs = wholeNumber('pollIntervalMs', options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS);
  const database = await SqliteDatabase.open({
    path,
    synchronous,
    driver: driverOf(options.driver),
    runtime: options.runtime ?? systemRuntime,
    busyTimeoutMs: wholeNumber('busyTimeoutMs', options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS),
    maxPageCount: options.maxPageCount === undefined ? undefined : wholeNumber('maxPageCount', options.maxPageCount),
    userFunctions: prepareUserFunctions(options.userDefinedFunctions),
    logger: options.logger,
  });
  const indexes = new IndexManager(database, autoIndex, builderConnection(database, options.driver));
  indexes.start();
  return new SqliteBackend(database, sqliteCapabilities(synchronous, database.isInMemory), pollIntervalMs, indexes);
}

function autoIndexOf(value: AutoIndex): AutoIndex {
  if (!(['advise', 'create', 'off'] as readonly unknown[]).includes(value)) {
    throw new PerigeeError('INVALID_OPTION', 'The option autoIndex is "advise", "create" or "off".');
  }
  return value;
}

/** A connection on which indexes are made while this one reads on: in a thread of its own, unless the driver is the caller's. */
function builderConnection(
  database: SqliteDatabase,
  driver: SqliteBackendOptions['driver'],
): (() => Promise<SqliteConnection>) | undefined {
  if (database.isInMemory || typeof driver === 'function') {
    return undefined;
  }
  const own = typeof driver === 'object' ? driver : workerDriver();
  return () => own.open({ path: database.path, readOnly: false, busyTimeoutMs: 5 });
}

function wholeNumber(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new PerigeeError('INVALID_OPTION', `The option ${name} is a whole number from 0.`);
  }
  return value;
}

function driverOf(driver: SqliteBackendOptions['driver']): SqliteDriver {
  if (driver === undefined || driver === 'better-sqlite3') {
    return betterSqlite3Driver();
  }
  if (driver === 'worker') {
    return workerDriver();
  }
  return typeof driver === 'function' ? betterSqlite3Driver(driver) : driver;
}

/** Databases and containers in one SQLite file; see {@link openSqliteBackend}. */
export class SqliteBackend extends BaseBackend {
  readonly name = 'sqlite';
  readonly capabilities: StoreCapabilities;
  readonly database: SqliteDatabase;
  readonly #pollIntervalMs: number;
  readonly #indexes: IndexManager;
  readonly #containers = new Map<number, SqliteContainer>();

  constructor(database: SqliteDatabase, capabilities: StoreCapabilities, pollIntervalMs: number, indexes: IndexManager) {
    super(database.runtime, 'SQLite backend');
    this.database = database;
    this.capabilities = capabilities;
    this.#pollIntervalMs = pollIntervalMs;
    this.#indexes = indexes;
  }

  /** Resolves when every index that policies and use ask for is made, or failed. Queries run meanwhile, without those that are missing. */
  indexesReady(): Promise<void> {
    return this.calls.run(undefined, () => this.#indexes.ready());
  }

  /** All indexes of the file, in the order in which they were asked for. */
  indexStatus(): Promise<readonly IndexStatus[]> {
    return this.calls.run(undefined, () => this.#indexes.status());
  }

  /** Calls `listener` with the progress of each index that is made in the background. */
  onIndexProgress(listener: (progress: IndexProgress) => void): Unsubscribe {
    return this.#indexes.onProgress(listener);
  }

  /** Indexes that queries since the opening would have used, had they been there; those first that would have saved the most. Nothing with `autoIndex: 'off'`. */
  indexAdvice(): readonly ContainerAdvice[] {
    return this.#indexes.advice();
  }

  /**
   * Opens a container whose writes a journal records, and marks it: from then on it refuses writes from stores opened without that journal.
   *
   * @throws NOT_FOUND; SYNC_SCOPE when another journal records it
   */
  openJournaled<T extends object = JsonObject>(
    databaseId: string,
    id: string,
    options: JournaledContainerOptions,
  ): Promise<SqliteDocumentStore<T>> {
    return this.calls.run(undefined, async () => {
      const { journal, schema } = options;
      const row = await this.database.write(() => this.#markJournaled(databaseId, id, journal.name));
      return this.track(await this.#open<T>(databaseId, row, schema, journal));
    });
  }

  /** Ends the recording of a container's writes by a journal: stores without it may write again. Does nothing when it does not record. */
  releaseJournal(databaseId: string, id: string, name: string): Promise<void> {
    return this.calls.run(undefined, () =>
      this.database.write(() => {
        this.database.invalidate();
        return releaseProgram(databaseId, id, name);
      }),
    );
  }

  protected override _checkDefinition(definition: ContainerDefinition): void {
    checkContainer(definition);
  }

  protected _createDatabase(id: string): Promise<DatabaseInfo | 'exists'> {
    return this.database.write(() => createDatabase(id, this.#stamp()));
  }

  protected _readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    return this.database.read(() => readDatabase(id));
  }

  protected _listDatabases(): Promise<readonly DatabaseInfo[]> {
    return this.database.read(() => listDatabases());
  }

  protected _deleteDatabase(id: string): Promise<boolean> {
    return this.database.write(() => {
      this.database.invalidate();
      return deleteDatabase(id);
    });
  }

  protected async _createContainer(databaseId: string, definition: ContainerDefinition): Promise<ContainerInfo | CreateRefusal> {
    const result = await this.database.write(() => createContainer(databaseId, definition, this.#stamp()));
    return typeof result === 'string' ? result : containerInfoOf(databaseId, result);
  }

  protected async _readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined> {
    const row = await this.database.read(() => findContainer(databaseId, id));
    return row === undefined ? undefined : containerInfoOf(databaseId, row);
  }

  protected async _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined> {
    const rows = await this.database.read(() => listContainers(databaseId));
    return rows?.map((row) => containerInfoOf(databaseId, row));
  }

  protected async _replaceContainer(current: ContainerInfo, definition: ContainerDefinition): Promise<ContainerInfo | undefined> {
    const replaced = await this.database.transaction(async (runProgram) => {
      this.database.invalidate();
      const row = await runProgram(replaceDefinition(current.rid, definition, this.#stamp()));
      if (row !== undefined && current.definition.defaultTtl !== definition.defaultTtl) {
        for (let behind: number | undefined = 0; behind !== undefined;) {
          behind = await runProgram(restampExpiry(row.number, definition.defaultTtl, behind, RESTAMP_ROWS));
          await this.runtime.yieldTask();
        }
      }
      return row === undefined ? undefined : containerInfoOf(current.databaseId, row);
    });
    this.database.invalidate();
    this.#indexes.start();
    return replaced;
  }

  protected _deleteContainer(databaseId: string, id: string): Promise<boolean> {
    return this.database.write(() => {
      this.database.invalidate();
      return deleteContainer(databaseId, id);
    });
  }

  protected async _container<T extends object>(
    container: ContainerInfo,
    schema: StandardSchemaLike | undefined,
  ): Promise<SqliteDocumentStore<T> | undefined> {
    const { databaseId, definition, rid } = container;
    const row = await this.database.read(() => findContainer(databaseId, definition.id));
    return row === undefined || row.rid !== rid ? undefined : this.#open<T>(databaseId, row, schema, undefined);
  }

  protected override async _catalog(): Promise<SqliteDocumentStore<CatalogDocument>> {
    const definition = defineContainer({ id: 'catalog', partitionKey: '/scope' });
    const row = await this.database.write(() => openCatalog(definition, this.#stamp()));
    return this.#store<CatalogDocument>('', row, undefined, undefined);
  }

  protected override _flush(): Promise<void> {
    return this.database.flush();
  }

  protected async _close(): Promise<void> {
    await this.#indexes.close();
    await this.database.close();
  }

  /** {@link #store} with the indexes that its policy asks for, or the promise of them. */
  async #open<T extends object>(
    databaseId: string,
    row: ContainerRow,
    schema: StandardSchemaLike | undefined,
    journal: WriteJournal | undefined,
  ): Promise<SqliteDocumentStore<T>> {
    const isKnown = this.#containers.has(row.number);
    const store = this.#store<T>(databaseId, row, schema, journal);
    if (!isKnown) {
      await this.#indexes.open(this.#containers.get(row.number) as SqliteContainer);
    }
    return store;
  }

  #store<T extends object>(
    databaseId: string,
    row: ContainerRow,
    schema: StandardSchemaLike | undefined,
    journal: WriteJournal | undefined,
  ): SqliteDocumentStore<T> {
    const known = this.#containers.get(row.number);
    const container = known ?? new SqliteContainer(this.database, databaseId, row);
    container.notice(row);
    this.#containers.set(row.number, container);
    return new SqliteDocumentStore<T>(container, {
      capabilities: this.capabilities,
      schema,
      journal,
      pollIntervalMs: this.#pollIntervalMs,
    });
  }

  *#markJournaled(databaseId: string, id: string, journal: string): Program<ContainerRow> {
    const row = yield* findContainer(databaseId, id);
    if (row === undefined) {
      throw new PerigeeError(
        'NOT_FOUND',
        `Cannot open the container ${JSON.stringify(id)} of the database ${JSON.stringify(databaseId)}: there is none.`,
      );
    }
    if (row.journal !== null && row.journal !== journal) {
      throw new PerigeeError(
        'SYNC_SCOPE',
        `Cannot record the writes of the container ${JSON.stringify(id)} by ${JSON.stringify(journal)}: ${JSON.stringify(row.journal)} records them.`,
        { details: { journal: row.journal } },
      );
    }
    if (row.journal === null) {
      yield* setJournal(row.number, journal);
      this.database.invalidate();
    }
    return row;
  }

  /** Stamp of a database or container that is written now; the incarnation is drawn from chance, so that no two are ever the same. */
  #stamp(): ContainerStamp {
    const incarnation = toHex(this.runtime.randomBytes(6));
    return { etag: `"${incarnation}"`, incarnation, ts: Math.floor(this.runtime.nowMs() / 1000) };
  }
}

function* releaseProgram(databaseId: string, id: string, name: string): Program<void> {
  const row = yield* findContainer(databaseId, id);
  if (row?.journal === name) {
    yield* setJournal(row.number, null);
  }
}
