import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openFreshPostgres } from '../../support/open-postgres.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';

/** A container with documents, to run whole queries on. */
export interface OpenContainer {
  readonly name: string;
  rows(query: string): Promise<JsonValue[]>;
  close(): Promise<void>;
}

async function openContainer(name: string, backend: Backend, documents: readonly JsonObject[]): Promise<OpenContainer> {
  await backend.createDatabase('test');
  await backend.createContainer('test', { id: 'samples', partitionKey: '/id' });
  const store = await backend.container('test', 'samples');
  for (const document of documents) {
    await store.create({ id: document['id'] as string, ...document });
  }
  return {
    name,
    rows: async (query) => store.query<JsonValue>({ query }).toArray(),
    close: () => backend.close(),
  };
}

/** The same documents in memory, in SQLite and in PostgreSQL. */
export async function openContainers(documents: readonly JsonObject[]): Promise<readonly OpenContainer[]> {
  return [
    await openContainer('memory', openMemoryBackend(), documents),
    await openContainer('SQLite', await openSqliteBackend({ path: ':memory:' }), documents),
    await openContainer('PostgreSQL', await openFreshPostgres(), documents),
  ];
}
