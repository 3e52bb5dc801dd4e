import { open as openFile } from 'node:fs/promises';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ScalarFunction } from '../../query/functions/function-entry.ts';
import { abortable } from '../../store/call-tracker.ts';
import { get, type Program, type SqliteConnection, type SqliteDriver, type SqliteStep } from './driver.ts';
import { endLog, endLogOnceClosed } from './end-log.ts';
import { FileLock, SharedSetLock, type ExclusiveLock } from './exclusive-lock.ts';
import { closeAfter, lookBeforeOpening } from './open-file.ts';
import { openToRead, type ReadableFile } from './read-only-file.ts';
import { runAsync, runSync, runTransaction } from './run-program.ts';
import { checkHeader, checkVersion, migrate, migrateComponent, MIGRATIONS, readHeader, type Migration } from './schema.ts';
import { wrapSqliteError } from './sqlite-errors.ts';
import { BUSY_SLICE_MS, untilFree } from './until-free.ts';
import { WriterQueue } from './writer-queue.ts';

const step = (mode: SqliteStep['mode'], sql: string): SqliteStep => ({ mode, sql, parameters: [] });

const BEGIN = step('run', 'BEGIN IMMEDIATE');
const COMMIT = step('run', 'COMMIT');
const ROLLBACK = step('run', 'ROLLBACK');
const DATA_VERSION = step('get', 'PRAGMA data_version');

/** Options of {@link SqliteDatabase.open}. */
export interface SqliteDatabaseOptions {
  /** Path of the file, or `:memory:`. The folder must exist. */
  readonly path: string;
  readonly driver: SqliteDriver;
  readonly runtime: Runtime;
  /** `normal`: a commit survives the end of the process; `full`: also a loss of power. */
  readonly synchronous: 'normal' | 'full';
  /** How long a call waits for the write lock of another process before STORE_BUSY. */
  readonly busyTimeoutMs: number;
  /** Largest size of the file in pages of 4,096 bytes; a write beyond it raises STORE_FULL. */
  readonly maxPageCount?: number | undefined;
  /** What queries call as `udf.name(…)`; none unless said otherwise. */
  readonly userFunctions?: ReadonlyMap<string, ScalarFunction> | undefined;
  readonly logger?: Logger | undefined;
  /** Nothing is written, neither to the file nor beside it. */
  readonly readOnly?: boolean | undefined;
  /** @internal the schema; tests give an older or a newer one */
  readonly migrations?: readonly Migration[] | undefined;
}

/** Runs programs within an interactive transaction. */
export type ProgramRunner = <T>(program: Program<T>) => Promise<T>;

/**
 * One SQLite file, or one database in memory: one writer at a time in the process, any number of processes on the file.
 *
 * {@link write} runs a program in a transaction and resolves after the commit. {@link read} sees committed data only. With a driver that answers
 * at once both run to their end without giving way to other tasks. What a caller remembers of the file holds as long as {@link epoch} stays.
 */
export class SqliteDatabase {
  readonly path: string;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly userFunctions: ReadonlyMap<string, ScalarFunction>;
  readonly #options: SqliteDatabaseOptions;
  readonly #writer: SqliteConnection;
  readonly #queue = new WriterQueue();
  readonly #beforeCommit = new Set<() => Program<unknown>>();
  readonly #afterCommit = new Set<() => void>();
  /** Locks that are held on a database in memory. */
  readonly #heldLocks = new Set<string>();
  #reader: Promise<SqliteConnection> | undefined;
  #dataVersion = -1;
  #epoch = 1;
  /** Whether the writer's transaction is open while other tasks run. */
  #interactive = false;
  #beganMs: number | undefined;
  /** What is read where nothing is written. */
  readonly #readable: ReadableFile | undefined;

  private constructor(options: SqliteDatabaseOptions, writer: SqliteConnection, readable?: ReadableFile) {
    this.path = options.path;
    this.runtime = options.runtime;
    this.logger = options.logger ?? silentLogger;
    this.userFunctions = options.userFunctions ?? new Map();
    this.#options = options;
    this.#writer = writer;
    this.#readable = readable;
  }

