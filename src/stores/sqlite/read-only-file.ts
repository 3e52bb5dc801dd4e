import { chmod, constants, copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import type { SqliteConnection } from './driver.ts';
import { closeAfter, type OpenFileOptions } from './open-file.ts';
import { runAsync, runTransaction } from './run-program.ts';
import { checkHeader, checkVersion, isEmptyHeader, migrate, readHeader, type Migration } from './schema.ts';

/** A file that is read and not written to, or a copy that is read in its place. */
export interface ReadableFile {
  /** The file that is read. */
  readonly path: string;
  readonly connection: SqliteConnection;
  /** Removes the copy, where there is one; call it when no connection is open any more. */
  readonly dispose: () => Promise<void>;
}

/** What SQLite keeps beside a file, as endings of its name. */
const LOG = '-wal';
const LOG_INDEX = '-shm';
const JOURNAL = '-journal';

const MAGIC = 'SQLite format 3\0';
/** Where the header says how the file is written, and the value for a write-ahead log. */
const WRITE_VERSION_AT = 18;
const WITH_LOG = 2;

const MAX_COPIES = 5;

/** Files that this process reads in place, by device and inode, and how often. */
const readInPlace = new Map<string, number>();

function refused(
  path: string,
  code: 'NOT_FOUND' | 'STORE_CORRUPT' | 'STORE_READ_ONLY' | 'STORE_BUSY',
  why: string,
  cause?: unknown,
): PerigeeError {
  return new PerigeeError(code, `Cannot open the store ${JSON.stringify(path)} to read only: ${why}.`, { cause });
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Size and time of a file, `undefined` where there is none. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw refused(path, 'STORE_READ_ONLY', 'it cannot be looked at; check owner and mode', error);
  }
}

/** Checks that there is a file with content; gives its name among {@link readInPlace}. */
async function identify(path: string): Promise<string> {
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(path);
  } catch (error) {
    throw isMissing(error)
      ? refused(path, 'NOT_FOUND', 'there is no such file', error)
      : refused(path, 'STORE_READ_ONLY', 'it cannot be looked at; check owner and mode', error);
  }
  if (!found.isFile()) {
    throw refused(path, 'STORE_READ_ONLY', 'it is not a file');
  }
  if (found.size === 0) {
    throw refused(path, 'STORE_CORRUPT', 'it is empty, so it is no store yet');
  }
  return `${found.dev} ${found.ino}`;
}

/**
 * Whether SQLite can read the file as it is without putting anything beside it: where there is no log, or where somebody who has the file open has put
 * log and index there already. The header is looked at where this process cannot have the file open: to write, log and index would be there; to read,
 * it is not asked. To open and close it would drop the locks of the process on it.
 */
async function readsInPlace(path: string, isEncrypted: boolean): Promise<boolean> {
  const [log, index] = [await stampOf(path + LOG), await stampOf(path + LOG_INDEX)];
  if (log !== undefined || index !== undefined) {
    return log !== undefined && index !== undefined;
  }
  if (isEncrypted) {
    // What its header says nobody can tell; a copy, as encrypted, is always right.
    return false;
  }
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw refused(path, 'STORE_READ_ONLY', 'it cannot be read; check owner and mode', error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(WRITE_VERSION_AT + 1), 0, WRITE_VERSION_AT + 1, 0);
    if (bytesRead <= WRITE_VERSION_AT || buffer.toString('latin1', 0, MAGIC.length) !== MAGIC) {
      throw refused(path, 'STORE_CORRUPT', 'it is no SQLite database');
    }
    return buffer[WRITE_VERSION_AT] !== WITH_LOG;
  } finally {
    await handle.close();
  }
}

