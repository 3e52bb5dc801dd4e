import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../src/server/index.ts';
import type { ContainerInput } from '../../src/store/container-definition.ts';
import { openCosmosBackend, type CosmosBackendOptions } from '../../src/stores/cosmos/index.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend, type SqliteBackendOptions } from '../../src/stores/sqlite/index.ts';
import { SyncEngine } from '../../src/sync/index.ts';
import { NOTES } from './world.ts';

/** How a device of a {@link ServedScene} is opened. */
export interface ServedDeviceOptions {
  readonly connection?: Partial<CosmosBackendOptions>;
  readonly driver?: SqliteBackendOptions['driver'];
  readonly pageItems?: number;
}

/** A server over memory, and devices that reach it through the official client. */
export class ServedScene {
  readonly cloud: MemoryBackend;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'perigee-served-'));
  /** What is closed at the end, the last first. */
  readonly #open: { close(): Promise<void> }[] = [];
  server: PerigeeServer;

  private constructor(cloud: MemoryBackend, server: PerigeeServer) {
    this.cloud = cloud;
    this.server = server;
  }

  static async open(container: ContainerInput): Promise<ServedScene> {
    const cloud = openMemoryBackend();
    await cloud.createDatabase('app');
    await cloud.createContainer('app', container);
    return new ServedScene(cloud, await startServer({ backend: cloud, port: 0 }));
  }

  async device(name: string, { connection, driver, pageItems }: ServedDeviceOptions = {}): Promise<SyncEngine> {
    const remote = await openCosmosBackend({ endpoint: this.server.url, key: WELL_KNOWN_KEY, ...connection });
    const backend = await openSqliteBackend({ path: join(this.#folder, `${name}.sqlite`), driver });
    this.#open.push(remote, backend);
    const engine = await SyncEngine.open({
      backend,
      user: 'ada',
      device: name,
      scope: [{ container: 'notes', partitionKey: 'ada' }],
      remote: (container) => remote.container('app', container),
      containers: [NOTES],
      pageItems,
    });
    this.#open.push(engine);
    return engine;
  }

  async close(): Promise<void> {
    for (const one of this.#open.splice(0).toReversed()) {
      await one.close();
    }
    await this.server.close();
    await this.cloud.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
