import { access } from 'node:fs/promises';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { connectBetterSqlite3, type BetterSqlite3Constructor, type BetterSqlite3DatabaseLike } from './better-sqlite3-driver.ts';
import type { SqliteConnection, SqliteConnectionOptions, SqliteDriver } from './driver.ts';
import { wrapSqliteError } from './sqlite-errors.ts';

/** A key: a passphrase, from which the build derives one, or 32 bytes of chance, which open faster. */
export type StoreKey = string | Uint8Array;

/** Options of {@link encryptedDriver}. */
export interface EncryptedDriverOptions {
  /** The key, or what gives it for a file; asked for with each connection, so that it need not be held. */
  readonly key: StoreKey | ((path: string) => StoreKey | Promise<StoreKey>);
  /** The class that `better-sqlite3-multiple-ciphers` exports; imported unless given. */
  readonly module?: BetterSqlite3Constructor | undefined;
}

/** Options of {@link changeStoreKey}. */
export interface ChangeKeyOptions {
  /** The key of now; `undefined` for a file that is not encrypted. */
  readonly from: StoreKey | undefined;
  /** The new key; `undefined` to leave the file plain. */
  readonly to: StoreKey | undefined;
  /** As {@link EncryptedDriverOptions.module}. */
  readonly module?: BetterSqlite3Constructor | undefined;
}

/** What the build adds to a database of better-sqlite3. Keys go as bytes, so that none is ever part of a statement or of its error. */
interface EncryptedDatabase extends BetterSqlite3DatabaseLike {
  key(key: Buffer): unknown;
  rekey(key: Buffer): unknown;
}

const PACKAGE = 'better-sqlite3-multiple-ciphers';
const RAW_BYTES = 32;
/** How long changing a key waits for others to let go of the file. */
const BUSY_TIMEOUT_MS = 1000;

async function importModule(): Promise<BetterSqlite3Constructor> {
  try {
    const module = (await import('better-sqlite3-multiple-ciphers')) as unknown as { readonly default: BetterSqlite3Constructor };
    return module.default;
  } catch (cause) {
    throw new PerigeeError('DRIVER_MISSING', `Cannot import "${PACKAGE}", which encrypted files need. Install it (version 12).`, {
      cause,
      details: { package: PACKAGE },
    });
  }
}

/** @throws INVALID_OPTION, without a word on what was given */
function keyBytes(key: StoreKey): Buffer {
  if (typeof key === 'string' && key !== '') {
    return Buffer.from(key);
  }
  if (key instanceof Uint8Array && key.length === RAW_BYTES) {
    return Buffer.from(`raw:${Buffer.from(key).toString('hex')}`);
  }
  throw new PerigeeError('INVALID_OPTION', 'The key of a store is a passphrase that is not empty, or 32 bytes.');
}

/** Unlocks a connection and looks whether the key fits. @throws STORE_KEY_WRONG */
function unlock(database: BetterSqlite3DatabaseLike, path: string, key: StoreKey | undefined): void {
  if (typeof (database as Partial<EncryptedDatabase>).key !== 'function') {
    throw new PerigeeError('DRIVER_MISSING', `The class given cannot encrypt. Pass the one that "${PACKAGE}" exports.`, {
      details: { package: PACKAGE },
    });
  }
  if (key !== undefined) {
    const bytes = keyBytes(key);
    try {
      (database as EncryptedDatabase).key(bytes);
    } finally {
      bytes.fill(0);
    }
  }
  // What sorts and temporary tables spill would be plain.
  database.prepare('PRAGMA temp_store = MEMORY').run([]);
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get([]);
  } catch (error) {
    const wrapped = wrapSqliteError(error, `open the store ${JSON.stringify(path)}`);
    // A key that does not fit and a file that is no database look alike.
    throw wrapped.details['sqliteCode'] === 'SQLITE_NOTADB'
      ? new PerigeeError(
          'STORE_KEY_WRONG',
          `Cannot open the store ${JSON.stringify(path)}: the key does not fit, or the file is not encrypted, or it is damaged; it was left as it was.`,
        )
      : wrapped;
  }
}

/**
 * SQLite with encryption at rest: the build SQLite3 Multiple Ciphers by the package `better-sqlite3-multiple-ciphers`, in this thread. Every page of the file, of its write-ahead log and of its rollback
 * journal is encrypted and authenticated (ChaCha20-Poly1305); names and sizes of files are not. `:memory:` has nothing at rest and takes no key.
 *
 * Opening a file with another key raises STORE_KEY_WRONG. A key is in no message, log or statement.
 *
 * @throws DRIVER_MISSING without the package; INVALID_OPTION for what is no key; STORE_KEY_WRONG
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto';
 * import { mkdtemp, readFile, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { encryptedDriver, openSqliteBackend } from 'perigee/sqlite';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'encrypted-'));
 * const path = join(folder, 'notes.db');
 * const key = randomBytes(32); // in an application: from the keychain of the system
 * const backend = await openSqliteBackend({ path, driver: encryptedDriver({ key }) });
 * await backend.createDatabase('app');
 * await backend.close();
 * console.log((await readFile(path)).includes('CREATE TABLE')); // -> false
 * await openSqliteBackend({ path, driver: encryptedDriver({ key: 'a guess' }) }).catch((error) => console.log(error.code)); // -> STORE_KEY_WRONG
 * await rm(folder, { recursive: true });
 * ```
 */
export function encryptedDriver({ key, module }: EncryptedDriverOptions): SqliteDriver {
  if (typeof key !== 'function') {
    keyBytes(key).fill(0);
  }
  return {
    name: PACKAGE,
    isEncrypted: true,
    open: async (options: SqliteConnectionOptions): Promise<SqliteConnection> => {
      const { path } = options;
      const constructor = module ?? (await importModule());
      const given = path === ':memory:' ? undefined : typeof key === 'function' ? await key(path) : key;
      return connectBetterSqlite3(constructor, options, (database) => {
        if (path !== ':memory:') {
          unlock(database, path, given);
        }
      });
    },
  };
}

/**
 * Encrypts a plain file, gives an encrypted one another key, or makes it plain again. Nobody else may have it open. One transaction: after a crash the file has the one key or the other.
 *
 * Where a file was plain, what the disk kept of the old pages is not wiped: encrypt files before there is something in them.
 *
 * @throws NOT_FOUND where there is no file; STORE_KEY_WRONG; STORE_BUSY; INVALID_OPTION; DRIVER_MISSING, and what else SQLite refuses with
 */
export async function changeStoreKey(path: string, { from, to, module }: ChangeKeyOptions): Promise<void> {
  const next = to === undefined ? Buffer.alloc(0) : keyBytes(to);
  try {
    await access(path);
  } catch (cause) {
    throw new PerigeeError('NOT_FOUND', `Cannot change the key of the store ${JSON.stringify(path)}: there is no such file.`, { cause });
  }
  const constructor = module ?? (await importModule());
  let database: EncryptedDatabase | undefined;
  const connection = connectBetterSqlite3(constructor, { path, readOnly: false, busyTimeoutMs: BUSY_TIMEOUT_MS }, (opened) => {
    unlock(opened, path, from);
    database = opened as EncryptedDatabase;
  });
  try {
    // A write-ahead log would hold pages of both keys.
    await connection.execute({ mode: 'get', sql: 'PRAGMA journal_mode = DELETE', parameters: [] });
    database?.rekey(next);
  } catch (error) {
    throw isPerigeeError(error) ? error : wrapSqliteError(error, `change the key of the store ${JSON.stringify(path)}`);
  } finally {
    next.fill(0);
    await connection.close();
  }
}
