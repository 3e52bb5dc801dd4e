import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PerigeeError } from '../core/errors.ts';
import type { CopyCheckpoint } from './copy-checkpoint.ts';

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
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
          if (isMissing(error)) {
            return undefined;
          }
          throw error;
        }),
      ),
    save: (text) =>
      guarded('write', path, async () => {
        await mkdir(dirname(path), { recursive: true });
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
