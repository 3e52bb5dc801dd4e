import { closeSync, openSync, readSync } from 'node:fs';
import { PerigeeError } from '../../core/errors.ts';

/** Rules and certificates are small; what is larger is another file, or a device without end. */
const MAX_BYTES = 1024 * 1024;

function readUpTo(path: string, maxBytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(maxBytes);
    let length = 0;
    for (let read = -1; read !== 0 && length < maxBytes; length += read) {
      read = readSync(file, bytes, length, maxBytes - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** Reads the file that an option names. @throws INVALID_OPTION where there is none, it cannot be read, or has more than 1 MiB */
export function readText(flag: string, path: string): string {
  const cannot = (why: string, cause?: unknown): PerigeeError =>
    new PerigeeError('INVALID_OPTION', `Cannot read the file of ${flag}, ${JSON.stringify(path)}: ${why}.`, { cause });
  let bytes: Buffer;
  try {
    bytes = readUpTo(path, MAX_BYTES + 1);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw cannot(code === 'ENOENT' ? 'there is none' : (code ?? 'unknown reason'), error);
  }
  if (bytes.length > MAX_BYTES) {
    throw cannot(`it has more than ${MAX_BYTES} bytes`);
  }
  return bytes.toString('utf8');
}
