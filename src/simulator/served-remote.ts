import type { JsonObject } from '../core/json.ts';
import { openInProcessServer } from '../server/in-process-server.ts';
import { WELL_KNOWN_KEY } from '../server/server-options.ts';
import type { Backend } from '../store/backend.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { WireAnswer } from '../stores/cosmos/cosmos-errors.ts';
import { splitUrl } from '../stores/cosmos/http-exchange.ts';
import { openCosmosBackend } from '../stores/cosmos/cosmos-backend.ts';
import { Splits } from './network/splits.ts';

/** A backend as devices reach it through the official SDK. */
export interface ServedRemote {
  readonly store: DocumentStore<JsonObject>;
  /** Splits the only partition of the container, or merges its first two. */
  readonly splitOrMerge: () => Promise<'splits' | 'merges'>;
  readonly close: () => Promise<void>;
}

/** What the service answers while a partition splits or merges, and once after it. */
function gone(subStatus: number): WireAnswer {
  return {
    status: 410,
    headers: { 'x-ms-substatus': String(subStatus), 'x-ms-activity-id': '00000000-0000-0000-0000-000000000000' },
    body: JSON.stringify({ code: 'Gone', message: 'The requested resource is no longer available at the server.' }),
  };
}

/** Lets the server's own handlers answer the official SDK, without sockets. @throws DRIVER_MISSING */
export async function serveRemote(
  backend: Backend,
  databaseId: string,
  containerId: string,
  splits: Splits = new Splits(),
): Promise<ServedRemote> {
  const server = await openInProcessServer({ backend });
  const account = await openCosmosBackend({
    endpoint: server.endpoint,
    key: WELL_KNOWN_KEY,
    exchange: async ({ url, ...wire }) => {
      const subStatus = url.includes('/docs') ? splits.subStatus(backend.runtime.nowMs()) : undefined;
      return subStatus === undefined ? server.handle({ ...wire, path: splitUrl(url).path }) : gone(subStatus);
    },
  });
  return {
    store: await account.container(databaseId, containerId),
    splitOrMerge: async () => {
      const command = { database: databaseId, container: containerId };
      const { length } = await server.partitions.list(command);
      await (length > 1 ? server.partitions.merge(command) : server.partitions.split(command));
      return length > 1 ? 'merges' : 'splits';
    },
    close: async () => {
      await account.close();
      await server.close();
    },
  };
}
