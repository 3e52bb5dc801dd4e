import type { JsonObject } from '../src/core/json.ts';
import type { DocumentStore } from '../src/store/document-store.ts';
import { openMemoryBackend } from '../src/stores/memory/index.ts';
import { openSqliteBackend } from '../src/stores/sqlite/index.ts';
import { SyncEngine } from '../src/sync/index.ts';

/** A device over a SQLite file, with a remote of its own in memory. */
export interface BenchDevice {
  readonly file: string;
  readonly engine: SyncEngine;
  /** The local store: its writes leave pending rows. */
  readonly store: DocumentStore<JsonObject>;
  readonly remote: DocumentStore<JsonObject>;
  close(): Promise<void>;
}

/** Opens a device that holds some owners' documents; give it a remote to share one between devices. */
export async function openDevice(file: string, owners: readonly string[], shared?: DocumentStore<JsonObject>): Promise<BenchDevice> {
  const memory = openMemoryBackend();
  let remote = shared;
  if (remote === undefined) {
    await memory.createDatabase('bench');
    await memory.createContainer('bench', { id: 'docs', partitionKey: '/owner', defaultTtl: -1 });
    remote = await memory.container('bench', 'docs');
  }
  const opened = remote;
  const backend = await openSqliteBackend({ path: file });
  const engine = await SyncEngine.open({
    backend,
    user: 'bench',
    device: 'bench',
    scope: owners.map((owner) => ({ container: 'docs', partitionKey: owner })),
    remote: () => opened,
    containers: [{ id: 'docs', partitionKey: '/owner', defaultTtl: -1 }],
    reconcileIntervalMs: 0,
  });
  return {
    file,
    engine,
    store: engine.store('docs'),
    remote,
    async close() {
      await engine.close();
      await backend.close();
      await memory.close();
    },
  };
}

/** A remote in memory that holds `count` documents of an owner. */
export async function loadedRemote(documents: readonly (JsonObject & { readonly id: string })[]): Promise<DocumentStore<JsonObject>> {
  const backend = openMemoryBackend();
  await backend.createDatabase('bench');
  await backend.createContainer('bench', { id: 'docs', partitionKey: '/owner', defaultTtl: -1 });
  const store = await backend.container('bench', 'docs');
  for (let start = 0; start < documents.length; start += 1000) {
    await store.bulk(documents.slice(start, start + 1000).map((document) => ({ type: 'create' as const, document })));
  }
  return store;
}