  /**
   * Opens the file, creates it where there is none, and brings its schema forward. A file that is damaged, foreign or newer is only read. With
   * `readOnly` it is only read in any case, and must be there.
   *
   * @throws STORE_CORRUPT, STORE_TOO_NEW, STORE_READ_ONLY, STORE_BUSY, STORE_FULL, STORE_IO, DRIVER_MISSING, NOT_SUPPORTED for a driver whose SQLite
   *   is too old; NOT_FOUND with `readOnly` where there is no file
   */
  static async open(options: SqliteDatabaseOptions): Promise<SqliteDatabase> {
    const migrations = options.migrations ?? MIGRATIONS;
    if (options.readOnly === true) {
      const readable = await untilFree(options, () => openToRead({ ...options, busyTimeoutMs: BUSY_SLICE_MS }, migrations));
      return new SqliteDatabase(options, readable.connection, readable);
    }
    await untilFree(options, () => lookBeforeOpening({ ...options, busyTimeoutMs: BUSY_SLICE_MS }, migrations.length));
    const writer = await options.driver.open({ path: options.path, readOnly: false, busyTimeoutMs: BUSY_SLICE_MS });
    const database = new SqliteDatabase(options, writer);
    try {
      await database.#prepare(migrations);
    } catch (error) {
      throw await closeAfter(error, writer, database.logger);
    }
    return database;
  }

  get isInMemory(): boolean {
    return this.path === ':memory:';
  }

  /** Whether nothing can be written. */
  get isReadOnly(): boolean {
    return this.#readable !== undefined;
  }

  /** Changes whenever something outside the caller's knowledge may have changed the file: a commit of another process, or an undone transaction. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether statements run in this thread, so that a long one would hold up other tasks. */
  get isSynchronous(): boolean {
    return this.#writer.executeSync !== undefined;
  }

  /** One time for all that the transaction under way writes, since it is committed as one: that of its first write that asks for it. */
  takeWriteMs(): number {
    this.#beganMs ??= this.runtime.nowMs();
    return this.#beganMs;
  }

  /** {@link takeWriteMs}, where somebody has asked for it. */
  get writeMs(): number | undefined {
    return this.#beganMs;
  }

  /** Makes all callers forget what they remember of the file. Call it within a write that changes definitions. */
  invalidate(): void {
    this.#epoch += 1;
  }

  /** Adds a program that runs at the end of the transaction under way, once however often it was added. */
  beforeCommit(program: () => Program<unknown>): void {
    this.#beforeCommit.add(program);
  }

  /** Adds a function that is called when the transaction under way has committed, once however often it was added. */
  afterCommit(listener: () => void): void {
    this.#afterCommit.add(listener);
  }

