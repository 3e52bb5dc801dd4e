import { silentLogger } from '../core/logger.ts';
import { systemRuntime, type Runtime } from '../core/runtime.ts';
import { ActivityIds } from './activity-ids.ts';
import { Authenticator } from './authenticator.ts';
import { checkOptions } from './check-options.ts';
import { ContainerRegistry } from './container-registry.ts';
import { createHttpServer, listen, stop } from './http-listener.ts';
import { createRequestListener } from './request-listener.ts';
import { LinkParser } from './resource-link.ts';
import type { PerigeeServer, ServerCertificate, ServerOptions } from './server-options.ts';

async function certificateOf(https: ServerOptions['https'], host: string, runtime: Runtime): Promise<ServerCertificate | undefined> {
  if (https === undefined || https === false) {
    return undefined;
  }
  return https === true ? (await import('./tls-certificate.ts')).selfSignedCertificate(host, runtime) : https;
}

/** The host of the endpoint: an address that stands for all is reached through loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') {
    return '127.0.0.1';
  }
  const name = host === '::' ? '::1' : host;
  return name.includes(':') ? `[${name}]` : name;
}

/**
 * Serves a backend over the Cosmos DB protocol, so that the official SDKs work unchanged.
 *
 * Every request must be signed with the master key. The server keeps nothing but caches: what is acknowledged is as durable as the backend says,
 * and several servers may stand on one backend that several processes share.
 *
 * @throws PORT_IN_USE, INVALID_OPTION
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
export async function startServer(options: ServerOptions): Promise<PerigeeServer> {
  const { host, port, key, maxBodyBytes, closeTimeoutMs, orderBy } = checkOptions(options);
  const { backend, runtime = systemRuntime, logger = silentLogger } = options;
  const certificate = await certificateOf(options.https, host, runtime);
  const containers = new ContainerRegistry(backend, runtime, logger);
  let url = '';
  let closing: Promise<void> | undefined;
  const server = await createHttpServer(
    createRequestListener({
      server: {
        backend,
        containers,
        logger,
        crossPartitionQueries: options.crossPartitionQueries ?? 'answer',
        orderBy,
        url: () => url,
        secure: certificate !== undefined,
      },
      authenticator: new Authenticator(key, runtime),
      links: new LinkParser(),
      activityIds: new ActivityIds(runtime),
      runtime,
      maxBodyBytes,
      isClosing: () => closing !== undefined,
    }),
    certificate,
  );
  const actualPort = await listen(server, host, port);
  url = `${certificate === undefined ? 'http' : 'https'}://${urlHost(host)}:${actualPort}`;
  return {
    url,
    port: actualPort,
    close: () => {
      closing ??= stop(server, runtime, closeTimeoutMs).then(() => containers.close());
      return closing;
    },
  };
}
