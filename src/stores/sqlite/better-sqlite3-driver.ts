import { PerigeeError } from '../../core/errors.ts';
import type { SqliteConnection, SqliteConnectionOptions, SqliteDriver, SqliteStep } from './driver.ts';
import { retainNativeObject } from './native-objects.ts';
import { wrapSqliteError } from './sqlite-errors.ts';

/** The part of a better-sqlite3 statement that Perigee uses. */
interface BetterSqlite3StatementLike {
  run(parameters: readonly unknown[]): { readonly changes: number };
  get(parameters: readonly unknown[]): unknown;
  all(parameters: readonly unknown[]): unknown[];
}

/** The part of a better-sqlite3 database that Perigee uses. */
export interface BetterSqlite3DatabaseLike {
  prepare(sql: string): BetterSqlite3StatementLike;
  close(): unknown;
}

/** The class that the package `better-sqlite3` exports. */
export type BetterSqlite3Constructor = new (
  path: string,
  options: { readonly readonly: boolean; readonly timeout: number },
) => BetterSqlite3DatabaseLike;

/** Statements kept prepared; the oldest is dropped beyond it, since texts of queries are without number. */
const MAX_STATEMENTS = 500;

class BetterSqlite3Connection implements SqliteConnection {
  readonly executeSync: (step: SqliteStep) => unknown;
  readonly #database: BetterSqlite3DatabaseLike;
  readonly #statements = new Map<string, BetterSqlite3StatementLike>();
  readonly #path: string;

  constructor(database: BetterSqlite3DatabaseLike, path: string) {
    this.#database = database;
    this.#path = path;
    this.executeSync = (step) => this.#execute(step);
  }

  execute(step: SqliteStep): Promise<unknown> {
    try {
      return Promise.resolve(this.#execute(step));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  close(): Promise<void> {
    try {
      this.#database.close();
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(wrapSqliteError(error, `close the store ${JSON.stringify(this.#path)}`));
    }
  }

  #execute(step: SqliteStep): unknown {
    try {
      const statement = this.#statements.get(step.sql) ?? this.#prepare(step.sql);
      switch (step.mode) {
        case 'run':
          return statement.run(step.parameters).changes;
        case 'get':
          return statement.get(step.parameters);
        case 'all':
          return statement.all(step.parameters);
        default:
          return step.mode satisfies never;
      }
    } catch (error) {
      throw wrapSqliteError(error, `use the store ${JSON.stringify(this.#path)}`);
    }
  }

  #prepare(sql: string): BetterSqlite3StatementLike {
    const statement = retainNativeObject(this.#database.prepare(sql));
    if (this.#statements.size >= MAX_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value as string);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Options of {@link betterSqlite3Driver}. */
export interface BetterSqlite3DriverOptions {
  /**
   * Called with each new connection before any statement of the store, for what has to come first, such as the key of an encrypted file. What it throws closes the connection, and the store is not
   * opened.
   */
  readonly onOpen?: ((database: BetterSqlite3DatabaseLike, options: SqliteConnectionOptions) => void) | undefined;
}

/** Opens one connection of the class given. @throws what {@link wrapSqliteError} gives */
export function connectBetterSqlite3(
  constructor: BetterSqlite3Constructor,
  options: SqliteConnectionOptions,
  onOpen?: BetterSqlite3DriverOptions['onOpen'],
): SqliteConnection {
  try {
    const database = retainNativeObject(new constructor(options.path, { readonly: options.readOnly, timeout: options.busyTimeoutMs }));
    try {
      onOpen?.(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
    return new BetterSqlite3Connection(database, options.path);
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_DLOPEN_FAILED') {
      throw new PerigeeError(
        'DRIVER_MISSING',
        'Cannot load "better-sqlite3": it was built for another version of Node or another machine. Run: npm rebuild better-sqlite3',
        { cause: error, details: { package: 'better-sqlite3' } },
      );
    }
    throw wrapSqliteError(error, `open the store ${JSON.stringify(options.path)}`);
  }
}

/** Imports the package. @throws DRIVER_MISSING */
export async function importBetterSqlite3(): Promise<BetterSqlite3Constructor> {
  try {
    const module = (await import('better-sqlite3')) as unknown as { readonly default: BetterSqlite3Constructor };
    return module.default;
  } catch (cause) {
    throw new PerigeeError(
      'DRIVER_MISSING',
      'Cannot import "better-sqlite3", which the SQLite store needs. Install it (version 12), or pass its class as { driver }.',
      { cause, details: { package: 'better-sqlite3' } },
    );
  }
}

/** better-sqlite3 in this thread, which answers at once; the package is imported when none is given. */
export function betterSqlite3Driver(constructor?: BetterSqlite3Constructor, { onOpen }: BetterSqlite3DriverOptions = {}): SqliteDriver {
  return {
    name: 'better-sqlite3',
    open: async (options) => connectBetterSqlite3(constructor ?? (await importBetterSqlite3()), options, onOpen),
  };
}
