import { ALL_HANDLERS } from './handlers/all-handlers.ts';
import { provideHandlers } from './handlers/load-handlers.ts';
import { openServer } from './open-server.ts';
import type { PerigeeServer, ServerOptions } from './server-options.ts';

/**
 * Serves a backend over the Cosmos DB protocol, so that the official SDKs work unchanged.
 *
 * Every request must be signed with the master key. The server keeps nothing but caches: what is acknowledged is as durable as the backend says,
 * and several servers may stand on one backend that several processes share.
 *
 * @throws PORT_IN_USE, INVALID_OPTION, DRIVER_MISSING with `telemetry`
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 * import { startServer, WELL_KNOWN_KEY } from 'perigee/server';
 * import { CosmosClient } from '@azure/cosmos';
 *
 * const backend = openMemoryBackend();
 * const server = await startServer({ backend, port: 0 });
 * const client = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY });
 *
 * const { database } = await client.databases.create({ id: 'app' });
 * const { container } = await database.containers.create({ id: 'todos', partitionKey: '/owner' });
 * await container.items.create({ id: '1', owner: 'ada', text: 'write the first program' });
 * const { resource } = await container.item('1', 'ada').read();
 * console.log(resource.text); // -> write the first program
 *
 * client.dispose();
 * await server.close();
 * await backend.close();
 * ```
 */
export function startServer(options: ServerOptions): Promise<PerigeeServer> {
  // Loaded with this module and not later: Jest fails to link modules that two imports ask for at once, and an import that is under way when a test ends.
  provideHandlers(ALL_HANDLERS);
  return openServer(options);
}
