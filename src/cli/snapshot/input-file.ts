import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { PerigeeError } from '../../core/errors.ts';

function refused(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) {
    return error;
  }
  const what = `Cannot read the snapshot ${JSON.stringify(path)}`;
  return code === 'ENOENT'
    ? new PerigeeError('NOT_FOUND', `${what}: there is no such file.`, { cause: error })
    : new PerigeeError('STORE_IO', `${what}: the system refuses (${code ?? 'unknown reason'}).`, { cause: error });
}

async function* bytesOf(path: string, source: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* source as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw refused(path, error);
  }
}

/**
 * Opens a file, or standard input for `-`, and gives its bytes. What is opened is closed with the end of the bytes, or when `signal` aborts.
 *
 * @throws NOT_FOUND, STORE_IO
 */
export async function openInput(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const file = path === '-' ? undefined : await open(path).catch((error: unknown) => Promise.reject(refused(path, error)));
  const source: Readable = file === undefined ? process.stdin : file.createReadStream();
  // One that waits for more input would keep the program alive.
  signal?.addEventListener('abort', () => source.destroy());
  return bytesOf(path, source);
}
