import {
  VectorEmbeddingDataType,
  VectorEmbeddingDistanceFunction,
  VectorIndexType,
  type Container,
  type CosmosClientOptions,
  type SqlQuerySpec,
} from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { ServerOptions } from '../../src/server/index.ts';
import { serve } from './served.ts';
import { splitRanges } from './split-ranges.ts';

interface Talk {
  readonly id: string;
  readonly track: string;
  readonly title: string;
  readonly text?: string;
  readonly v?: readonly number[];
  readonly w?: readonly number[];
}

const TALKS: readonly Talk[] = [
  { id: '1', track: 'a', title: 'Swimming lakes', text: 'Lakes for swimming, and a river for swimmers.', v: [1, 0], w: [3, 4] },
  { id: '2', track: 'b', title: 'Running', text: 'Runners run along the river every morning before breakfast.', v: [0.9, 0.1], w: [0, 1] },
  { id: '3', track: 'a', title: 'Rivers', text: 'A river swims through the text of this talk about rivers.', v: [0, 1], w: [1, 1] },
  { id: '4', track: 'c', title: 'Bread', text: 'Nothing of water.', v: [-1, 0.2] },
  { id: '5', track: 'c', title: 'No text', v: [-1, 0.1], w: [10, 10] },
  { id: '6', track: 'b', title: 'Swim', text: 'Swim.', v: [0.5, 0.5, 0.5], w: [0, 0] },
];

async function talks(
  options: Partial<ServerOptions>,
  client: Partial<CosmosClientOptions> = {},
): Promise<{ readonly container: Container; readonly store: DocumentStore }> {
  const served = await serve(options);
  const { database } = await served.client(client).databases.create({ id: 'app' });
  const float32 = VectorEmbeddingDataType.Float32;
  const { container } = await database.containers.create({
    id: 'talks',
    partitionKey: '/track',
    indexingPolicy: {
      vectorIndexes: [{ path: '/v', type: VectorIndexType.Flat }],
      fullTextIndexes: [{ path: '/text' }, { path: '/title' }],
    },
    vectorEmbeddingPolicy: {
      vectorEmbeddings: [
        { path: '/v', dataType: float32, dimensions: 2, distanceFunction: VectorEmbeddingDistanceFunction.Cosine },
        { path: '/w', dataType: float32, dimensions: 2, distanceFunction: VectorEmbeddingDistanceFunction.Euclidean },
      ],
    },
    fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/text', language: '1033' }] },
  });
  for (const talk of TALKS) {
    await container.items.create(talk);
  }
  return { container, store: await served.backend.container('app', 'talks') };
}

