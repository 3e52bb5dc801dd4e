import { access } from 'node:fs/promises';
import type { Logger } from '../../core/logger.ts';
import type { SqliteConnection, SqliteDriver } from './driver.ts';
import { BUSY_SLICE_MS } from './until-free.ts';

/** A file whose log is ended. */
export interface EndLogOptions {
  readonly path: string;
  readonly driver: SqliteDriver;
  readonly logger: Logger;
}

/**
 * Ends the write-ahead log, which is refused while others have the file open, and on a full disk: they, or the next to open it, go on with it. Gives whether
 * it is ended.
 */
export async function endLog(connection: SqliteConnection, logger: Logger): Promise<boolean> {
  try {
    await connection.execute({ mode: 'get', sql: 'PRAGMA journal_mode = DELETE', parameters: [] });
    return true;
  } catch (error) {
    logger.log('debug', 'The write-ahead log stays beside the file.', { error });
    return false;
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Ends the log of a file that was closed while others still had it open: where all have closed it at the same moment, each found that others had it, and none was the last. */
export async function endLogOnceClosed({ path, driver, logger }: EndLogOptions): Promise<void> {
  if ((await isThere(`${path}-wal`)) || !(await isThere(path))) {
    return;
  }
  try {
    const connection = await driver.open({ path, readOnly: false, busyTimeoutMs: BUSY_SLICE_MS });
    try {
      await endLog(connection, logger);
    } finally {
      await connection.close();
    }
  } catch (error) {
    logger.log('debug', 'A file that was closed could not be looked at again.', { error });
  }
}
