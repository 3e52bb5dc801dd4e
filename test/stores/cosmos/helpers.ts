import type { PerigeeError } from '../../../src/core/errors.ts';
import { isPerigeeError } from '../../../src/core/errors.ts';
import {
  openCosmosBackend,
  type CosmosBackend,
  type CosmosBackendOptions,
  type CosmosDocumentStore,
} from '../../../src/stores/cosmos/index.ts';

export const TEST_KEY = 'dGVzdC1rZXk=';

/** A backend that knows its container, so that opening it sends nothing. */
export async function openFaulty(
  endpoint: string,
  options: Partial<CosmosBackendOptions> = {},
): Promise<{ backend: CosmosBackend; store: CosmosDocumentStore }> {
  const backend = await openCosmosBackend({
    endpoint,
    ...(options.tokenProvider === undefined ? { key: TEST_KEY } : {}),
    maxThrottleWaitMs: 0,
    containers: [{ databaseId: 'app', definition: { id: 'todos', partitionKey: '/owner' } }],
    ...options,
  });
  return { backend, store: (await backend.container('app', 'todos')) as CosmosDocumentStore };
}

/** The error that a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<PerigeeError> {
  try {
    await call;
  } catch (error) {
    if (isPerigeeError(error)) {
      return error;
    }
    throw error;
  }
  throw new Error('The call did not fail.');
}

const document = { id: '1', owner: 'ada' };

/** Every call of a store that sends a request, each rejecting with its error. */
export const STORE_CALLS: Readonly<Record<string, (store: CosmosDocumentStore, signal?: AbortSignal) => Promise<unknown>>> = {
  read: (store, signal) => store.read('1', 'ada', { signal }),
  'read of an id that is no path segment': (store, signal) => store.read('..', 'ada', { signal }),
  'readMany by point reads': (store, signal) => store.readMany([{ id: '1', partitionKey: 'ada' }], { signal }),
  'readMany by query': (store, signal) =>
    store.readMany(
      ['1', '2', '3'].map((id) => ({ id, partitionKey: 'ada' })),
      { signal },
    ),
  create: (store, signal) => store.create(document, { signal }),
  upsert: (store, signal) => store.upsert(document, { signal }),
  replace: (store, signal) => store.replace(document, { signal, ifMatch: '"1"' }),
  patch: (store, signal) => store.patch('1', 'ada', [{ op: 'set', path: '/n', value: 1 }], { signal }),
  delete: (store, signal) => store.delete('1', 'ada', { signal }),
  batch: (store, signal) =>
    store.batch(
      'ada',
      [
        { type: 'create', document },
        { type: 'delete', id: '2' },
      ],
      { signal },
    ),
  'bulk of one operation': (store, signal) => firstRefusal(store, 1, signal),
  'bulk of several operations': (store, signal) => firstRefusal(store, 3, signal),
  'query of one partition key': (store, signal) => store.query('SELECT * FROM c', { partitionKey: 'ada', signal }).toArray(),
  'query of the container': (store, signal) => store.query('SELECT * FROM c', { signal }).toArray(),
  explain: (store, signal) => store.explain('SELECT * FROM c', { signal }),
  'changes of one partition key': (store, signal) => store.changes({ partitionKey: 'ada', signal }).nextPage(),
  'changes of the container': (store, signal) => store.changes({ signal }).nextPage(),
};

async function firstRefusal(store: CosmosDocumentStore, count: number, signal: AbortSignal | undefined): Promise<void> {
  const operations = Array.from({ length: count }, (_, index) => ({
    type: 'create' as const,
    document: { id: String(index), owner: 'ada' },
  }));
  const { outcomes } = await store.bulk(operations, { signal });
  for (const outcome of outcomes) {
    if (!outcome.ok) {
      throw outcome.error;
    }
  }
}

/** Every call of a backend that sends a request. */
export const BACKEND_CALLS: Readonly<Record<string, (backend: CosmosBackend) => Promise<unknown>>> = {
  createDatabase: (backend) => backend.createDatabase('app'),
  readDatabase: (backend) => backend.readDatabase('app'),
  listDatabases: (backend) => backend.listDatabases(),
  deleteDatabase: (backend) => backend.deleteDatabase('app'),
  createContainer: (backend) => backend.createContainer('app', { id: 'c', partitionKey: '/p' }),
  readContainer: (backend) => backend.readContainer('app', 'c'),
  listContainers: (backend) => backend.listContainers('app'),
  replaceContainer: (backend) => backend.replaceContainer('app', { id: 'c', partitionKey: '/p' }),
  deleteContainer: (backend) => backend.deleteContainer('app', 'c'),
  container: (backend) => backend.container('app', 'c'),
};
