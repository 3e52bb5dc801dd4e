import type { JsonObject } from '../core/json.ts';
import { openInProcessServer } from '../server/in-process-server.ts';
import { WELL_KNOWN_KEY } from '../server/server-options.ts';
import type { Backend } from '../store/backend.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { splitUrl } from '../stores/cosmos/http-exchange.ts';
import { openCosmosBackend } from '../stores/cosmos/cosmos-backend.ts';

/** A backend as devices reach it through the official SDK. */
export interface ServedRemote {
  readonly store: DocumentStore<JsonObject>;
  readonly close: () => Promise<void>;
}

/** Lets the server's own handlers answer the official SDK, without sockets. @throws DRIVER_MISSING */
export async function serveRemote(backend: Backend, databaseId: string, containerId: string): Promise<ServedRemote> {
  const server = await openInProcessServer({ backend });
  const account = await openCosmosBackend({
    endpoint: server.endpoint,
    key: WELL_KNOWN_KEY,
    exchange: ({ url, ...wire }) => server.handle({ ...wire, path: splitUrl(url).path }),
  });
  return {
    store: await account.container(databaseId, containerId),
    close: async () => {
      await account.close();
      await server.close();
    },
  };
}
