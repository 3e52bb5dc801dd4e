import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient, type Container } from '@azure/cosmos';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../src/server/index.ts';
import type { Backend } from '../../src/store/backend.ts';
import type { ContainerInput } from '../../src/store/container-definition.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openCosmosBackend, type CosmosBackend } from '../../src/stores/cosmos/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend, type SqliteBackend, type SqliteBackendOptions } from '../../src/stores/sqlite/index.ts';
import { SyncEngine, type SyncOptions, type SyncReport } from '../../src/sync/index.ts';

/** A document of these tests. */
export interface Note {
  readonly id: string;
  readonly owner: string;
  readonly text?: string;
}

const NOTES: ContainerInput = { id: 'notes', partitionKey: '/owner', defaultTtl: -1 };

/** The one partition key of these tests. */
export const OWNER = 'ada';

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-robust-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A real server over any backend, with the official SDK connected to it. */
export interface Cloud {
  readonly server: PerigeeServer;
  readonly backend: Backend;
  /** The container through the official SDK, as a third party uses it. */
  readonly sdk: Container;
}

/** Serves a backend, a fresh one in memory unless given, with the container in it. */
export async function openCloud(backend: Backend = openMemoryBackend()): Promise<Cloud> {
  if ((await backend.readDatabase('app')) === undefined) {
    await backend.createDatabase('app');
    await backend.createContainer('app', NOTES);
  }
  const server = await startServer({ backend, port: 0 });
  const client = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY, connectionPolicy: { enableEndpointDiscovery: false } });
  onTestFinished(async () => {
    client.dispose();
    await server.close();
    await backend.close();
  });
  return { server, backend, sdk: client.database('app').container('notes') };
}

/** A device: its file, its engine, and the line to the server. */
export interface Device {
  readonly backend: SqliteBackend;
  readonly remote: CosmosBackend;
  readonly engine: SyncEngine;
  readonly notes: DocumentStore<Note>;
  close(): Promise<void>;
}

export interface DeviceOptions extends Pick<SqliteBackendOptions, 'path' | 'maxPageCount'>, Pick<SyncOptions, 'probe' | 'pageItems'> {
  readonly endpoint: string;
  readonly key?: string;
  readonly name?: string;
  readonly requestTimeoutMs?: number;
  /** Database at the remote. */
  readonly remoteDatabase?: string;
}

/** Opens a device; it is closed when the test is over, unless that was done before. */
export async function openDevice(options: DeviceOptions): Promise<Device> {
  const {
    endpoint,
    key = WELL_KNOWN_KEY,
    path,
    maxPageCount,
    name = 'phone',
    remoteDatabase = 'app',
    probe,
    pageItems,
    requestTimeoutMs = 5000,
  } = options;
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) {
      await closer();
    }
  };
  onTestFinished(close);
  const remote = await openCosmosBackend({ endpoint, key, maxThrottleWaitMs: 0, requestTimeoutMs });
  closers.push(() => remote.close());
  const backend = await openSqliteBackend({ path, maxPageCount });
  closers.push(() => backend.close());
  const engine = await SyncEngine.open({
    backend,
    user: 'ada',
    device: name,
    scope: [{ container: 'notes', partitionKey: OWNER }],
    containers: [NOTES],
    remote: (container) => remote.container(remoteDatabase, container),
    probe,
    pageItems,
  });
  closers.push(() => engine.close());
  return { backend, remote, engine, notes: engine.store<Note>('notes'), close };
}

/** Ids and texts of everything on the device. */
export async function onDevice(device: Pick<Device, 'notes'>): Promise<Record<string, string>> {
  return textsOf(await device.notes.query<Note>('SELECT * FROM c').toArray());
}

/** Ids and texts of everything at the server, tombstones left out. */
export async function atServer({ backend }: Pick<Cloud, 'backend'>): Promise<Record<string, string>> {
  const store = await backend.container<Note & { readonly _perigee?: { readonly deleted?: boolean } }>('app', 'notes');
  const documents: (Note & JsonObject)[] = [];
  for await (const { document } of store.changes({ partitionKey: OWNER, maxItemCount: 500 })) {
    if (document._perigee?.deleted !== true) {
      documents.push(document as unknown as Note & JsonObject);
    }
  }
  return textsOf(documents);
}

function textsOf(notes: readonly Note[]): Record<string, string> {
  const texts = notes.map(({ id, text = '' }): [string, string] => [id, text.length > 40 ? `${text.slice(0, 20)}… ${text.length}` : text]);
  return Object.fromEntries(texts.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** The outcome of a run in short: `complete`, or the code of its error. */
export function outcomeOf({ outcome, error }: SyncReport): string {
  return outcome === 'failed' ? (error?.code ?? 'failed without an error') : outcome;
}

/** Ids that wait to be sent, with what went against them: attempts and rejections. */
export async function pendingOf(device: Device): Promise<{ readonly ids: readonly string[]; readonly burned: number }> {
  const pending = await device.engine.pending();
  return {
    ids: pending.map(({ id }) => id).toSorted(),
    burned: pending.filter(({ attempts, rejected }) => attempts > 0 || rejected !== undefined).length,
  };
}
