import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Logger } from '../../core/logger.ts';
import { systemRuntime, toHex, type Runtime } from '../../core/runtime.ts';
import type { CatalogDocument, ContainerInfo, DatabaseInfo, OpenContainerOptions } from '../../store/backend.ts';
import { BaseBackend, type CreateRefusal } from '../../store/base-backend.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import { checkContainer } from '../../query/check-container.ts';
import { prepareUserFunctions } from '../../query/user-functions.ts';
import type { UserDefinedFunctions } from '../../store/user-functions.ts';
import { defineContainer, type ContainerDefinition } from '../../store/container-definition.ts';
import { checkContainerEtag } from '../../store/container-etag.ts';
import type { RestoreRequest, SnapshotBody, SnapshotRequest } from '../../store/snapshot/backend-snapshots.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { Unsubscribe } from '../../core/emitter.ts';
import { betterSqlite3Driver, type BetterSqlite3Constructor } from './better-sqlite3-driver.ts';
import type { Program, SqliteConnection, SqliteDriver } from './driver.ts';
import type { IndexProgress } from './indexes/index-builder.ts';
import { IndexManager, type IndexStatus } from './indexes/index-manager.ts';
import { checkAutoIndex, type AutoIndex } from '../common/auto-index.ts';
import type { ContainerAdvice } from '../common/used-indexes.ts';
import {
  createContainer,
  createDatabase,
  deleteContainer,
  deleteDatabase,
  findCatalog,
  findContainer,
  listAllContainers,
  listContainers,
  listDatabases,
  openCatalog,
  readDatabase,
  setJournal,
} from './resource-programs.ts';
import { redefineContainer } from './redefine-container.ts';
import type { Read } from './scan-slices.ts';
import { readSnapshot } from './snapshot/read-snapshot.ts';
import { SqliteRestore } from './snapshot/restore-snapshot.ts';
import { sqliteCapabilities } from './sqlite-capabilities.ts';
import { containerInfoOf, type ContainerStamp } from '../common/stored-container.ts';
import type { ContainerRow } from './container-row.ts';
import { SqliteContainer } from './sqlite-container.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { SqliteDocumentStore } from './sqlite-document-store.ts';
import { workerDriver } from './worker-driver.ts';
import { tidyVersions } from './versions/tidy-versions.ts';
import type { WriteJournal } from './write-journal.ts';

