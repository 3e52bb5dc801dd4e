import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import { openSqliteBackend, type SqliteBackend, type SqliteBackendOptions } from './sqlite-backend.ts';

/** Files of a folder, each a backend of its own. */
export interface SqliteFolder {
  /** Opens the file of a name, and makes it where there is none. @throws as {@link openSqliteBackend} */
  open(name: string): Promise<SqliteBackend>;
  /** Removes the file of a name with all that lies beside it; it must not be open. Does nothing where there is none. @throws STORE_IO */
  remove(name: string): Promise<void>;
}

const NAME = /^[\w-]{1,100}$/u;
/** What SQLite and the sync layer keep beside a file. */
const COMPANIONS = ['', '-wal', '-shm', '-journal', '-runner'];

/**
 * Keeps several SQLite files in one folder, such as one for each user of a device.
 *
 * Names are of letters, digits, `_` and `-`, 100 at most; anything else is INVALID_OPTION. The folder is made when it is missing, for its owner alone.
 */
export function sqliteFolder(folder: string, options: Omit<SqliteBackendOptions, 'path'> = {}): SqliteFolder {
  const pathOf = (name: string): string => {
    if (!NAME.test(name)) {
      throw new PerigeeError(
        'INVALID_OPTION',
        'The name of a file in a folder of stores has letters, digits, "_" and "-" only, 100 at most.',
      );
    }
    return join(folder, `${name}.db`);
  };
  return {
    async open(name) {
      const path = pathOf(name);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
      } catch (cause) {
        throw new PerigeeError('STORE_IO', `Cannot make the folder ${JSON.stringify(folder)}.`, { cause });
      }
      return openSqliteBackend({ ...options, path });
    },
    async remove(name) {
      const path = pathOf(name);
      for (const end of COMPANIONS) {
        try {
          await rm(path + end, { force: true });
        } catch (cause) {
          throw new PerigeeError('STORE_IO', `Cannot remove ${JSON.stringify(path + end)}.`, { cause });
        }
      }
    },
  };
}
