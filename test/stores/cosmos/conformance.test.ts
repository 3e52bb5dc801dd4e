import { describe, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import { openCosmosBackend, type CosmosBackend } from '../../../src/stores/cosmos/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { storeConformance } from '../../../src/testing/store-conformance.ts';

// The real SDK against Perigee's server over the memory backend. The served store runs on the clock of the test, so time to live is exact here too.
for (const sharedClient of [false, true]) {
  storeConformance({
    name: `cosmos, ${sharedClient ? 'one client for all stores' : 'a client for each store'}`,
    runner: { describe, test },
    open: async ({ runtime }) => {
      const served = openMemoryBackend({ runtime });
      const server = await startServer({ backend: served, port: 0 });
      const open = (): Promise<CosmosBackend> =>
        openCosmosBackend({ endpoint: server.url, key: WELL_KNOWN_KEY, runtime, sharedClient, capabilities: { runtimeClock: true } });
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
