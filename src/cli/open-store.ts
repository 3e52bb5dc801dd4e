import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PerigeeError } from '../core/errors.ts';
import type { Backend } from '../store/backend.ts';

/** Where `perigee serve` keeps its data unless told otherwise. */
export const DEFAULT_STORE = 'sqlite:.perigee/data.sqlite';

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
    mkdirSync(dirname(file), { recursive: true });
  } catch (cause) {
    throw new PerigeeError('STORE_READ_ONLY', `Cannot make the folder ${dirname(file)}.`, { cause });
  }
  const { openSqliteBackend } = await import('../stores/sqlite/sqlite-backend.ts');
  return { backend: await openSqliteBackend({ path: file }), label: file };
}