/** Settings of {@link openSqliteBackend}. */
export interface SqliteBackendOptions {
  /** Path of the file, made where there is none in a folder that exists; or `:memory:`. */
  readonly path: string;
  /**
   * Nothing is written, neither to the file nor beside it: a file in a folder that cannot be written can be read, and so can one that other processes
   * write to. Writes are refused with STORE_READ_ONLY. What has expired and was not swept counts as gone all the same; the change feed of all versions
   * gives what is recorded. Where SQLite itself cannot read the file so (its writer was killed, or an earlier version wrote it), a copy in the
   * system's folder for temporary files is read, which is what there was when it was opened.
   */
  readonly readOnly?: boolean | undefined;
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

/**
 * Opens a backend on one SQLite file, and creates the file where there is none. Several processes may use one file at once.
 *
 * A file that is damaged, of another program, or of a newer version is refused and left as it was.
 *
 * @throws STORE_CORRUPT, STORE_TOO_NEW, STORE_READ_ONLY, STORE_BUSY, STORE_FULL, STORE_IO, DRIVER_MISSING, INVALID_OPTION; NOT_FOUND with `readOnly`
 *   where there is no file
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
  const readOnly = options.readOnly ?? false;
  if (typeof readOnly !== 'boolean' || (readOnly && path === ':memory:')) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'The option readOnly is true or false, and false for ":memory:", which holds nothing to read.',
    );
  }
  const synchronous = options.synchronous ?? 'normal';
  if ((synchronous as unknown) !== 'normal' && (synchronous as unknown) !== 'full') {
    throw new PerigeeError('INVALID_OPTION', 'The option synchronous is "normal" or "full".');
  }
  const autoIndex = checkAutoIndex(options.autoIndex);
  const pollIntervalMs = wholeNumber('pollIntervalMs', options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS);
  const database = await SqliteDatabase.open({
    path,
    readOnly,
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

  protected override _checkDefinition(definition: ContainerDefinition, current?: ContainerDefinition): void {
    checkContainer(definition, current);
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

  protected override async _indexProgress(databaseId: string, id: string): Promise<number | undefined> {
    const row = await this.database.read(() => findContainer(databaseId, id));
    return row === undefined ? undefined : this.#indexes.progressOf(row.number);
  }

  protected async _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined> {
    const rows = await this.database.read(() => listContainers(databaseId));
    return rows?.map((row) => containerInfoOf(databaseId, row));
  }

  protected async _replaceContainer(
    current: ContainerInfo,
    definition: ContainerDefinition,
    ifMatch: string | undefined,
  ): Promise<ContainerInfo | undefined> {
    const { databaseId, rid } = current;
    const replaced = await this.database.transaction(async (runProgram) => {
      this.database.invalidate();
      const row = await runProgram(findContainer(databaseId, definition.id));
      if (row?.rid !== rid) {
        return undefined;
      }
      checkContainerEtag(definition.id, row.etag, ifMatch);
      return containerInfoOf(
        databaseId,
        await redefineContainer(this.#containerOf(databaseId, row), definition, this.#stamp(), runProgram),
      );
    });
    this.database.invalidate();
    this.#indexes.start();
    return replaced;
  }

  protected _deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean> {
    return this.database.write(() => {
      this.database.invalidate();
      return deleteContainer(databaseId, id, ifMatch);
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
    const found = this.database.isReadOnly ? await this.database.read(() => findCatalog()) : undefined;
    if (found === undefined && this.database.isReadOnly) {
      throw new PerigeeError('NOT_FOUND', 'Cannot open the catalog: nothing was ever kept in it, and the store was opened to read only.');
    }
    const row = found ?? (await this.database.write(() => openCatalog(definition, this.#stamp())));
    return this.#store<CatalogDocument>('', row, undefined, undefined);
  }

  protected override _flush(): Promise<void> {
    return this.database.flush();
  }

  protected override async *_snapshot({ asOfMs, signal }: SnapshotRequest): AsyncGenerator<Iterable<SnapshotBody>> {
    const { database, runtime } = this;
    const takenAtMs = asOfMs ?? runtime.nowMs();
    for (const { databaseId, row } of await database.read(() => listAllContainers())) {
      await tidyVersions(this.#containerOf(databaseId, row), signal);
    }
    const records = (read: Read): AsyncGenerator<Iterable<SnapshotBody>> => readSnapshot({ read, runtime, takenAtMs, asOfMs, signal });
    if (!database.isInMemory) {
      yield* database.readAtOnce(records);
      return;
    }
    // One connection cannot read what was while it writes on: what there is in memory is copied first, and writes wait.
    const pieces: SnapshotBody[][] = [];
    await database.transaction(async (runProgram) => {
      for await (const piece of records((create) => runProgram(create()))) {
        pieces.push([...piece]);
      }
    }, signal);
    yield* pieces;
  }

  protected override async _restore({ replace, signal, load }: RestoreRequest): Promise<void> {
    await this.database.transaction(async (runProgram) => {
      const restore = await SqliteRestore.begin(runProgram, this.runtime, () => this.#stamp(), replace);
      await load(restore);
      await restore.finish();
    }, signal);
    this.#containers.clear();
    this.database.invalidate();
    this.#indexes.start();
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
    const container = this.#containerOf(databaseId, row);
    this.#containers.set(row.number, container);
    return new SqliteDocumentStore<T>(container, {
      capabilities: this.capabilities,
      schema,
      journal,
      pollIntervalMs: this.#pollIntervalMs,
    });
  }

  /** The container of a row as its stores share it, or one that nobody shares yet. */
  #containerOf(databaseId: string, row: ContainerRow): SqliteContainer {
    const container = this.#containers.get(row.number) ?? new SqliteContainer(this.database, databaseId, row);
    container.notice(row);
    return container;
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
