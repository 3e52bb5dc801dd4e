import { lstatSync, realpathSync } from 'node:fs';
import { isPerigeeError } from '../../core/errors.ts';
import type { SqliteConnection, SqliteDriver, SqliteStep } from './driver.ts';

const step = (mode: SqliteStep['mode'], sql: string): SqliteStep => ({ mode, sql, parameters: [] });

const TAKE = step('run', 'BEGIN EXCLUSIVE');
const RELEASE = step('run', 'ROLLBACK');
/** Reads the file, which its holder alone may do. */
const LOOK = step('get', 'SELECT count(*) FROM sqlite_schema');

/** A lock that one holder has at a time. */
export interface ExclusiveLock {
  /** Whether this one holds it. */
  readonly isHeld: boolean;
  /** Takes the lock unless somebody holds it, without waiting. Gives whether it did. */
  tryTake(): Promise<boolean>;
  release(): Promise<void>;
  /** Whether another holds it at this moment. */
  isTaken(): Promise<boolean>;
  /** Releases the lock, and whatever it was taken with. */
  close(): Promise<void>;
}

/** A lock among those who share the set. */
export class SharedSetLock implements ExclusiveLock {
  readonly #held: Set<string>;
  readonly #name: string;
  isHeld = false;

  constructor(held: Set<string>, name: string) {
    this.#held = held;
    this.#name = name;
  }

  tryTake(): Promise<boolean> {
    if (this.#held.has(this.#name)) {
      return Promise.resolve(false);
    }
    this.#held.add(this.#name);
    this.isHeld = true;
    return Promise.resolve(true);
  }

  release(): Promise<void> {
    if (this.isHeld) {
      this.isHeld = false;
      this.#held.delete(this.#name);
    }
    return Promise.resolve();
  }

  isTaken(): Promise<boolean> {
    return Promise.resolve(!this.isHeld && this.#held.has(this.#name));
  }

  close(): Promise<void> {
    return this.release();
  }
}

/**
 * A lock among all processes of a machine: an exclusive transaction on an SQLite file that stays empty. The operating system ends it with the process
 * that holds it, however that ends. The file stays where it is, for removing it would let two processes lock two files of one name.
 */
export class FileLock implements ExclusiveLock {
  readonly #driver: SqliteDriver;
  readonly #path: string;
  #connection: SqliteConnection | undefined;
  isHeld = false;

  /** @param path of the lock's own file; it is made when the lock is first taken */
  private constructor(driver: SqliteDriver, path: string) {
    this.#driver = driver;
    this.#path = path;
  }

  /** The lock by a name that lies beside a file. */
  static beside(path: string, name: string, driver: SqliteDriver): FileLock {
    return new FileLock(driver, `${resolveLink(path)}-${name}`);
  }

  /** @throws STORE_READ_ONLY, STORE_IO and others where the file cannot be used */
  async tryTake(): Promise<boolean> {
    this.#connection ??= await this.#driver.open({ path: this.#path, readOnly: false, busyTimeoutMs: 0 });
    try {
      await this.#connection.execute(TAKE);
    } catch (error) {
      if (isPerigeeError(error, 'STORE_BUSY')) {
        return false;
      }
      throw error;
    }
    this.isHeld = true;
    return true;
  }

  async release(): Promise<void> {
    if (!this.isHeld) {
      return;
    }
    this.isHeld = false;
    try {
      await this.#connection?.execute(RELEASE);
    } catch {
      // Whatever is wrong with the connection, closing it ends the lock.
      await this.close();
    }
  }

  async isTaken(): Promise<boolean> {
    if (this.isHeld) {
      return false;
    }
    const connection = this.#connection ?? (await this.#openToLook());
    try {
      await connection?.execute(LOOK);
      return false;
    } catch (error) {
      if (isPerigeeError(error, 'STORE_BUSY')) {
        return true;
      }
      throw error;
    } finally {
      if (connection !== this.#connection) {
        await connection?.close();
      }
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.isHeld = false;
    await connection?.close();
  }

  /** A connection that makes no file; `undefined` where there is none, so that nobody ever held the lock. */
  async #openToLook(): Promise<SqliteConnection | undefined> {
    try {
      return await this.#driver.open({ path: this.#path, readOnly: true, busyTimeoutMs: 0 });
    } catch (error) {
      if (isPerigeeError(error, 'STORE_READ_ONLY')) {
        return undefined;
      }
      throw error;
    }
  }
}

/** A file has one lock by whatever name it was opened: as for the log of SQLite, a link counts as the file that it leads to. */
function resolveLink(path: string): string {
  try {
    return lstatSync(path).isSymbolicLink() ? realpathSync(path) : path;
  } catch {
    // A driver may keep its files elsewhere.
    return path;
  }
}
