import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { onTestFinished } from 'vitest';
import type { CopyCheckpoint } from '../../src/copy/copy-checkpoint.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Backend } from '../../src/store/backend.ts';
import type { ContainerInput } from '../../src/store/container-definition.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend } from '../../src/stores/memory/memory-backend.ts';
import { withoutSystemProperties } from '../../src/store/prepared-document.ts';

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(`${tmpdir()}/perigee-copy-`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closes a backend after the test. */
export function closing<B extends Backend>(backend: B): B {
  onTestFinished(() => backend.close());
  return backend;
}

/** A memory backend with one container, and its store. */
export async function memoryWith(
  documents: readonly (JsonObject & { readonly id: string })[],
  container: Partial<ContainerInput> = {},
  options: Parameters<typeof openMemoryBackend>[0] = {},
): Promise<{ readonly backend: Backend; readonly store: DocumentStore }> {
  const backend = closing(openMemoryBackend(options));
  await backend.createDatabase('app');
  await backend.createContainer('app', { id: 'items', partitionKey: '/pk', ...container });
  const store = await backend.container('app', 'items');
  for (const document of documents) {
    await store.create(document);
  }
  return { backend, store };
}

/** The documents of a container in the order of creation, without what the store added. */
export async function contentOf(backend: Backend, database = 'app', container = 'items'): Promise<JsonObject[]> {
  const store = await backend.container(database, container);
  return (await store.query('SELECT * FROM c').toArray()).map((document) => withoutSystemProperties(document));
}

/** So many small documents. */
export function numbered(count: number): (JsonObject & { readonly id: string })[] {
  return Array.from({ length: count }, (_, index) => ({ id: `d${index}`, pk: index % 3, n: index }));
}

/** A checkpoint in memory, which outlives the copy. */
export function memoryCheckpoint(): CopyCheckpoint & { text: string | undefined; readonly saves: number } {
  let saves = 0;
  return {
    text: undefined,
    get saves() {
      return saves;
    },
    load() {
      return Promise.resolve(this.text);
    },
    save(text) {
      this.text = text;
      saves += 1;
      return Promise.resolve();
    },
    clear() {
      this.text = undefined;
      return Promise.resolve();
    },
  };
}
