import { isPerigeeError, PerigeeError, type PerigeeErrorOptions } from '../../core/errors.ts';
import { containerGoneDuring } from '../../store/container-gone.ts';
import type { ErrorCode } from '../../core/error-codes.ts';

/** The part of a driver's error that says what SQLite answered; `code` is the name of the (extended) result code. */
interface SqliteErrorLike {
  readonly code?: unknown;
  readonly message?: unknown;
}

/** First match decides: extended codes stand before the primary code that they begin with. */
const MEANINGS: readonly (readonly [prefix: string, code: ErrorCode, why: string])[] = [
  ['SQLITE_BUSY', 'STORE_BUSY', 'another process holds its lock; try again, or raise busyTimeoutMs'],
  ['SQLITE_LOCKED', 'STORE_BUSY', 'another connection holds its lock; try again'],
  ['SQLITE_FULL', 'STORE_FULL', 'the disk, or the size allowed for the file, is full; free space and repeat'],
  // The file that processes share grows by writing to it; that fails when there is no room.
  ['SQLITE_IOERR_SHMSIZE', 'STORE_FULL', 'there is no room for the file beside it that processes share; free space and repeat'],
  ['SQLITE_READONLY', 'STORE_READ_ONLY', 'the file or its folder cannot be written; check owner and mode'],
  ['SQLITE_CANTOPEN', 'STORE_READ_ONLY', 'the file cannot be opened; check that its folder exists and can be written'],
  ['SQLITE_PERM', 'STORE_READ_ONLY', 'the file cannot be opened; check owner and mode'],
  ['SQLITE_AUTH', 'STORE_READ_ONLY', 'the file cannot be opened; check owner and mode'],
  ['SQLITE_IOERR', 'STORE_IO', 'the operating system refused to read or write it; look at the disk'],
  ['SQLITE_CORRUPT', 'STORE_CORRUPT', 'the file is damaged; restore a copy'],
  ['SQLITE_NOTADB', 'STORE_CORRUPT', 'the file is not an SQLite database; it was left as it was'],
  ['SQLITE_CONSTRAINT', 'CONFLICT', 'a value that must be unique is taken'],
  ['SQLITE_TOOBIG', 'TOO_LARGE', 'a value is larger than SQLite can hold'],
];

/**
 * Turns what a driver throws into a `PerigeeError`, once, at the edge of the backend; one that is a `PerigeeError` already stays as it is.
 *
 * `what` says what was attempted and on what, as in `open the store "app.db"`.
 */
export function wrapSqliteError(error: unknown, what: string): PerigeeError {
  if (isPerigeeError(error)) {
    return error;
  }
  const { code, message } = (error ?? {}) as SqliteErrorLike;
  const options: PerigeeErrorOptions = { cause: error, details: typeof code === 'string' ? { sqliteCode: code } : {} };
  if (typeof code === 'string') {
    for (const [prefix, meaning, why] of MEANINGS) {
      if (code.startsWith(prefix)) {
        return new PerigeeError(meaning, `Cannot ${what}: ${why}.`, options);
      }
    }
  }
  if (typeof message === 'string' && /no such table: [cu]\d+/u.test(message)) {
    return containerGoneDuring(what, options);
  }
  if (typeof message === 'string' && /no such table: v\d+/u.test(message)) {
    return new PerigeeError('OUTSIDE_RETENTION', `Cannot ${what}: its container no longer records versions.`, options);
  }
  if (typeof message === 'string' && message.includes('directory does not exist')) {
    return new PerigeeError('STORE_READ_ONLY', `Cannot ${what}: its folder does not exist. Create it first.`, options);
  }
  return new PerigeeError('INTERNAL', `Cannot ${what}: the driver failed.`, options);
}
