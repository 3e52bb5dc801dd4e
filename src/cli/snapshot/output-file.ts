import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';

const CODES: Readonly<Record<string, 'STORE_FULL' | 'STORE_READ_ONLY'>> = {
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
  EACCES: 'STORE_READ_ONLY',
  EPERM: 'STORE_READ_ONLY',
  EROFS: 'STORE_READ_ONLY',
  ENOENT: 'STORE_READ_ONLY',
  ENOTDIR: 'STORE_READ_ONLY',
  EISDIR: 'STORE_READ_ONLY',
};

async function flushFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a file as a whole: its name stands for what was there before, or for all of the new content, whatever happens in between. Only its owner can
 * read it, as it may hold what others are not to know.
 *
 * @throws what the source throws; STORE_FULL, STORE_READ_ONLY, STORE_IO
 */
export async function writeWhole(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const target = resolve(path);
  const draft = `${target}.${process.pid}.part`;
  try {
    await pipeline(bytes, createWriteStream(draft, { mode: 0o600 }));
    await flushFile(draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (isPerigeeError(error) || syscall === undefined) {
      throw error;
    }
    throw new PerigeeError(
      CODES[code ?? ''] ?? 'STORE_IO',
      `Cannot write the file ${JSON.stringify(target)}: the system refuses (${code ?? 'unknown reason'}).`,
      { cause: error },
    );
  }
}
