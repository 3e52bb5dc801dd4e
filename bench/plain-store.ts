import type { JsonObject } from '../src/core/json.ts';
import type { DocumentStore } from '../src/store/document-store.ts';
import { openSqliteBackend } from '../src/stores/sqlite/index.ts';
import { sampleDocument } from './harness.ts';
import { RawTwin, type Workspace } from './raw-twin.ts';

/** A SQLite store without sync, and its raw twin. */
export interface PlainStore {
  readonly store: DocumentStore<JsonObject>;
  readonly raw: RawTwin;
  close(): Promise<void>;
}

/** Opens a store and its twin in files of their own, both holding the same `held` documents of 50 owners. */
export async function openPlainStore(workspace: Workspace, held = 0): Promise<PlainStore> {
  const file = workspace.file();
  const backend = await openSqliteBackend({ path: file });
  await backend.createDatabase('bench');
  await backend.createContainer('bench', { id: 'docs', partitionKey: '/owner' });
  const store = await backend.container('bench', 'docs');
  const raw = new RawTwin(file, workspace.file());
  for (let start = 0; start < held; start += 1000) {
    const documents = Array.from({ length: 1000 }, (_, index) => sampleDocument(start + index, `owner-${(start + index) % 50}`));
    await store.bulk(documents.map((document) => ({ type: 'create' as const, document })));
    raw.database.transaction(() => documents.forEach((document) => raw.insert(document)))();
  }
  return {
    store,
    raw,
    async close() {
      raw.close();
      await backend.close();
    },
  };
}
