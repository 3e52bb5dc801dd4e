import { CosmosClient, type CosmosClientOptions } from '@azure/cosmos';
import { onTestFinished } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import type { Backend } from '../../src/store/backend.ts';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer, type ServerOptions } from '../../src/server/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { sourceThread } from './scripts/source-thread.ts';
import { sign } from './sign.ts';

export { sign };

/** A server on a free port over a fresh memory backend, gone when the test is. */
export interface Served {
  readonly server: PerigeeServer;
  readonly backend: Backend;
  readonly client: (options?: Partial<CosmosClientOptions>) => CosmosClient;
  /** A signed request, as raw as it goes. */
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Response>;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly key?: string;
  readonly date?: string;
  /** Sent as it is instead of a signature; `null` sends none. */
  readonly authorization?: string | null;
}

/** Shows what the server tells only its operator, so that a failing test says why. */
const logger: Logger = {
  log(level, message, fields) {
    if (level === 'error') {
      console.error(message, fields);
    }
  },
};

export async function serve(options: Partial<ServerOptions> = {}): Promise<Served> {
  const backend = options.backend ?? openMemoryBackend();
  const scripts = { createThread: sourceThread, ...options.scripts };
  const server = await startServer({ backend, port: 0, logger, ...options, scripts });
  const clients: CosmosClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) {
      client.dispose();
    }
    await server.close();
    await backend.close();
  });
  return {
    server,
    backend,
    client(clientOptions = {}) {
      const client = new CosmosClient({ endpoint: server.url, key: options.key ?? WELL_KNOWN_KEY, ...clientOptions });
      clients.push(client);
      return client;
    },
    send(method, path, { headers = {}, body, key, date = new Date().toUTCString(), authorization } = {}) {
      const signature = authorization === undefined ? sign(method, path, date, key ?? options.key) : authorization;
      return fetch(server.url + path, {
        method,
        headers: { 'x-ms-date': date, ...(signature === null ? {} : { authorization: signature }), ...headers },
        ...(body === undefined ? {} : { body }),
      });
    },
  };
}
