import { describe, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY, type ServerOptions } from '../../../src/server/index.ts';
import { openCosmosBackend, type CosmosBackend, type CosmosBackendOptions } from '../../../src/stores/cosmos/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';

const SETUPS: readonly (readonly [name: string, client: Partial<CosmosBackendOptions>, server: Partial<ServerOptions>])[] = [
  ['cosmos, a client for each store', {}, {}],
  ['cosmos, one client for all stores, endpoint discovery', { sharedClient: true, endpointDiscovery: true }, {}],
  ['cosmos, queries merged by the SDK', {}, { crossPartitionQueries: 'service' }],
];

// The real SDK against Perigee's server over the memory backend. The served store runs on the clock of the test, so time to live is exact here too.
for (const [name, clientOptions, serverOptions] of SETUPS) {
  storeConformance({
    name,
    runner: { describe, test },
    open: async ({ runtime }) => {
      const served = openMemoryBackend({ runtime });
      const server = await startServer({ backend: served, port: 0, ...serverOptions });
      const open = (): Promise<CosmosBackend> =>
        openCosmosBackend({
          endpoint: server.url,
          key: WELL_KNOWN_KEY,
          runtime,
          capabilities: { runtimeClock: true },
          ...clientOptions,
        });
      let backend = await open();
      return {
        backend,
        reopen: async () => {
          await backend.close();
          backend = await open();
          return backend;
        },
        dispose: async () => {
          await backend.close();
          await server.close();
          await served.close();
        },
      };
    },
  });
}
