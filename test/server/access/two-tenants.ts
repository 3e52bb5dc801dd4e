import { startServer, type PerigeeServer } from '../../../src/server/index.ts';
import type { ContainerInput } from '../../../src/store/container-definition.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { sourceThread } from '../scripts/source-thread.ts';
import { sign } from '../sign.ts';
import { openBackend, type BackendName } from './shop.ts';

export type Tenant = 'ada' | 'bob';

/** How the keys of two tenants lie in a container. */
export interface Tenancy {
  readonly name: string;
  readonly partitionKey: ContainerInput['partitionKey'];
  /** What a tenant's token is limited to. */
  readonly granted: (tenant: Tenant) => readonly string[];
  /** The members of a tenant's documents that make their key, and the header that names it. */
  readonly keys: (tenant: Tenant) => readonly { readonly members: object; readonly header: string }[];
}

function flat(tenant: Tenant): readonly { readonly members: object; readonly header: string }[] {
  return [{ members: { k: tenant }, header: `["${tenant}"]` }];
}

export const TENANCIES: readonly Tenancy[] = [
  { name: 'keys hashed by version 1', partitionKey: { paths: ['/k'], version: 1 }, granted: (tenant) => [tenant], keys: flat },
  { name: 'keys hashed by version 2', partitionKey: { paths: ['/k'], version: 2 }, granted: (tenant) => [tenant], keys: flat },
  {
    name: 'prefixes of hierarchical keys',
    partitionKey: { paths: ['/k', '/s'], version: 2 },
    granted: (tenant) => [tenant],
    keys: (tenant) => ['x', 'y'].map((s) => ({ members: { k: tenant, s }, header: `["${tenant}","${s}"]` })),
  },
  {
    name: 'hierarchical keys with a level in common',
    partitionKey: { paths: ['/s', '/k'], version: 2 },
    granted: (tenant) => ['x', tenant],
    keys: (tenant) => [{ members: { s: 'x', k: tenant }, header: `["x","${tenant}"]` }],
  },
];

/** A request on a container, before it is known on which and by whom. */
export interface TenantRequest {
  readonly method: string;
  /** Behind the container's link. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** What a tenant sees of an answer. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A container, and how each tenant speaks to it. */
export interface TenantContainer {
  readonly id: string;
  readonly send: (tenant: Tenant, request: TenantRequest) => Promise<Seen>;
  /** All documents, by the master key. */
  readonly documents: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** An account whose containers two tenants share. */
export interface TenantAccount {
  readonly backend: Backend;
  readonly server: PerigeeServer;
  readonly owner: (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<Seen>;
  readonly container: (tenancy: Tenancy) => Promise<TenantContainer>;
  readonly close: () => Promise<void>;
}

export async function openTenantAccount(name: BackendName): Promise<TenantAccount> {
  // A clock that stands still: what a write costs depends on whether the second of the document has changed.
  const backend = await openBackend(name, new SimulatedRuntime({ seed: 4 }));
  const server = await startServer({ backend, port: 0, scripts: { createThread: sourceThread } });
  const ask = async (method: string, path: string, headers: Record<string, string>, body: string | undefined): Promise<Seen> => {
    const response = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  };
  const owner: TenantAccount['owner'] = (method, path, body, headers = {}) => {
    const date = new Date().toUTCString();
    const text = body === undefined ? undefined : JSON.stringify(body);
    return ask(method, path, { 'x-ms-date': date, authorization: sign(method, path, date), ...headers }, text);
  };
  await owner('POST', '/dbs', { id: 'app' });
  await owner('POST', '/dbs/app/users', { id: 'u' });
  let count = 0;
  const tokenOf = async (container: string, tenant: Tenant, tenancy: Tenancy): Promise<string> => {
    const permission = {
      id: `${container}-${tenant}`,
      permissionMode: 'All',
      resource: `dbs/app/colls/${container}`,
      resourcePartitionKey: tenancy.granted(tenant),
    };
    const answer = await owner('POST', '/dbs/app/users/u/permissions', permission);
    return encodeURIComponent((JSON.parse(answer.text) as { readonly _token: string })._token);
  };
  return {
    backend,
    server,
    owner,
    container: async (tenancy) => {
      count += 1;
      const id = `c${count}`;
      const { rid } = await backend.createContainer('app', { id, partitionKey: tenancy.partitionKey, uniqueKeys: [['/u']] });
      const tokens = { ada: await tokenOf(id, 'ada', tenancy), bob: await tokenOf(id, 'bob', tenancy) };
      return {
        id,
        send: (tenant, { method, path, headers, body }) => {
          const link = path.replace('{container}', id).replace('{rid}', rid);
          return ask(method, link, { authorization: tokens[tenant], ...headers }, body);
        },
        documents: async () => {
          const store = await backend.container<Record<string, unknown>>('app', id);
          const found = await store.query<Record<string, unknown>>('SELECT * FROM c').toArray();
          await store.close();
          return found;
        },
      };
    },
    close: async () => {
      await server.close();
      await backend.close();
    },
  };
}
