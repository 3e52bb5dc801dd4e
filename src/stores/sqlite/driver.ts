/** A value that SQLite stores or returns. Numbers are doubles; whole numbers must be safe integers. */
export type SqliteValue = null | number | string | Uint8Array;

/** A row of a result by column name. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

/** One statement with its values, a plain `?` for each: `run` answers how many rows it changed, `get` the first row or `undefined`, `all` every row. */
export interface SqliteStep {
  readonly mode: 'run' | 'get' | 'all';
  readonly sql: string;
  readonly parameters: readonly SqliteValue[];
}

/**
 * Work on a connection, written once for drivers that answer at once and for those that answer later: a generator that yields statements and
 * is resumed with their results. Compose programs with `yield*`; the helpers {@link run}, {@link get} and {@link all} are programs of one step.
 *
 * A failed statement is thrown into the program as a `PerigeeError`. A program holds no state outside its transaction, for it may be run again.
 */
export type Program<T> = Generator<SqliteStep, T, unknown>;

/** Runs a statement and gives the number of rows that it changed. */
export function* run(sql: string, ...parameters: readonly SqliteValue[]): Program<number> {
  return (yield { mode: 'run', sql, parameters }) as number;
}

/** Gives the first row of a statement. */
export function* get<R extends object = SqliteRow>(sql: string, ...parameters: readonly SqliteValue[]): Program<R | undefined> {
  return (yield { mode: 'get', sql, parameters }) as R | undefined;
}

/** Gives all rows of a statement; keep them few. */
export function* all<R extends object = SqliteRow>(sql: string, ...parameters: readonly SqliteValue[]): Program<readonly R[]> {
  return (yield { mode: 'all', sql, parameters }) as readonly R[];
}

/** One connection of a driver. Statements are prepared once per text. Errors are already `PerigeeError`s. */
export interface SqliteConnection {
  /** The fast path: answers at once. `undefined` on drivers that cannot. */
  readonly executeSync: ((step: SqliteStep) => unknown) | undefined;
  execute(step: SqliteStep): Promise<unknown>;
  close(): Promise<void>;
}

/** How a driver opens a connection. */
export interface SqliteConnectionOptions {
  /** `:memory:` for a database of this connection alone. */
  readonly path: string;
  readonly readOnly: boolean;
  /** How long a statement blocks while another connection holds the lock; short, since {@link SqliteDatabase} waits without blocking. */
  readonly busyTimeoutMs: number;
}

/** A way to reach SQLite. */
export interface SqliteDriver {
  readonly name: string;
  /** Files are no SQLite databases to who reads their bytes. `false` unless said otherwise. */
  readonly isEncrypted?: boolean | undefined;
  /** @throws DRIVER_MISSING, and what {@link wrapSqliteError} gives */
  open(options: SqliteConnectionOptions): Promise<SqliteConnection>;
}