  /**
   * Runs a program in a transaction of its own: all it wrote is committed when this resolves, or nothing when it rejects.
   *
   * @param create makes the program; called again when the lock was taken by another process.
   * @throws STORE_BUSY, STORE_FULL, STORE_READ_ONLY, STORE_IO, STORE_CORRUPT, and what the program throws
   */
  async write<T>(create: () => Program<T>, signal?: AbortSignal): Promise<T> {
    this.#assertWritable();
    const execute = this.#writer.executeSync;
    if (execute !== undefined && this.#queue.tryEnter()) {
      try {
        return this.#writeSync(execute, create);
      } catch (error) {
        if (!isPerigeeError(error, 'STORE_BUSY')) {
          throw error;
        }
      } finally {
        this.#queue.leave();
      }
    }
    return this.#queue.run(signal, () =>
      this.#untilFree(async () => (execute === undefined ? this.#writeAsync(create) : this.#writeSync(execute, create)), signal),
    );
  }

  /** {@link write} through another connection to the file, while this one reads on; writes of this process wait for their turn. */
  writeThrough<T>(connection: SqliteConnection, create: () => Program<T>): Promise<T> {
    return this.#queue.run(undefined, () => this.#untilFree(() => runTransaction(connection, create)));
  }

  /** Runs a program outside any transaction; it sees committed data only, and statements of one program may see different commits. */
  read<T>(create: () => Program<T>): Promise<T> {
    const execute = this.#writer.executeSync;
    if (execute !== undefined && !this.#interactive) {
      try {
        return Promise.resolve(runSync(execute, create()));
      } catch (error) {
        return isPerigeeError(error, 'STORE_BUSY') ? this.#readElsewhere(create) : Promise.reject(error as Error);
      }
    }
    return this.#readElsewhere(create);
  }

  /** One statement as {@link read} would run it; answers at once where the driver does. */
  readStep(statement: SqliteStep): unknown {
    const execute = this.#writer.executeSync;
    // A file that is only read may be without a log, and then its writer may hold up readers for a moment.
    if (execute !== undefined && !this.#interactive && !this.isReadOnly) {
      try {
        return execute(statement);
      } catch (error) {
        // Another process recovers the log; rare, and soon over.
        if (!isPerigeeError(error, 'STORE_BUSY')) {
          throw error;
        }
      }
    }
    return this.read(function* () {
      return yield statement;
    });
  }

  /**
   * Runs `work` in one transaction that stays open between its calls; all other writes wait. Its programs see its own writes, readers outside do not.
   *
   * It commits when `work` resolves and undoes everything when `work` rejects or the signal aborts.
   */
  async transaction<T>(work: (run: ProgramRunner) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#assertWritable();
    return this.#queue.run(signal, async () => {
      await this.#untilFree(() => this.#writer.execute(BEGIN), signal);
      this.#interactive = true;
      let open = true;
      // Checked for each statement: a program that is still running when the transaction is undone must not go on outside it.
      const guarded: Pick<SqliteConnection, 'execute'> = {
        execute: (statement) =>
          open
            ? this.#writer.execute(statement)
            : Promise.reject(new PerigeeError('CLOSED', 'The transaction is over. Begin another one.')),
      };
      const runner: ProgramRunner = (program) => runAsync(guarded, program);
      try {
        this.#noticeCommits((await this.#writer.execute(DATA_VERSION)) as { readonly data_version: number });
        const pending = work(runner);
        const result = await (signal === undefined ? pending : abortable(pending, signal));
        open = false;
        await runAsync(this.#writer, this.#finish());
        await this.#writer.execute(COMMIT);
        this.#interactive = false;
        this.#committed();
        return result;
      } catch (error) {
        open = false;
        throw await this.#undo(error);
      } finally {
        this.#interactive = false;
      }
    });
  }

  /**
   * Reads through a connection of its own in one transaction, which sees the file as it is when the first program runs, whatever is written meanwhile.
   * It ends when the reading does, or is left. Not in memory, where there is one connection.
   */
  async *readAtOnce<T>(work: (read: <R>(create: () => Program<R>) => Promise<R>) => AsyncIterable<T>): AsyncGenerator<T> {
    const connection = await this.#options.driver.open({ path: this.#readPath, readOnly: true, busyTimeoutMs: BUSY_SLICE_MS });
    try {
      await this.#untilFree(() => connection.execute(step('run', 'BEGIN')));
      yield* work((create) => this.#untilFree(() => runAsync(connection, create())));
    } finally {
      await connection.close();
    }
  }

  /** Brings the tables of a named part of the system to its newest version, in the same file. @throws STORE_TOO_NEW */
  ensureTables(name: string, migrations: readonly Migration[]): Promise<void> {
    return this.write(() => migrateComponent(name, migrations));
  }

  /**
   * A lock by a name of its own, which one at a time holds: over all processes for a file, and among those who share this object in memory. The file of the
   * lock lies beside this one. It has nothing to do with reading and writing.
   */
  lock(name: string): ExclusiveLock {
    return this.isInMemory ? new SharedSetLock(this.#heldLocks, name) : FileLock.beside(this.path, name, this.#options.driver);
  }

  /** Whether another connection committed since the last look. */
  async pollCommits(): Promise<boolean> {
    const before = this.#epoch;
    if (!this.#interactive) {
      await this.#queue.run(undefined, () =>
        this.#untilFree(async () => this.#noticeCommits((await this.#writer.execute(DATA_VERSION)) as { readonly data_version: number })),
      );
    }
    return this.#epoch !== before;
  }

  /** Resolves when everything committed so far survives a loss of power. */
  async flush(): Promise<void> {
    if (this.isInMemory || this.isReadOnly) {
      return;
    }
    const row = await this.#queue.run(undefined, () =>
      this.#untilFree(() =>
        runAsync(this.#writer, get<{ busy: number; log: number; checkpointed: number }>('PRAGMA wal_checkpoint(FULL)')),
      ),
    );
    if (row !== undefined && (row.busy !== 0 || row.log !== row.checkpointed)) {
      // A reader of another process holds the checkpoint back; the log itself then has to reach the disk.
      await syncFile(`${this.path}-wal`);
    }
  }

  /**
   * Waits for the writer, then closes; the last one on the file folds the write-ahead log into it, and leaves a file that can be read without any
   * other beside it.
   */
  close(): Promise<void> {
    return this.#queue.run(undefined, async () => {
      const reader = this.#reader;
      this.#reader = undefined;
      let isEnded = true;
      try {
        await (await reader)?.close();
        isEnded = this.isInMemory || this.isReadOnly || (await endLog(this.#writer, this.logger));
      } finally {
        await this.#writer.close();
        await this.#readable?.dispose();
      }
      if (!isEnded) {
        await endLogOnceClosed({ path: this.path, driver: this.#options.driver, logger: this.logger });
      }
    });
  }

  /** @throws STORE_READ_ONLY */
  #assertWritable(): void {
    if (this.isReadOnly) {
      throw new PerigeeError('STORE_READ_ONLY', `Cannot write to the store ${JSON.stringify(this.path)}: it was opened to read only.`);
    }
  }

  async #prepare(migrations: readonly Migration[]): Promise<void> {
    const { synchronous, maxPageCount, driver } = this.#options;
    // The first statement of a connection reads the schema, whatever it says.
    await this.#untilFree(() => runAsync(this.#writer, checkVersion(driver.name)));
    checkHeader(await this.#untilFree(() => runAsync(this.#writer, readHeader())), this.path, migrations.length);
    const settings = [
      step('get', 'PRAGMA journal_mode = WAL'),
      step('run', `PRAGMA synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`),
      ...(maxPageCount === undefined ? [] : [step('get', `PRAGMA max_page_count = ${maxPageCount}`)]),
    ];
    for (const setting of settings) {
      await this.#untilFree(() => this.#writer.execute(setting));
    }
    // A write transaction also where nothing is to be done: it shows that the file can be written.
    await this.write(() => migrate(this.path, migrations));
  }

  #writeSync<T>(execute: (statement: SqliteStep) => unknown, create: () => Program<T>): T {
    execute(BEGIN);
    let result: T;
    try {
      this.#noticeCommits(execute(DATA_VERSION) as { readonly data_version: number });
      result = runSync(execute, create());
      if (this.#beforeCommit.size > 0) {
        runSync(execute, this.#finish());
      }
      execute(COMMIT);
    } catch (error) {
      throw this.#undoSync(execute, error);
    }
    this.#committed();
    return result;
  }

  async #writeAsync<T>(create: () => Program<T>): Promise<T> {
    await this.#writer.execute(BEGIN);
    this.#interactive = true;
    let result: T;
    try {
      this.#noticeCommits((await this.#writer.execute(DATA_VERSION)) as { readonly data_version: number });
      result = await runAsync(this.#writer, create());
      await runAsync(this.#writer, this.#finish());
      await this.#writer.execute(COMMIT);
    } catch (error) {
      throw await this.#undo(error);
    } finally {
      this.#interactive = false;
    }
    this.#committed();
    return result;
  }

  *#finish(): Program<void> {
    for (const program of this.#beforeCommit) {
      this.#beforeCommit.delete(program);
      yield* program();
    }
  }

  #noticeCommits(row: { readonly data_version: number }): void {
    if (row.data_version !== this.#dataVersion) {
      this.#dataVersion = row.data_version;
      this.#epoch += 1;
    }
  }

  #committed(): void {
    this.#beganMs = undefined;
    if (this.#afterCommit.size > 0) {
      const listeners = Array.from(this.#afterCommit);
      this.#afterCommit.clear();
      for (const listener of listeners) {
        listener();
      }
    }
  }

  #undoSync(execute: (statement: SqliteStep) => unknown, error: unknown): unknown {
    try {
      execute(ROLLBACK);
    } catch (failure) {
      return this.#undone(error, failure);
    }
    return this.#undone(error, undefined);
  }

  async #undo(error: unknown): Promise<unknown> {
    try {
      await this.#writer.execute(ROLLBACK);
    } catch (failure) {
      return this.#undone(error, failure);
    }
    return this.#undone(error, undefined);
  }

  /** Forgets what the transaction left behind; gives the error to throw. */
  #undone(error: unknown, failure: unknown): unknown {
    this.#beforeCommit.clear();
    this.#afterCommit.clear();
    this.#beganMs = undefined;
    this.#epoch += 1;
    // SQLite itself ends the transaction on some errors, such as a full disk; then there is nothing to undo.
    if (failure === undefined || /no transaction is active/u.test(causeMessage(failure))) {
      return error;
    }
    this.logger.log('error', 'A transaction could not be undone.', { path: this.path });
    return isPerigeeError(error)
      ? new PerigeeError(error.code, error.message, { details: error.details, cause: new AggregateError([error, failure]) })
      : error;
  }

  #untilFree<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return untilFree(this.#options, attempt, signal);
  }

  get #readPath(): string {
    return this.#readable?.path ?? this.path;
  }

  #openReader(): Promise<SqliteConnection> {
    this.#reader ??= this.#options.driver

      .open({ path: this.#readPath, readOnly: true, busyTimeoutMs: BUSY_SLICE_MS })
      .catch((error: unknown) => {
        this.#reader = undefined;
        throw error;
      });
    return this.#reader;
  }

  async #readElsewhere<T>(create: () => Program<T>): Promise<T> {
    if (this.isInMemory) {
      return this.#queue.run(undefined, () => runAsync(this.#writer, create()));
    }
    const reader = await this.#openReader();
    return this.#untilFree(() => runAsync(reader, create()));
  }
}

function causeMessage(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause.message : '';
}

async function syncFile(path: string): Promise<void> {
  try {
    const file = await openFile(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw wrapSqliteError(
      Object.assign(new Error('fsync failed', { cause: error }), { code: 'SQLITE_IOERR_FSYNC' }),
      `flush ${JSON.stringify(path)}`,
    );
  }
}
