import { access, constants, stat } from 'node:fs/promises';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import type { SqliteConnection, SqliteDriver } from './driver.ts';
import { runAsync } from './run-program.ts';
import { checkHeader, readHeader } from './schema.ts';

/** How a file is opened. */
export interface OpenFileOptions {
  readonly path: string;
  readonly driver: SqliteDriver;
  readonly busyTimeoutMs: number;
  readonly logger?: Logger | undefined;
}

/** SQLite's code where a killed process left a change half done in the file itself: who may write takes it back first. */
const HALF_DONE = 'SQLITE_READONLY_ROLLBACK';

/**
 * Looks at an existing file through a connection that cannot write, so that one which is refused stays as it is, byte for byte. One that was left in the middle
 * of a change cannot be looked at so.
 */
export async function lookBeforeOpening(options: OpenFileOptions, newest: number): Promise<void> {
  const { path } = options;
  if (path === ':memory:' || !(await holdsSomething(path))) {
    return;
  }
  const connection = await options.driver.open({ path, readOnly: true, busyTimeoutMs: options.busyTimeoutMs });
  try {
    checkHeader(await runAsync(connection, readHeader()), path, newest);
  } catch (error) {
    const first = await closeAfter(error, connection, options.logger ?? silentLogger);
    if (isPerigeeError(first) && first.details['sqliteCode'] === HALF_DONE) {
      return;
    }
    throw first;
  }
  await connection.close();
}

/**
 * Whether there is a file with content. SQLite opens a file that it may not write for reading only and says so at the first write; here it is
 * refused at once.
 */
async function holdsSomething(path: string): Promise<boolean> {
  const refused = (why: string, cause?: unknown): PerigeeError =>
    new PerigeeError('STORE_READ_ONLY', `Cannot open the store ${JSON.stringify(path)}: ${why}.`, { cause });
  try {
    const found = await stat(path);
    if (!found.isFile()) {
      throw refused('it is not a file');
    }
    await access(path, constants.W_OK);
    return found.size > 0;
  } catch (error) {
    if (isPerigeeError(error)) {
      throw error;
    }
    if ((error as { readonly code?: unknown }).code === 'ENOENT') {
      return false;
    }
    throw refused('the file or its folder cannot be written; check owner and mode', error);
  }
}

/** Closes what could not be used, and gives the error that came first. */
export async function closeAfter(error: unknown, connection: SqliteConnection, logger: Logger): Promise<unknown> {
  try {
    await connection.close();
  } catch (failure) {
    logger.log('warn', 'A connection that was refused could not be closed.', { failure });
  }
  return error;
}
