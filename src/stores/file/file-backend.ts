import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { silentLogger } from '../../core/logger.ts';
import { systemRuntime, toHex } from '../../core/runtime.ts';
import { prepareUserFunctions } from '../../query/user-functions.ts';
import type { CatalogDocument, ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { BaseBackend, type CreateRefusal } from '../../store/base-backend.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { checkContainerEtag } from '../../store/container-etag.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import { loadedEngine, QUERY_ENGINE } from '../common/query-engine.ts';
import { fileCapabilities } from './file-capabilities.ts';
import type { FileContainer } from './file-container.ts';
import { FileDocumentStore } from './file-document-store.ts';
import { wrapFileError } from './file-errors.ts';
import { checkFileOptions, DEFAULT_MAX_FILE_BYTES, type FileBackendOptions } from './file-options.ts';
import { FolderDatabase, makeDatabaseFolder, type ContainerSlot, type OpenFolder } from './folder-database.ts';
import { FolderLock } from './folder-lock.ts';
import { numberAll, PRIVATE_FOLDER, scanFolder } from './folder-scan.ts';
import { openCatalog } from './open-catalog.ts';
import { replaceFile } from './replace-file.ts';
import { makePrivateFolder, tidyFolder } from './tidy-folder.ts';

/**
 * Opens a backend over a folder: one folder in it a database, one JSON-lines file a container, one document a line, in the order of creation. A
 * person can read the files, compare two versions of them, and write them: a file of plain documents is a container, whose definition is
 * `NAME.container.json` beside it, or else the partition key `/id`.
 *
 * All documents of a container are in memory once it is opened, so this is for small data and fixtures. One process writes to a folder at a time.
 * An acknowledged write survives SIGKILL (see {@link FileBackendOptions.synchronous}). A line that cannot be read is reported by its number when its
 * container is opened (STORE_CORRUPT), and nothing is overwritten; other containers can be used. Files may be edited while no backend is open; an
 * edit of a file in use is noticed, and later writes to it are refused (STORE_CHANGED).
 *
 * @throws INVALID_OPTION, STORE_BUSY (another process has the folder), STORE_READ_ONLY, STORE_FULL, STORE_IO
 *
 * @example
 * ```ts
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { openFileBackend } from 'perigee/file';
 *
 * const folder = mkdtempSync(join(tmpdir(), 'fixtures-'));
 * const backend = await openFileBackend({ folder });
 * await backend.createDatabase('shop');
 * await backend.createContainer('shop', { id: 'orders', partitionKey: '/customer' });
 * const orders = await backend.container('shop', 'orders');
 * await orders.create({ id: '17', customer: 'ada', total: 3 });
 * await backend.close();
 *
 * const [line = ''] = readFileSync(join(folder, 'shop', 'orders.jsonl'), 'utf8').split('\n');
 * console.log(line.slice(0, line.indexOf(',"_ts"'))); // -> {"id":"17","customer":"ada","total":3
 * ```
 */
export async function openFileBackend(options: FileBackendOptions): Promise<FileBackend> {
  checkFileOptions(options);
  const userFunctions = prepareUserFunctions(options.userDefinedFunctions);
  const root = resolve(options.folder);
  const runtime = options.runtime ?? systemRuntime;
  const logger = options.logger ?? silentLogger;
  const readOnly = options.readOnly ?? false;
  const privateFolder = join(root, PRIVATE_FOLDER);
  let lock: FolderLock | undefined;
  try {
    if (!readOnly) {
      if (statSync(root, { throwIfNoEntry: false }) === undefined) {
        mkdirSync(root);
      }
      makePrivateFolder(privateFolder);
      lock = FolderLock.acquire(privateFolder, runtime);
    }
    const held = lock;
    const open: OpenFolder = {
      root,
      privateFolder,
      settings: {
        runtime,
        logger,
        readOnly,
        synchronous: options.synchronous ?? 'normal',
        maxFileBytes: options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES,
        foldAfterMs: options.foldAfterMs ?? 1000,
        userFunctions,
        isLocked: () => held?.isHeld() ?? false,
      },
      stamp: () => ({ etag: `"${toHex(runtime.randomBytes(8))}"`, ts: Math.floor(runtime.nowMs() / 1000) }),
    };
    if (held !== undefined) {
      tidyFolder(open, held.tookOver);
    }
    return new FileBackend(open, held);
  } catch (error) {
    lock?.release();
    throw wrapFileError(error, `open the folder ${JSON.stringify(root)}`);
  }
}

/** Databases and containers as files in a folder; see {@link openFileBackend}. */
export class FileBackend extends BaseBackend {
  readonly name = 'file';
  readonly capabilities: StoreCapabilities;
  readonly #open: OpenFolder;
  readonly #lock: FolderLock | undefined;
  readonly #databases = new Map<string, FolderDatabase>();
  readonly #catalog: FileContainer;
  #lastDatabase = 0;
  #managing: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(open: OpenFolder, lock: FolderLock | undefined) {
    super(open.settings.runtime, 'file backend');
    this.capabilities = fileCapabilities(open.settings.synchronous);
    this.#open = open;
    this.#lock = lock;
    const found = scanFolder(open.root);
    const numbers = numberAll(found, ({ store }) => store.number);
    for (const one of found.toSorted((left, right) => (numbers.get(left) ?? 0) - (numbers.get(right) ?? 0))) {
      this.#databases.set(one.id, new FolderDatabase(open, numbers.get(one) ?? 0, one));
    }
    this.#lastDatabase = Math.max(readLastDatabase(this.#lastDatabasePath), ...numbers.values());
    this.#catalog = openCatalog(open);
  }

  get #lastDatabasePath(): string {
    return join(this.#open.privateFolder, 'last-database');
  }

  protected override async _loadRules(): Promise<void> {
    await QUERY_ENGINE.load();
  }

  protected override _checkDefinition(definition: ContainerDefinition, current?: ContainerDefinition): void {
    loadedEngine().checkContainer(definition, current);
  }

  protected _createDatabase(id: string): Promise<DatabaseInfo | 'exists'> {
    return this.#manage<DatabaseInfo | 'exists'>(`create the database ${JSON.stringify(id)}`, () => {
      if (this.#databases.has(id)) {
        return 'exists';
      }
      const folder = makeDatabaseFolder(this.#open.root, id);
      const store = this.#open.stamp();
      const database = new FolderDatabase(this.#open, this.#lastDatabase + 1, {
        id,
        folder,
        store,
        damage: undefined,
        changedTs: 0,
        containers: [],
      });
      database.write();
      this.#lastDatabase = database.number;
      this.#databases.set(id, database);
      return database.info;
    });
  }

  protected async _readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    return this.#usable(id)?.info;
  }

  protected async _listDatabases(): Promise<readonly DatabaseInfo[]> {
    return [...this.#databases.keys()].map((id) => this.#usable(id)?.info).filter((info) => info !== undefined);
  }

  protected _deleteDatabase(id: string): Promise<boolean> {
    return this.#manage(`delete the database ${JSON.stringify(id)}`, async () => {
      const database = this.#databases.get(id);
      if (database === undefined) {
        return false;
      }
      database.assertRemovable();
      this.#databases.delete(id);
      await database.remove();
      if (database.number === this.#lastDatabase) {
        // Its number is shown by nothing else now, and must not come again.
        replaceFile(this.#lastDatabasePath, `${this.#lastDatabase}\n`, this.runtime);
      }
      return true;
    });
  }

  protected _createContainer(databaseId: string, definition: ContainerDefinition): Promise<ContainerInfo | CreateRefusal> {
    return this.#manage<ContainerInfo | CreateRefusal>(`create the container ${JSON.stringify(definition.id)}`, () => {
      const database = this.#usable(databaseId);
      if (database === undefined) {
        return 'no-database';
      }
      return database.containers.has(definition.id) ? 'exists' : database.createContainer(definition).resident.info;
    });
  }

  protected async _readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined> {
    return this.#find(databaseId, id)?.resident.info;
  }

  protected async _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined> {
    const database = this.#usable(databaseId);
    return database === undefined ? undefined : [...database.containers.values()].map((slot) => usableFile(slot).resident.info);
  }

  protected _replaceContainer(
    current: ContainerInfo,
    definition: ContainerDefinition,
    ifMatch: string | undefined,
  ): Promise<ContainerInfo | undefined> {
    return this.#manage(`replace the container ${JSON.stringify(definition.id)}`, async () => {
      const file = this.#find(current.databaseId, definition.id);
      if (file === undefined || file.resident.info.rid !== current.rid) {
        return undefined;
      }
      checkContainerEtag(definition.id, file.resident.info.etag, ifMatch);
      await file.replaceDefinition({ ...current, definition, ...this.#open.stamp() });
      return file.resident.info;
    });
  }

  protected _deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean> {
    return this.#manage(`delete the container ${JSON.stringify(id)}`, async () => {
      const database = this.#usable(databaseId);
      const slot = database?.containers.get(id);
      if (database === undefined || slot === undefined) {
        return false;
      }
      // Nobody has read the etag of a container whose files are damaged.
      checkContainerEtag(id, slot.file?.resident.info.etag ?? '', ifMatch);
      await database.deleteContainer(id);
      return true;
    });
  }

  protected async _container<T extends object = JsonObject>(
    info: ContainerInfo,
    schema: StandardSchemaLike | undefined,
  ): Promise<FileDocumentStore<T> | undefined> {
    const file = this.#find(info.databaseId, info.definition.id);
    await file?.load();
    return file === undefined || file.resident.info.rid !== info.rid || file.resident.isDeleted
      ? undefined
      : this.#storeOf<T>(file, schema);
  }

  protected override async _catalog(): Promise<FileDocumentStore<CatalogDocument>> {
    await this.#catalog.load();
    return this.#storeOf<CatalogDocument>(this.#catalog, undefined);
  }

  protected override async _flush(): Promise<void> {
    for (const file of this.#files()) {
      file.flush();
    }
  }

  protected async _close(): Promise<void> {
    await this.#managing;
    for (const file of this.#files()) {
      await file.close();
    }
    this.#lock?.release();
  }

  #storeOf<T extends object>(file: FileContainer, schema: StandardSchemaLike | undefined): FileDocumentStore<T> {
    return new FileDocumentStore<T>(file, this.runtime, schema, this.capabilities);
  }

  *#files(): Generator<FileContainer> {
    yield this.#catalog;
    for (const { containers } of this.#databases.values()) {
      for (const { file } of containers.values()) {
        if (file !== undefined) {
          yield file;
        }
      }
    }
  }

  /** @throws the refusal of a database that cannot be used */
  #usable(id: string): FolderDatabase | undefined {
    const database = this.#databases.get(id);
    if (database?.damage !== undefined) {
      throw database.damage;
    }
    return database;
  }

  #find(databaseId: string, id: string): FileContainer | undefined {
    const slot = this.#usable(databaseId)?.containers.get(id);
    return slot === undefined ? undefined : usableFile(slot);
  }

  /** Runs one change of the folder after the other. */
  #manage<R>(what: string, work: () => R | Promise<R>): Promise<R> {
    const run = this.#managing.then(async () => {
      if (this.#open.settings.readOnly) {
        throw new PerigeeError('STORE_READ_ONLY', `Cannot ${what}: the folder was opened to read only.`);
      }
      try {
        return await work();
      } catch (error) {
        throw wrapFileError(error, what);
      }
    });
    this.#managing = run.catch(() => undefined);
    return run;
  }
}

/** @throws the refusal of a container that cannot be used */
function usableFile(slot: ContainerSlot): FileContainer {
  if (slot.file === undefined) {
    throw slot.damage;
  }
  return slot.file;
}

function readLastDatabase(path: string): number {
  const number = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