/** Looks at a file through a connection that cannot write. Gives the connection where its schema is the newest. @throws STORE_CORRUPT, STORE_TOO_NEW */
async function connect(options: OpenFileOptions, path: string, newest: number): Promise<SqliteConnection | undefined> {
  const connection = await options.driver.open({ path, readOnly: true, busyTimeoutMs: options.busyTimeoutMs });
  try {
    await runAsync(connection, checkVersion(options.driver.name));
    const header = await runAsync(connection, readHeader());
    checkHeader(header, options.path, newest);
    if (isEmptyHeader(header)) {
      throw refused(options.path, 'STORE_CORRUPT', 'it holds nothing, so it is no store yet');
    }
    if (header.version === newest) {
      return connection;
    }
  } catch (error) {
    throw await closeAfter(error, connection, options.logger ?? silentLogger);
  }
  await connection.close();
  return undefined;
}

/** Copies a file and what is beside it as they are at one moment. @throws STORE_BUSY while somebody writes on and on */
async function copyAll(path: string, folder: string): Promise<string> {
  const copy = join(folder, basename(path));
  const names = ['', LOG, JOURNAL];
  const look = (): Promise<readonly (string | undefined)[]> => Promise.all(names.map((name) => stampOf(path + name)));
  for (let attempt = 0; attempt < MAX_COPIES; attempt += 1) {
    const before = await look();
    for (const [index, name] of names.entries()) {
      await rm(copy + name, { force: true });
      if (before[index] !== undefined) {
        try {
          await copyFile(path + name, copy + name, constants.COPYFILE_FICLONE);
          await chmod(copy + name, 0o600);
        } catch (error) {
          if (!isMissing(error)) {
            throw refused(path, 'STORE_READ_ONLY', `it cannot be copied into ${JSON.stringify(folder)}`, error);
          }
        }
      }
    }
    if (JSON.stringify(await look()) === JSON.stringify(before)) {
      return copy;
    }
  }
  throw refused(path, 'STORE_BUSY', 'it is being written to by an earlier version; try again');
}

/** Copies a file, and brings the copy to the newest schema. */
async function openCopy(options: OpenFileOptions, migrations: readonly Migration[]): Promise<ReadableFile> {
  const folder = await mkdtemp(join(tmpdir(), 'perigee-'));
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = await copyAll(options.path, folder);
    const connection = await options.driver.open({ path, readOnly: false, busyTimeoutMs: options.busyTimeoutMs });
    try {
      await runAsync(connection, checkVersion(options.driver.name));
      checkHeader(await runAsync(connection, readHeader()), options.path, migrations.length);
      await runTransaction(connection, () => migrate(options.path, migrations));
      return { path, connection, dispose };
    } catch (error) {
      throw await closeAfter(error, connection, options.logger ?? silentLogger);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
}

function count(identity: string, change: number): void {
  const readers = (readInPlace.get(identity) ?? 0) + change;
  if (readers > 0) {
    readInPlace.set(identity, readers);
  } else {
    readInPlace.delete(identity);
  }
}

/**
 * Opens a file without writing to it, nor beside it. Where SQLite cannot read it so, or its schema is older than the one that is read, a copy is read
 * instead.
 *
 * @throws NOT_FOUND, STORE_CORRUPT (also for an empty file), STORE_TOO_NEW, STORE_READ_ONLY, STORE_BUSY
 */
export async function openToRead(options: OpenFileOptions, migrations: readonly Migration[]): Promise<ReadableFile> {
  const { path } = options;
  const identity = await identify(path);
  const readers = readInPlace.get(identity) ?? 0;
  if (readers > 0 || (await readsInPlace(path, options.driver.isEncrypted === true))) {
    try {
      const connection = await connect(options, path, migrations.length);
      if (connection !== undefined) {
        count(identity, 1);
        return { path, connection, dispose: () => Promise.resolve(count(identity, -1)) };
      }
    } catch (error) {
      // What a killed writer left can be put right in a copy only.
      if (!isPerigeeError(error, 'STORE_READ_ONLY')) {
        throw error;
      }
    }
  }
  return openCopy(options, migrations);
}
