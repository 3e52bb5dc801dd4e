import type { JsonObject } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { startEmbeddedPostgres } from '../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend } from '../../src/stores/postgres/postgres-backend.ts';
import { compareRates, timed, type BenchResult } from '../harness.ts';

const HELD = 50_000;
const LOADED = 20_000;
const CHUNK = 5000;
/** One document in so many has the word that is looked for. */
const EVERY = 1000;
const WORDS = 60;

const SYLLABLES = ['ba', 'ke', 'lo', 'mi', 'nu', 'ra', 'se', 'ti', 'vo', 'zu', 'dan', 'fel', 'gor', 'hin', 'pas', 'tor'];

/** A made-up word; low numbers are met often, as in a language. */
function wordOf(number: number): string {
  let word = '';
  for (let rest = number + 16; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    word += SYLLABLES[rest % SYLLABLES.length] as string;
  }
  return word;
}

/** A text of about 450 bytes. */
function textOf(index: number): string {
  const words = Array.from({ length: WORDS }, (_, at) => {
    const spread = ((index * 7919 + at * 104_729) % 10_007) / 10_007;
    return wordOf(Math.floor(20_000 ** spread));
  });
  return `${words.join(' ')}.${index % EVERY === 0 ? ' Volcanoes were seen.' : ''}`;
}

async function load(store: DocumentStore, count: number): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) {
    const { outcomes } = await store.bulk(
      Array.from({ length: CHUNK }, (_, at) => ({
        type: 'create' as const,
        document: { id: `d${from + at}`, pk: `p${at % 50}`, text: textOf(from + at) },
      })),
    );
    if (outcomes.some(({ ok }) => !ok)) {
      throw new Error('A document of the benchmark was refused.');
    }
  }
}

/** What an index over the words of texts gains in a search, and what it costs in a write. */
export async function* run(): AsyncGenerator<BenchResult> {
  const server = await startEmbeddedPostgres({ durable: true, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  const backend = await openPostgresBackend({ connectionString: server.connectionString });
  await backend.createDatabase('bench');
  const open = async (id: string, fullTextIndexes: readonly JsonObject[]): Promise<DocumentStore> => {
    await backend.createContainer('bench', { id, partitionKey: '/pk', indexingPolicy: { fullTextIndexes: [...fullTextIndexes] } });
    return backend.container('bench', id);
  };
  const [indexed, plain] = [[{ path: '/text' }], []] as const;
  try {
    let loads = 0;
    const loading = (indexes: readonly JsonObject[]) => async (): Promise<{ units: number; elapsedMs: number }> => {
      const id = `load-${(loads += 1)}`;
      const store = await open(id, indexes);
      const result = await timed(LOADED, () => load(store, LOADED));
      await backend.deleteContainer('bench', id);
      return result;
    };
    yield await compareRates({
      name: 'postgres text: bulk load with an index',
      unit: 'docs/s',
      rounds: 3,
      measured: loading(indexed),
      baseline: loading(plain),
    });
    const [withIndex, without] = [await open('indexed', indexed), await open('plain', plain)];
    await load(withIndex, HELD);
    await load(without, HELD);
    const queries: readonly (readonly [name: string, query: string, items: number])[] = [
      ['50 of 50,000', "SELECT * FROM c WHERE FULLTEXTCONTAINS(c.text, 'volcano')", HELD / EVERY],
      ['none of 50,000', "SELECT * FROM c WHERE FULLTEXTCONTAINS(c.text, 'methane lakes')", 0],
    ];
    for (const [name, query, items] of queries) {
      const search = (store: DocumentStore) => (): Promise<{ units: number; elapsedMs: number }> =>
        timed(1, async () => {
          const found = await store.query(query).toArray();
          if (found.length !== items) {
            throw new Error(`The benchmark found ${found.length} documents.`);
          }
        });
      yield await compareRates({
        name: `postgres text: search, ${name}`,
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
