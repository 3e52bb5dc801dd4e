import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openFileBackend } from '../../../src/stores/file/file-backend.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { openFreshPostgres } from '../../support/open-postgres.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { UserDefinedFunctions } from '../../../src/store/user-functions.ts';
import type { Backend } from '../../../src/store/backend.ts';
import type { ContainerInput } from '../../../src/store/container-definition.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-language-'));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Backends by name: the reference, those that compile queries to SQL, and the one on files. */
export const OPENERS: Readonly<Record<string, (udfs?: UserDefinedFunctions) => Promise<Backend>>> = {
  memory: (userDefinedFunctions) => Promise.resolve(openMemoryBackend({ userDefinedFunctions })),
  sqlite: (userDefinedFunctions) => openSqliteBackend({ path: ':memory:', userDefinedFunctions }),
  postgres: (userDefinedFunctions) => openFreshPostgres({ userDefinedFunctions }),
  file: (userDefinedFunctions) => openFileBackend({ folder: newFolder(), userDefinedFunctions }),
};

/** Runs `work` on a container with some documents, and closes everything behind it. */
export async function withContainer<R>(
  backendName: string,
  input: Omit<ContainerInput, 'id' | 'partitionKey'>,
  documents: readonly JsonObject[],
  work: (store: DocumentStore, backend: Backend) => Promise<R>,
  udfs?: UserDefinedFunctions,
): Promise<R> {
  const open = OPENERS[backendName];
  if (open === undefined) {
    throw new Error(`There is no backend of the name ${backendName}.`);
  }
  const backend = await open(udfs);
  try {
    await backend.createDatabase('d');
    await backend.createContainer('d', { id: 'c', partitionKey: '/pk', ...input });
    const store = await backend.container('d', 'c');
    for (const [index, document] of documents.entries()) {
      await store.create({ id: String(index), ...document });
    }
    return await work(store, backend);
  } finally {
    await backend.close();
  }
}
