import type { JsonObject } from '../src/core/json.ts';
import type { DocumentStore } from '../src/store/document-store.ts';
import { startEmbeddedPostgres } from '../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend } from '../src/stores/postgres/postgres-backend.ts';
import { compareRates, timed, type BenchResult } from './harness.ts';

/** Documents that are searched. */
export const HELD = 50_000;
const LOADED = 20_000;
const CHUNK = 5000;

/** An index of a policy that is measured on PostgreSQL. */
export interface PolicyIndex {
  /** What it is for, such as `text`. */
  readonly label: string;
  readonly indexingPolicy: JsonObject;
  readonly documentAt: (index: number) => JsonObject;
  /** Searches, and how many documents each finds. */
  readonly queries: readonly { readonly name: string; readonly query: string; readonly items: number }[];
}

async function load(store: DocumentStore, count: number, documentAt: PolicyIndex['documentAt']): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) {
    const { outcomes } = await store.bulk(
      Array.from({ length: CHUNK }, (_, at) => ({
        type: 'create' as const,
        document: { id: `d${from + at}`, pk: `p${at % 50}`, ...documentAt(from + at) },
      })),
    );
    if (outcomes.some(({ ok }) => !ok)) {
      throw new Error('A document of the benchmark was refused.');
    }
  }
}

/** What an index of a policy gains in searches, and what it costs in a bulk load: a container with it against one without. */
export async function* measurePolicyIndex({ label, indexingPolicy, documentAt, queries }: PolicyIndex): AsyncGenerator<BenchResult> {
  const server = await startEmbeddedPostgres({ durable: true, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  const backend = await openPostgresBackend({ connectionString: server.connectionString });
  await backend.createDatabase('bench');
  const open = async (id: string, policy: JsonObject): Promise<DocumentStore> => {
    await backend.createContainer('bench', { id, partitionKey: '/pk', indexingPolicy: policy });
    return backend.container('bench', id);
  };
  try {
    let loads = 0;
    const loading = (policy: JsonObject) => async (): Promise<{ units: number; elapsedMs: number }> => {
      const id = `load-${(loads += 1)}`;
      const store = await open(id, policy);
      const result = await timed(LOADED, () => load(store, LOADED, documentAt));
      await backend.deleteContainer('bench', id);
      return result;
    };
    yield await compareRates({
      name: `postgres ${label}: bulk load with an index`,
      unit: 'docs/s',
      rounds: 3,
      measured: loading(indexingPolicy),
      baseline: loading({}),
    });
    const [withIndex, without] = [await open('indexed', indexingPolicy), await open('plain', {})];
    await load(withIndex, HELD, documentAt);
    await load(without, HELD, documentAt);
    for (const { name, query, items } of queries) {
      const search = (store: DocumentStore) => (): Promise<{ units: number; elapsedMs: number }> =>
        timed(1, async () => {
          const found = await store.query(query).toArray();
          if (found.length !== items) {
            throw new Error(`The benchmark found ${found.length} documents, not ${items}.`);
          }
        });
      yield await compareRates({
        name: `postgres ${label}: search, ${name}`,
        unit: 'queries/s',
        rounds: 5,
        atLeast: 10,
        measured: search(withIndex),
        baseline: search(without),
      });
    }
  } finally {
    await backend.close();
    await server.stop();
  }
}
