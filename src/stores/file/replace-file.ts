import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { toHex, type Runtime } from '../../core/runtime.ts';
import { assertNoLink } from './damaged-file.ts';

const TEMPORARY = /\.tmp-[0-9a-f]{16}$/u;

/** Whether a file is one that {@link replaceFile} or a fold left behind when it was killed. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** A name beside a file that nobody else has. */
export function temporaryPath(path: string, runtime: Runtime): string {
  return `${path}.tmp-${toHex(runtime.randomBytes(8))}`;
}

/** Makes the names in a folder survive a loss of power. Windows has no such call, and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') {
    return;
  }
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Writes all of a text at the end of an open file. */
export function writeWhole(handle: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    written += writeSync(handle, bytes, written);
  }
  return bytes.length;
}

/** The mode of a file, which a person may have set: what takes its place has it too. `undefined` where there is no file. */
export function modeOf(path: string): number | undefined {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  return mode === undefined ? undefined : mode & 0o777;
}

/**
 * Writes a small file so that at any moment, also behind a kill or a loss of power, it holds either its old text or the new one.
 *
 * @throws what the file system throws; the file is then as it was
 */
export function replaceFile(path: string, text: string, runtime: Runtime): void {
  assertNoLink(dirname(path));
  assertNoLink(path);
  const temporary = temporaryPath(path, runtime);
  try {
    const mode = modeOf(path);
    const handle = openSync(temporary, 'wx');
    try {
      if (mode !== undefined) {
        fchmodSync(handle, mode);
      }
      writeWhole(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}
