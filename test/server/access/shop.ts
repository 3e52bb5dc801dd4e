import { Agent } from 'node:https';
import type { Container, CosmosClientOptions, PermissionDefinition, RequestOptions } from '@azure/cosmos';
import type { Backend } from '../../../src/store/backend.ts';
import type { Runtime } from '../../../src/core/runtime.ts';
import type { ServerOptions } from '../../../src/server/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { serve, type Served } from '../served.ts';

export type BackendName = 'memory' | 'sqlite';

export const BACKENDS: readonly BackendName[] = ['memory', 'sqlite'];

export function openBackend(name: BackendName, runtime?: Runtime): Promise<Backend> {
  return Promise.resolve(name === 'memory' ? openMemoryBackend({ runtime }) : openSqliteBackend({ path: ':memory:', runtime }));
}

export interface Shop {
  readonly served: Served;
  /** With the master key. */
  readonly container: Container;
  readonly token: (permission: Partial<PermissionDefinition>, options?: RequestOptions) => Promise<string>;
  /** The container through a client of its own. */
  readonly with: (options: Partial<CosmosClientOptions>) => Container;
}

/** Orders of two customers, `ada` and `bob`. */
export async function openShop(backend: BackendName = 'memory', options: Partial<ServerOptions> = {}): Promise<Shop> {
  const served = await serve({ backend: await openBackend(backend), ...options });
  const { certificate } = served.server;
  const transport = certificate === undefined ? {} : { agent: new Agent({ ca: certificate }) };
  const client = served.client(transport);
  await served.backend.createDatabase('shop');
  await served.backend.createContainer('shop', { id: 'orders', partitionKey: '/customer' });
  const store = await served.backend.container('shop', 'orders');
  for (let n = 1; n <= 6; n += 1) {
    await store.create({ id: `a${n}`, customer: 'ada', n, kind: n % 2 === 0 ? 'even' : 'odd' });
    await store.create({ id: `b${n}`, customer: 'bob', n: n * 100, kind: 'bob' });
  }
  await store.close();
  const database = client.database('shop');
  const container = database.container('orders');
  const { user } = await database.users.create({ id: 'someone' });
  let count = 0;
  return {
    served,
    container,
    token: async (permission, requestOptions) => {
      count += 1;
      // A user has one permission for a resource.
      const holder = count === 1 ? user : (await database.users.create({ id: `someone${count}` })).user;
      const { resource } = await holder.permissions.create(
        { id: `p${count}`, permissionMode: 'all' as never, resource: container.url, ...permission },
        requestOptions,
      );
      return (resource as unknown as { readonly _token: string })._token;
    },
    with: (clientOptions) => {
      const other = served.client({ key: undefined as never, ...transport, ...clientOptions });
      return other.database('shop').container('orders');
    },
  };
}