/** Queries and the ids that they give. No two rows fit alike: clients put such rows in any order. */
const SEARCHES: readonly (readonly [text: string | SqlQuerySpec, ids: readonly string[]])[] = [
  ['SELECT TOP 3 c.id FROM c ORDER BY VectorDistance(c.v, [1, 0])', ['1', '2', '3']],
  ['SELECT TOP 10 c.id FROM c ORDER BY VectorDistance(c.v, [1, 0])', ['1', '2', '3', '4', '5', '6']],
  ['SELECT TOP 10 c.id FROM c ORDER BY VectorDistance(c.w, [0, 0])', ['6', '2', '3', '1', '5', '4']],
  ['SELECT c.id FROM c WHERE c.track = "a" ORDER BY VectorDistance(c.w, [0, 0]) OFFSET 1 LIMIT 1', ['1']],
  ["SELECT TOP 4 c.id FROM c ORDER BY VectorDistance(c.v, [1, 0], false, {distanceFunction: 'euclidean'})", ['1', '2', '3', '5']],
  [
    {
      query: 'SELECT TOP @n c.id FROM c ORDER BY RANK VectorDistance(c.v, @v)',
      parameters: [
        { name: '@n', value: 1 },
        { name: '@v', value: [0, 1] },
      ],
    },
    ['3'],
  ],
  ["SELECT TOP 2 c.id FROM c ORDER BY RANK FullTextScore(c.text, 'swim')", ['6', '1']],
  ["SELECT TOP 10 c.id FROM c WHERE c.id != '4' ORDER BY RANK FullTextScore(c.text, 'swim')", ['6', '1', '3', '2', '5']],
  [
    "SELECT TOP 10 c.id FROM c WHERE FullTextContains(c.text, 'river') ORDER BY RANK FullTextScore(c.text, 'rivers', 'swimming')",
    ['3', '1', '2'],
  ],
  ["SELECT c.id FROM c ORDER BY RANK FullTextScore(c.text, ['swim']) OFFSET 1 LIMIT 2", ['1', '3']],
  [
    {
      query: 'SELECT TOP 3 c.id FROM c ORDER BY RANK FullTextScore(c.text, @terms)',
      parameters: [{ name: '@terms', value: ['swim', 'lake'] }],
    },
    ['1', '6', '3'],
  ],
  ["SELECT TOP 3 c.id FROM c ORDER BY RANK RRF(FullTextScore(c.text, 'swim'), VectorDistance(c.w, [0, 0]), [2, 1])", ['6', '1', '3']],
  ["SELECT TOP 2 c.id FROM c ORDER BY RANK RRF(FullTextScore(c.title, 'running'), FullTextScore(c.text, 'swim'), [100, 1])", ['2', '6']],
  ['SELECT TOP 2 c.id FROM c ORDER BY RANK RRF(VectorDistance(c.v, [1, 0]), VectorDistance(c.w, [0, 0]))', ['2', '1']],
];

const idsOf = (items: readonly unknown[]): unknown[] => items.map((item) => (item as { readonly id: string }).id);

const SETUPS = [
  ['answered', { crossPartitionQueries: 'answer' }, {}],
  ['refused as the service does', {}, {}],
  ['refused, and merged from the answers of several ranges', {}, { plugins: [splitRanges()] }],
] as const;

describe.each(SETUPS)('searches %s', (_, server, client) => {
  test('give what the store gives', async () => {
    const { container, store } = await talks(server, client as object);
    for (const [query, ids] of SEARCHES) {
      const { resources } = await container.items.query(query).fetchAll();
      expect(idsOf(resources), JSON.stringify(query)).toEqual(ids);
      const own = await store
        .query(typeof query === 'string' ? query : { query: query.query, parameters: query.parameters as never })
        .toArray();
      expect(idsOf(own), JSON.stringify(query)).toEqual(ids);
    }
  });

  test('go on page by page', async () => {
    const { container } = await talks(server, client as object);
    const query = "SELECT TOP 5 c.id FROM c ORDER BY RANK RRF(FullTextScore(c.text, 'swim'), VectorDistance(c.w, [0, 0]), [2, 1])";
    const all = (await container.items.query(query).fetchAll()).resources;
    const pages: unknown[] = [];
    const iterator = container.items.query(query, { maxItemCount: 2 });
    while (iterator.hasMoreResults()) {
      pages.push(...((await iterator.fetchNext()).resources ?? []));
    }
    expect(pages).toEqual(all);
    expect(all).toHaveLength(5);
  });

  test('refuse a score that is selected', async () => {
    const { container } = await talks(server, client as object);
    const failing = container.items.query("SELECT FullTextScore(c.text, 'swim') AS s FROM c").fetchAll();
    await expect(failing).rejects.toMatchObject({ code: 400, message: expect.stringContaining('SC2240') as unknown });
  });
});

test('a text search within one partition counts the texts of all', async () => {
  const { store } = await talks({});
  // "river" is in three of six texts, "lakes" in one: counted within track a alone, both would tell less than nothing apart.
  const text = "SELECT VALUE c.id FROM c ORDER BY RANK FullTextScore(c.text, 'lakes', 'text')";
  const everywhere = (await store.query<string>(text).toArray()).filter((id) => id === '1' || id === '3');
  expect(await store.query<string>(text, { partitionKey: ['a'] }).toArray()).toEqual(everywhere);
});
