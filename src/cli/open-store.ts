import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PerigeeError } from '../core/errors.ts';
import type { Backend } from '../store/backend.ts';
import { consoleLogger } from './console-logger.ts';

/** Where `perigee serve` keeps its data unless told otherwise. */
export const DEFAULT_STORE = 'sqlite:.perigee/data.sqlite';

/** Makes a folder and those above it. Node's own recursive way never ends where a folder cannot hold others, such as `/proc`. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) {
    return;
  }
  if (dirname(folder) !== folder) {
    makeFolder(dirname(folder));
  }
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have been first.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw error;
    }
  }
}

function reasonOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOTDIR' || code === 'EEXIST'
    ? 'a part of the path is a file'
    : `the system does not permit it (${code ?? 'unknown reason'})`;
}

/**
 * Opens the backend that a `--store` argument names: `memory`, or `sqlite:PATH`, whose folder is made when it is missing.
 *
 * @throws INVALID_OPTION, STORE_READ_ONLY and what opening the backend throws
 */
export async function openStore(argument: string): Promise<{ readonly backend: Backend; readonly label: string }> {
  if (argument === 'memory') {
    const { openMemoryBackend } = await import('../stores/memory/memory-backend.ts');
    return { backend: openMemoryBackend(), label: 'memory (gone when the server stops)' };
  }
  const path = /^sqlite:(.+)$/u.exec(argument)?.[1];
  if (path === undefined) {
    throw new PerigeeError('INVALID_OPTION', `Cannot open the store ${JSON.stringify(argument)}: use "memory" or "sqlite:PATH".`);
  }
  const file = resolve(path);
  try {
    makeFolder(dirname(file));
  } catch (cause) {
    throw new PerigeeError(
      'STORE_READ_ONLY',
      `Cannot make the folder ${JSON.stringify(dirname(file))} for the store: ${reasonOf(cause)}.`,
      { cause },
    );
  }
  const { openSqliteBackend } = await import('../stores/sqlite/sqlite-backend.ts');
  return { backend: await openSqliteBackend({ path: file, logger: consoleLogger }), label: file };
}
