import type { JsonObject } from '../../src/core/json.ts';
import type { CancelTimer, Runtime } from '../../src/core/runtime.ts';
import type { ContainerInput } from '../../src/store/container-definition.ts';
import type { StoredDocument } from '../../src/store/document.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend, type SqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine, type SyncOptions } from '../../src/sync/index.ts';
import { loadLateParts } from '../../src/sync/late-parts.ts';
import { readRemote } from '../../src/sync/remote/wire-stamp.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

/** A document of these tests. */
export interface Note {
  readonly id: string;
  readonly owner: string;
  readonly text?: string;
  readonly [key: string]: unknown;
}

export const NOTES: ContainerInput = { id: 'notes', partitionKey: '/owner', defaultTtl: -1 };

/** A runtime whose wall clock is off by so much. */
export class SkewedRuntime implements Runtime {
  readonly #base: SimulatedRuntime;
  skewMs: number;

  constructor(base: SimulatedRuntime, skewMs: number) {
    this.#base = base;
    this.skewMs = skewMs;
  }

  nowMs(): number {
    return this.#base.nowMs() + this.skewMs;
  }

  monotonicMs(): number {
    return this.#base.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.#base.setTimer(delayMs, callback);
  }

  yieldTask(): Promise<void> {
    return this.#base.yieldTask();
  }

  random(): number {
    return this.#base.random();
  }

  randomBytes(length: number): Uint8Array {
    return this.#base.randomBytes(length);
  }
}

/** One device: its file, its engine, and its store of notes. */
export interface Device {
  readonly name: string;
  readonly backend: SqliteBackend;
  readonly engine: SyncEngine;
  readonly notes: DocumentStore<Note>;
  readonly runtime: SkewedRuntime;
}

export interface DeviceOptions extends Partial<SyncOptions> {
  readonly path?: string;
  readonly skewMs?: number;
  /** Wraps the remote store that the engine gets. */
  readonly wrap?: (store: DocumentStore<JsonObject>) => DocumentStore<JsonObject>;
}

/** A remote in memory, devices on SQLite, and one clock that only tests move. */
export class World {
  readonly runtime: SimulatedRuntime;
  readonly cloud: MemoryBackend;
  readonly #devices: Device[] = [];
  #counter = 0;

  private constructor(runtime: SimulatedRuntime, cloud: MemoryBackend) {
    this.runtime = runtime;
    this.cloud = cloud;
  }

  static async open(options: { readonly container?: ContainerInput; readonly seed?: number | string } = {}): Promise<World> {
    // Time is the world's: what a run waits for must not be the loading of code.
    await loadLateParts();
    const runtime = new SimulatedRuntime({ seed: options.seed });
    const cloud = openMemoryBackend({ runtime });
    await cloud.createDatabase('app');
    await cloud.createContainer('app', options.container ?? NOTES);
    return new World(runtime, cloud);
  }

  /** The remote container as anybody else would use it. */
  remote<T extends object = Note>(container = 'notes'): Promise<DocumentStore<T>> {
    return this.cloud.container<T>('app', container);
  }

  async device(options: DeviceOptions = {}): Promise<Device> {
    this.#counter += 1;
    const { path, skewMs, wrap, ...rest } = options;
    const name = options.device ?? `device-${this.#counter}`;
    const runtime = new SkewedRuntime(this.runtime, skewMs ?? 0);
    const backend = await openSqliteBackend({ path: path ?? ':memory:', runtime });
    const engine = await SyncEngine.open({
      backend,
      user: 'ada',
      device: name,
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: async (container) => {
        const store = await this.cloud.container('app', container);
        return wrap === undefined ? store : wrap(store);
      },
      ...rest,
    });
    const device: Device = { name, backend, engine, notes: engine.store<Note>('notes'), runtime };
    this.#devices.push(device);
    return device;
  }

  /** Moves the clock. */
  async pass(durationMs: number): Promise<void> {
    await this.runtime.advance(durationMs);
  }

  async close(): Promise<void> {
    for (const device of this.#devices) {
      await device.engine.close();
      await device.backend.close();
    }
    await this.cloud.close();
  }
}

const SYSTEM = ['_rid', '_self', '_etag', '_attachments', '_ts', '_perigee'];

/** A document without what stores and sync add. */
export function plain(document: object): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !SYSTEM.includes(key))) as JsonObject;
}

/** Everything in a partition key, by id, tombstones left out. */
export async function contents(store: DocumentStore<Note>, owner: string | undefined = 'ada'): Promise<Record<string, JsonObject>> {
  const found: [string, JsonObject][] = [];
  for await (const { document } of store.changes({ partitionKey: owner })) {
    if (!readRemote(document as unknown as StoredDocument, undefined).deleted) {
      found.push([document.id, plain(document)]);
    }
  }
  return Object.fromEntries(found.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Syncs and insists that it went well. */
export async function synced(device: Device): Promise<Awaited<ReturnType<SyncEngine['sync']>>> {
  const report = await device.engine.sync();
  if (report.outcome !== 'complete') {
    throw new Error(`The sync of ${device.name} ended as ${report.outcome}.`, { cause: report.error });
  }
  return report;
}
