import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../../src/server/index.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openCosmosBackend, type CosmosBackend } from '../../../src/stores/cosmos/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';

const served = openMemoryBackend();
let server: PerigeeServer;
let backend: CosmosBackend;
let local: DocumentStore;
let store: DocumentStore;
let empty: DocumentStore;

const DEFINITION = {
  partitionKey: '/track',
  indexingPolicy: { vectorIndexes: [{ path: '/v', type: 'flat' }], fullTextIndexes: [{ path: '/text' }] },
  extra: {
    vectorEmbeddingPolicy: { vectorEmbeddings: [{ path: '/v', dataType: 'float32', dimensions: 2, distanceFunction: 'cosine' }] },
    fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/text', language: 'en-US' }] },
  },
};

beforeAll(async () => {
  await served.createDatabase('app');
  await served.createContainer('app', { id: 'talks', ...DEFINITION });
  await served.createContainer('app', { id: 'empty', ...DEFINITION });
  local = await served.container('app', 'talks');
  await local.create({ id: '1', track: 'a', text: 'Swim in the river.', v: [1, 0] });
  await local.create({ id: '2', track: 'b', text: 'A lake.', v: [0, 1] });
  await local.create({ id: '3', track: 'b', text: 'A river and a lake.', v: [0.6, 0.4] });
  server = await startServer({ backend: served, port: 0, crossPartitionQueries: 'service' });
  backend = await openCosmosBackend({ endpoint: server.url, key: WELL_KNOWN_KEY });
  store = await backend.container('app', 'talks');
  empty = await backend.container('app', 'empty');
});

afterAll(async () => {
  await backend.close();
  await server.close();
  await served.close();
});

const LIKE = 'ORDER BY VectorDistance(c.v, [1, 0])';
const TEXT = "ORDER BY RANK FullTextScore(c.text, 'swim', 'river')";
const FUSED = "ORDER BY RANK RRF(FullTextScore(c.text, 'swim', 'river'), VectorDistance(c.v, [1, 0]))";
const VECTORS = 'ORDER BY RANK RRF(VectorDistance(c.v, [0, 1]), VectorDistance(c.v, [1, 0]))';

/** All items, in as many pages as a query with an end may take. */
async function idsOf(container: DocumentStore, query: string): Promise<unknown[]> {
  const pages = container.query<{ id: string }>(query);
  const ids: unknown[] = [];
  for (let count = 0; count < 20; count += 1) {
    const page = await pages.nextPage();
    if (page === undefined) {
      return ids;
    }
    ids.push(...page.items.map(({ id }) => id));
  }
  throw new Error('The query has no end.');
}

// Without the guard some of these take the process with them, so that not even the time limit of the test ends them.
describe('searches that the SDK plans', () => {
  test.each([LIKE, TEXT, FUSED, VECTORS])('end where nothing is found: %s', async (order) => {
    expect(await idsOf(store, `SELECT TOP 3 c.id FROM c WHERE c.id = 'none' ${order}`)).toEqual([]);
    expect(await idsOf(store, `SELECT c.id FROM c ${order} OFFSET 5 LIMIT 2`)).toEqual([]);
    expect(await idsOf(store, `SELECT TOP 0 c.id FROM c ${order}`)).toEqual([]);
  });

  test.each([LIKE, TEXT, FUSED, VECTORS])('end in an empty container: %s', async (order) => {
    expect(await idsOf(empty, `SELECT TOP 3 c.id FROM c ${order}`)).toEqual([]);
  });

  test('end where DISTINCT finds nothing', async () => {
    expect(await idsOf(store, `SELECT DISTINCT TOP 3 c.id FROM c WHERE c.id = 'none' ${LIKE}`)).toEqual([]);
  });

  test.each([LIKE, TEXT, FUSED])('find what there is: %s', async (order) => {
    const query = `SELECT TOP 2 c.id FROM c ${order}`;
    expect(await idsOf(store, query)).toEqual(await idsOf(local, query));
  });
});
