import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PerigeeError } from '../core/errors.ts';
import type { CopyCheckpoint } from './copy-checkpoint.ts';

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Makes a folder unless it is there; `false` where the one above it is missing. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return false;
    }
    if (hasCode(error, 'EEXIST')) {
      return true;
    }
    throw error;
  }
}

/** Makes a folder and those above it. Node's own recursive way never ends where a folder cannot hold others, such as `/proc`. */
async function makeFolder(folder: string): Promise<void> {
  if (!(await makeOne(folder))) {
    if (dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
    }
    await mkdir(folder);
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform !== 'win32') {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

async function guarded<R>(what: string, path: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (cause) {
    throw new PerigeeError('STORE_IO', `Cannot ${what} the checkpoint ${JSON.stringify(path)}: look at the folder and the disk.`, {
      cause,
    });
  }
}

/** A checkpoint in a file, which is replaced in one step and survives a loss of power. Folders above it are made. @throws STORE_IO */
export function fileCheckpoint(path: string): CopyCheckpoint {
  return {
    load: () =>
      guarded('read', path, () =>
        readFile(path, 'utf8').catch((error: unknown) => {
          if (hasCode(error, 'ENOENT')) {
            return undefined;
          }
          throw error;
        }),
      ),
    save: (text) =>
      guarded('write', path, async () => {
        await makeFolder(dirname(path));
        const temporary = `${path}.tmp`;
        const handle = await open(temporary, 'w');
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, path);
        await syncFolder(dirname(path));
      }),
    clear: () => guarded('remove', path, () => rm(path, { force: true })),
  };
}
