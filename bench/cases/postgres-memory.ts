import { CosmosClient } from '@azure/cosmos';
import { setTimeout as pause } from 'node:timers/promises';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { startEmbeddedPostgres } from '../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend } from '../../src/stores/postgres/postgres-backend.ts';
import { PROGRAMS, startEmulator } from '../emulators.ts';
import { compareAmounts, sampleDocument, withBar, type BenchResult } from '../harness.ts';

const DOCUMENTS = 1_000_000;
const CHUNK = 5000;
/** A client that does something with each page. */
const PAUSE_MS = 2;
const PAGE = 1000;

/** A gateway gives a million documents to a client that is slower than it is; what its process holds meanwhile, at most. */
export async function* run(): AsyncGenerator<BenchResult> {
  const postgres = await startEmbeddedPostgres({ settings: { shared_buffers: '256MB' } });
  try {
    const backend = await openPostgresBackend({ connectionString: postgres.connectionString });
    await backend.createDatabase('bench');
    await backend.createContainer('bench', { id: 'items', partitionKey: '/owner' });
    const store = await backend.container('bench', 'items');
    for (let start = 0; start < DOCUMENTS; start += CHUNK) {
      const operations = Array.from({ length: CHUNK }, (_, n) => ({
        type: 'create' as const,
        document: sampleDocument(start + n, `owner-${(start + n) % 500}`),
      }));
      const { outcomes } = await store.bulk(operations);
      if (outcomes.some(({ ok }) => !ok)) {
        throw new Error('A document of the benchmark was refused.');
      }
    }
    await backend.close();
    const gateway = await startEmulator(PROGRAMS.postgres(postgres.connectionString));
    try {
      const client = new CosmosClient({ endpoint: gateway.url, key: WELL_KNOWN_KEY });
      const before = gateway.residentBytes();
      let most = before;
      let read = 0;
      const items = client.database('bench').container('items').items;
      const pages = items.query('SELECT * FROM c', { maxItemCount: PAGE, maxDegreeOfParallelism: 0 }).getAsyncIterator();
      for await (const { resources } of pages) {
        read += resources.length;
        most = Math.max(most, gateway.residentBytes());
        await pause(PAUSE_MS);
      }
      client.dispose();
      if (read !== DOCUMENTS) {
        throw new Error(`The client read ${read} documents of ${DOCUMENTS}.`);
      }
      const result = compareAmounts('postgres: gateway, 1,000,000 documents to a slow client', 'MB', [most / 1e6], [before / 1e6]);
      yield withBar(result, 'at most', 200);
    } finally {
      await gateway.stop();
    }
  } finally {
    await postgres.stop();
  }
}
