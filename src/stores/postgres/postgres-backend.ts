import type { Unsubscribe } from '../../core/emitter.ts';
import { silentLogger } from '../../core/logger.ts';
import { systemRuntime, toHex } from '../../core/runtime.ts';
import { checkContainer } from '../../query/check-container.ts';
import { prepareUserFunctions } from '../../query/user-functions.ts';
import type { CatalogDocument, ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { BaseBackend, type CreateRefusal } from '../../store/base-backend.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import { defineContainer, type ContainerDefinition } from '../../store/container-definition.ts';
import type { RestoreRequest, SnapshotBody, SnapshotRequest } from '../../store/snapshot/backend-snapshots.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import { containerInfoOf } from '../common/stored-container.ts';
import { checkColumns, publicColumn, type ColumnInput, type PromotedColumn } from './columns/column-definition.ts';
import { LongConnection, type Connecting } from './long-connection.ts';
import { dropColumns, listColumns, promoteColumns, type ColumnTools, type PromoteOptions } from './columns/promote-columns.ts';
import { CommitWatch } from './commit-watch.ts';
import { withoutTimeouts } from './connection-facts.ts';
import type { ContainerRow } from './container-row.ts';
import { dropDeletedDatabases } from './drop-schemas.ts';
import type { AutoIndex } from '../common/auto-index.ts';
import type { ContainerAdvice } from '../common/used-indexes.ts';
import { AutoIndexes } from './indexes/auto-indexes.ts';
import { IndexBuilder, type IndexBuilderOptions, type IndexProgress, type IndexStatus } from './indexes/index-builder.ts';
import { loadPg } from './pg-driver.ts';
import { postgresCapabilities } from './postgres-capabilities.ts';
import { PostgresContainer, type PostgresHost } from './postgres-container.ts';
import { openDatabase } from './open-database.ts';
import type { ConnectionStatus, PostgresDatabase } from './postgres-database.ts';
import { PostgresDocumentStore } from './postgres-document-store.ts';
import { checkPostgresOptions, type PostgresBackendOptions } from './postgres-options.ts';
import { redefineContainer } from './redefine-container.ts';
import { Resources } from './resource-statements.ts';
import type { ContainerStamp } from '../common/stored-container.ts';
import { Replica } from './replicas/replica.ts';
import { ReplicaSet, type ReplicaStatus } from './replicas/replica-set.ts';
import { migrate } from './schema.ts';
import { Signals } from './signals.ts';
import { readSnapshot } from './snapshot/read-snapshot.ts';
import { PostgresRestore } from './snapshot/restore-snapshot.ts';
import { Sweeper } from './sweeper.ts';
import { namesVectorIndexes } from './vectors/vector-index.ts';
import { ReadableViews } from './views/readable-views.ts';
import { tidyVersions } from './versions/tidy-versions.ts';

const MANAGING = 'change databases or containers of the PostgreSQL store';
const SNAPSHOT = 'read or write a snapshot of the PostgreSQL store';
const LOOKING = 'read the catalogue of the PostgreSQL store';

/**
 * Opens a backend on a PostgreSQL database (14 or newer), and makes its schemas where there are none. Any number of servers may use one database at once.
 *
 * `schema` is that of the catalogue; each database of documents gets a schema of its own, `schema_<number>`. The user of the connection needs the right
 * to create schemas. Times come from the runtime of each server, so their clocks have to agree to within the seconds that matter.
 *
 * @throws INVALID_OPTION, DRIVER_MISSING, UNREACHABLE, UNAVAILABLE, UNAUTHORIZED, STORE_TOO_NEW, STORE_CORRUPT, STORE_READ_ONLY, NOT_SUPPORTED
 *
 * @example
 * ```ts
 * import { openPostgresBackend, startEmbeddedPostgres } from 'perigee/postgres';
 *
 * const server = await startEmbeddedPostgres(); // or a PostgreSQL of yours
 * const backend = await openPostgresBackend({ connectionString: server.connectionString });
 * await backend.createDatabase('app');
 * await backend.createContainer('app', { id: 'notes', partitionKey: '/owner' });
 * const notes = await backend.container('app', 'notes');
 * await notes.create({ id: '1', owner: 'ada', text: 'kept in PostgreSQL' });
 * console.log((await notes.read('1', 'ada'))?.document['text']); // -> kept in PostgreSQL
 * await backend.close();
 * await server.stop();
 * ```
 */
export async function openPostgresBackend(options: PostgresBackendOptions): Promise<PostgresBackend> {
  const { pool, prefix, prepares, signals, replicas, maxReplicaLagMs, pollIntervalMs, sweepIntervalMs, readableViews, autoIndex } =
    checkPostgresOptions(options);
  const userFunctions = prepareUserFunctions(options.userDefinedFunctions);
  const runtime = options.runtime ?? systemRuntime;
  const logger = options.logger ?? silentLogger;
  const pg = await loadPg();
  const { database, facts } = await openDatabase({ pg, pool, prefix, prepares, runtime, logger });
  if (prepares === undefined && !facts.keepsNames) {
    logger.log('info', 'A pooler stands before PostgreSQL that does not know prepared statements, so none are used.');
  }
  try {
    const identity = await migrate(database);
    const [durable] = await database.rows<{ durable: boolean }>(LOOKING, {
      text: "SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off' AS durable",
    });
    const views = readableViews ? new ReadableViews(database, sweepIntervalMs) : undefined;
    await views?.start();
    const { max: _, ...config } = withoutTimeouts(pool);
    const direct = signals === undefined ? config : { ...config, connectionString: signals };
    const told = signals === undefined ? undefined : new Signals({ pg, connection: direct, channel: `${prefix}_commits`, runtime, logger });
    const opened = replicas.map(
      (connectionString) =>
        new Replica({ pg, pool: { ...pool, connectionString }, prefix, prepares, runtime, logger, system: identity.system }),
    );
    const set = opened.length === 0 ? undefined : new ReplicaSet({ primary: database, replicas: opened, maxLagMs: maxReplicaLagMs });
    set?.start();
    const connecting = { pg, connection: direct };
    return new PostgresBackend({ database, identity, userFunctions, replicas: set }, postgresCapabilities(durable?.durable === true), {
      signals: told,
      pollIntervalMs,
      sweepIntervalMs,
      views,
      connecting,
      autoIndex,
      builderOf: (parts) => new IndexBuilder({ connecting, database, intervalMs: sweepIntervalMs, ...parts }),
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface PostgresBackendSettings {
  readonly signals: Signals | undefined;
  readonly pollIntervalMs: number;
  readonly sweepIntervalMs: number;
  readonly views: ReadableViews | undefined;
  readonly connecting: Connecting;
  readonly autoIndex: AutoIndex;
  /** What makes indexes. */
  readonly builderOf: (parts: Pick<IndexBuilderOptions, 'onChange' | 'dropUnused'>) => IndexBuilder;
}

/** Databases and containers in one PostgreSQL database; see {@link openPostgresBackend}. */
export class PostgresBackend extends BaseBackend {
  readonly name = 'postgres';
  readonly capabilities: StoreCapabilities;
  readonly #host: PostgresHost;
  readonly #database: PostgresDatabase;
  readonly #signals: Signals | undefined;
  readonly #watch: CommitWatch;
  readonly #sweeper: Sweeper;
  readonly #indexes: IndexBuilder;
  readonly #automatic: AutoIndexes;
  readonly #views: ReadableViews | undefined;
  readonly #columns: ColumnTools;
  readonly #containers = new Map<number, PostgresContainer>();

  constructor(host: PostgresHost, capabilities: StoreCapabilities, settings: PostgresBackendSettings) {
    const { signals, pollIntervalMs, sweepIntervalMs, builderOf, autoIndex, views, connecting } = settings;
    super(host.database.runtime, 'PostgreSQL backend');
    this.capabilities = capabilities;
    this.#host = host;
    this.#database = host.database;
    this.#signals = signals;
    this.#watch = new CommitWatch(host.database, signals, pollIntervalMs);
    this.#sweeper = new Sweeper(host.database, sweepIntervalMs, () => this.#mortalContainers());
    this.#sweeper.start();
    this.#automatic = new AutoIndexes({ database: this.#database, autoIndex, schedule: () => this.#indexes.schedule() });
    this.#indexes = builderOf({
      onChange: (number) => this.#containers.get(number)?.indexes.forget(),
      dropUnused: () => this.#automatic.dropUnused(),
    });
    this.#indexes.start();
    this.#views = views;
    this.#columns = { database: this.#database, connecting, newEtag: () => this.#stamp().etag };
  }

  /** Resolves when every index that policies and use ask for is made, or failed. Queries run meanwhile, without those that are missing. */
  async indexesReady(): Promise<void> {
    this.calls.assertOpen();
    // It may take hours, so closing does not wait for it.
    do {
      await this.#automatic.settled();
      await this.#indexes.ready();
    } while (await this.#automatic.settled());
  }

  /** Indexes that queries of this server would have used, had they been there; those first that would have saved the most. Nothing with `autoIndex: 'off'`. */
  indexAdvice(): readonly ContainerAdvice[] {
    return this.#automatic.advice();
  }

  /** All indexes of the store, in the order in which they were asked for. */
  indexStatus(): Promise<readonly IndexStatus[]> {
    return this.calls.run(undefined, () => this.#indexes.status());
  }

  /** Calls `listener` with the progress of each index that this process makes in the background. */
  onIndexProgress(listener: (progress: IndexProgress) => void): Unsubscribe {
    return this.#indexes.onProgress(listener);
  }

  /** Connections to PostgreSQL, but for those of signals, of index builds and to replicas. */
  connectionStatus(): ConnectionStatus {
    return this.#database.connections;
  }

  /** The replicas, in the order of the option. */
  replicaStatus(): readonly ReplicaStatus[] {
    return this.#host.replicas?.status() ?? [];
  }

  /**
   * Removes documents from the tables whose time to live has run out, where this server has the lease for it; gives how many, or `undefined`. It happens
   * by itself every `sweepIntervalMs`, and changes nothing that anybody can read.
   */
  sweep(): Promise<number | undefined> {
    return this.calls.run(undefined, () => this.#sweeper.sweep());
  }

  /**
   * Promotes paths of a container's documents to columns of its table, which are kept equal to the documents whoever writes them: SQL tools read them, and
   * they may be unique over the whole container. A write that does not fit is refused with INVALID_DOCUMENT, one whose unique value another document
   * has with CONFLICT; both name the path, and leave everything as it was. Missing and `null` are NULL.
   *
   * Others read and write meanwhile. Columns that are there already as they are asked for stay; one whose promotion was cut off goes on. Gives all
   * columns of the container.
   *
   * @throws INVALID_OPTION; NOT_FOUND; INVALID_DOCUMENT or CONFLICT where documents do not fit, with their number in `details.documents`, and CONFLICT for another
   * column of the name: then nothing was changed; STORE_BUSY while another server changes the columns of the container
   *
   * @example
   * ```ts
   * import { openPostgresBackend, startEmbeddedPostgres } from 'perigee/postgres';
   *
   * const server = await startEmbeddedPostgres();
   * const backend = await openPostgresBackend({ connectionString: server.connectionString });
   * await backend.createDatabase('app');
   * await backend.createContainer('app', { id: 'users', partitionKey: '/org' });
   * await backend.promoteColumns('app', 'users', [{ path: '/email', type: 'text', unique: true, notNull: true }]);
   * const users = await backend.container('app', 'users');
   * await users.create({ id: '1', org: 'x', email: 'ada@example.org' });
   * const taken = await users.create({ id: '2', org: 'y', email: 'ada@example.org' }).catch((error) => error);
   * console.log(taken.code, taken.details.path); // -> CONFLICT /email
   * await backend.close();
   * await server.stop();
   * ```
   */
  promoteColumns(
    databaseId: string,
    containerId: string,
    columns: readonly ColumnInput[],
    options: PromoteOptions = {},
  ): Promise<readonly PromotedColumn[]> {
    return this.calls.run(undefined, async () => {
      const promoted = await promoteColumns(this.#columns, { databaseId, containerId }, checkColumns(columns), options);
      return promoted.map(publicColumn);
    });
  }

  /** The columns of a container, in the order in which they were promoted. @throws NOT_FOUND */
  listColumns(databaseId: string, containerId: string): Promise<readonly PromotedColumn[]> {
    return this.calls.run(undefined, async () => (await listColumns(this.#columns, { databaseId, containerId })).map(publicColumn));
  }

  /**
   * Takes columns of a container away; its documents stay as they are. Gives the columns that are left.
   *
   * @throws NOT_FOUND; CONFLICT where a view of somebody else shows one of them; STORE_BUSY
   */
  dropColumns(databaseId: string, containerId: string, names: readonly string[]): Promise<readonly PromotedColumn[]> {
    return this.calls.run(undefined, async () => (await dropColumns(this.#columns, { databaseId, containerId }, names)).map(publicColumn));
  }

  protected override _checkDefinition(definition: ContainerDefinition, current?: ContainerDefinition): void {
    checkContainer(definition, current);
  }

  protected _createDatabase(id: string): Promise<DatabaseInfo | 'exists'> {
    return this.#manage((resources) => resources.createDatabase(id, this.#stamp()));
  }

  protected _readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    return this.#looking().readDatabase(id);
  }

  protected _listDatabases(): Promise<readonly DatabaseInfo[]> {
    return this.#looking().listDatabases();
  }

  protected async _deleteDatabase(id: string): Promise<boolean> {
    const isDeleted = await this.#manage((resources) => resources.deleteDatabase(id));
    await dropDeletedDatabases(this.#database);
    await this.#views?.refresh();
    return isDeleted;
  }

  protected async _createContainer(databaseId: string, definition: ContainerDefinition): Promise<ContainerInfo | CreateRefusal> {
    const result = await this.#manage((resources) => resources.createContainer(databaseId, definition, this.#stamp()));
    await this.#views?.refresh();
    if (typeof result !== 'string' && namesVectorIndexes(definition)) {
      // They are not made with the table, as others are.
      this.#indexes.schedule();
    }
    return typeof result === 'string' ? result : containerInfoOf(databaseId, result);
  }

  protected async _readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined> {
    const row = await this.#looking().findContainer(databaseId, id);
    if (row !== undefined) {
      this.#containers.get(row.number)?.notice(row);
    }
    return row === undefined ? undefined : containerInfoOf(databaseId, row);
  }

  protected override async _indexProgress(databaseId: string, id: string): Promise<number | undefined> {
    const row = await this.#looking().findContainer(databaseId, id);
    return row === undefined ? undefined : this.#indexes.progressOf(row);
  }

  protected async _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined> {
    const rows = await this.#looking().listContainers(databaseId);
    return rows?.map((row) => containerInfoOf(databaseId, row));
  }

  protected async _replaceContainer(
    current: ContainerInfo,
    definition: ContainerDefinition,
    ifMatch: string | undefined,
  ): Promise<ContainerInfo | undefined> {
    const known = await this.#looking().findContainer(current.databaseId, definition.id);
    if (known !== undefined && known.rid === current.rid) {
      // What is too old by the definition before is gone, whatever the next one says.
      await tidyVersions(this.#containerOf(current.databaseId, known), undefined);
    }
    const row = await this.#database.transaction(MANAGING, (session) =>
      redefineContainer(
        session,
        this.#database,
        (found) => this.#containerOf(current.databaseId, found),
        current,
        definition,
        ifMatch,
        this.#stamp(),
      ),
    );
    if (row === undefined) {
      return undefined;
    }
    this.#containers.get(row.number)?.notice(row);
    this.#indexes.schedule();
    return containerInfoOf(current.databaseId, row);
  }

  protected _deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean> {
    return this.#manage((resources) => resources.deleteContainer(databaseId, id, ifMatch));
  }

  protected async _container<T extends object>(
    container: ContainerInfo,
    schema: StandardSchemaLike | undefined,
  ): Promise<PostgresDocumentStore<T> | undefined> {
    const { databaseId, definition, rid } = container;
    const row = await this.#looking().findContainer(databaseId, definition.id);
    return row === undefined || row.rid !== rid ? undefined : this.#store<T>(databaseId, row, schema);
  }

  protected override async _catalog(): Promise<PostgresDocumentStore<CatalogDocument>> {
    const definition = defineContainer({ id: 'catalog', partitionKey: '/scope' });
    const row =
      (await this.#looking().findCatalog()) ?? (await this.#manage((resources) => resources.openCatalog(definition, this.#stamp())));
    return this.#store<CatalogDocument>('', row, undefined);
  }

  protected override async *_snapshot({ asOfMs, signal }: SnapshotRequest): AsyncGenerator<Iterable<SnapshotBody>> {
    const takenAtMs = asOfMs ?? this.runtime.nowMs();
    for (const { databaseId, row } of await this.#looking().listAllContainers()) {
      await tidyVersions(this.#containerOf(databaseId, row), signal);
    }
    const { runtime } = this;
    const { prefix } = this.#database;
    yield* this.#database.readAtOnce(SNAPSHOT, (session) => readSnapshot({ session, prefix, runtime, takenAtMs, asOfMs, signal }));
  }

  protected override async _restore({ replace, signal, load }: RestoreRequest): Promise<void> {
    const { prefix, logger } = this.#database;
    const tables = new LongConnection(this.#columns.connecting, this.#database, SNAPSHOT, signal);
    try {
      await this.#database.transaction(
        SNAPSHOT,
        async (session) => {
          await session.rows({ text: 'SET LOCAL idle_in_transaction_session_timeout = 0' });
          const parts = { session, tables, prefix, runtime: this.runtime, stamp: () => this.#stamp() };
          const restore = await PostgresRestore.begin(parts, replace);
          await load(restore);
          await restore.finish();
        },
        { mode: 'once', signal },
      );
      this.#containers.clear();
    } finally {
      await tables.end();
      await dropDeletedDatabases(this.#database).catch((error: unknown) =>
        logger.log('warn', 'What a restore replaced could not be dropped; it is tried again.', { error }),
      );
    }
    await this.#views?.refresh();
  }

  protected async _close(): Promise<void> {
    await this.#host.replicas?.close();
    await this.#automatic.settled();
    await this.#indexes.close();
    await this.#sweeper.close();
    await this.#views?.close();
    await this.#signals?.close();
    await this.#database.close();
  }

  #store<T extends object>(databaseId: string, row: ContainerRow, schema: StandardSchemaLike | undefined): PostgresDocumentStore<T> {
    return new PostgresDocumentStore<T>(this.#containerOf(databaseId, row), {
      capabilities: this.capabilities,
      schema,
      watch: (container, listener) => this.#watch.watch(container, listener),
    });
  }

  /** The container of a row as its stores share it. */
  #containerOf(databaseId: string, row: ContainerRow): PostgresContainer {
    let container = this.#containers.get(row.number);
    if (container === undefined) {
      container = new PostgresContainer(this.#host, databaseId, row);
      const { number } = row;
      container.onCommit(() => this.#signals?.committed(number));
      this.#automatic.observe(container);
      this.#containers.set(number, container);
    }
    container.notice(row);
    return container;
  }

  async #mortalContainers(): Promise<readonly PostgresContainer[]> {
    const found = await this.#looking().listAllContainers();
    return found
      .map(({ databaseId, row }) => this.#containerOf(databaseId, row))
      .filter((container) => container.isRecording || container.info.definition.defaultTtl !== undefined);
  }

  #looking(): Resources {
    return new Resources({ rows: (statement) => this.#database.read(LOOKING, statement) }, this.#database.prefix);
  }

  #manage<R>(work: (resources: Resources) => Promise<R>): Promise<R> {
    return this.#database.transaction(MANAGING, (session) => work(new Resources(session, this.#database.prefix)));
  }

  /** Stamp of a database or container that is written now; the incarnation is drawn from chance, so that no two are ever the same. */
  #stamp(): ContainerStamp {
    const incarnation = toHex(this.runtime.randomBytes(6));
    return { etag: `"${incarnation}"`, incarnation, ts: Math.floor(this.runtime.nowMs() / 1000) };
  }
}
