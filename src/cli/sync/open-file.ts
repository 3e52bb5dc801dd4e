import { resolve } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import type { SqliteBackend } from '../../stores/sqlite/sqlite-backend.ts';
import { describeFile, type SyncFile } from '../../sync/describe-file.ts';
import { openStore } from '../open-store.ts';

/** Opens the file of a device. @throws NOT_FOUND where it has to be there, and what opening it throws */
export async function openFile(
  file: string,
  options: { readonly mustExist: boolean; readonly readOnly?: boolean },
): Promise<SqliteBackend> {
  const { backend } = await openStore(`sqlite:${resolve(file)}`, options);
  return backend as SqliteBackend;
}

/** What a file says of sync. @throws NOT_FOUND where it says nothing; `file` names it */
export async function requireSyncFile(backend: SqliteBackend, file: string): Promise<SyncFile> {
  const found = await backend.database.read(() => describeFile());
  if (found === undefined) {
    throw new PerigeeError(
      'NOT_FOUND',
      `The file ${JSON.stringify(resolve(file))} was never synchronised. Name the file of a device, or give --user and --scope to begin.`,
    );
  }
  return found;
}
