import type { Container } from '@azure/cosmos';
import { expect } from 'vitest';
import { sdkSuite } from './support/sdk-suite.ts';

const TEXTS = [
  'red apple pie',
  'green apple',
  'a red red car',
  'blue sky over the sea',
  'apple apple apple',
  'nothing of it',
  'sea and sky',
  'red sea',
];

const DEFINITION = {
  vectorEmbeddingPolicy: { vectorEmbeddings: [{ path: '/v', dataType: 'float32', dimensions: 2, distanceFunction: 'euclidean' }] },
  fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/text', language: 'en-US' }] },
  indexingPolicy: {
    indexingMode: 'consistent',
    automatic: true,
    includedPaths: [{ path: '/*' }],
    excludedPaths: [],
    vectorIndexes: [{ path: '/v', type: 'flat' }],
    fullTextIndexes: [{ path: '/text' }],
  },
} as never;

async function fill(container: Container): Promise<void> {
  for (const [index, text] of TEXTS.entries()) {
    await container.items.create({ id: String(index), pk: `p${index % 3}`, text, v: [index, 0] });
  }
}

async function ask(container: Container, query: string, options: object = {}): Promise<string[]> {
  return (await container.items.query<string>(query, options).fetchAll()).resources;
}

sdkSuite((feature) => {
  feature('queries.vector-search', 'the nearest come first, over one range and over several', async ({ own }) => {
    const account = await own({ partitions: 3 });
    const container = await account.container(DEFINITION);
    await fill(container);
    expect(await ask(container, 'SELECT TOP 3 VALUE c.id FROM c ORDER BY VectorDistance(c.v, [5.2, 0])')).toEqual(['5', '6', '4']);
    expect(
      await ask(container, 'SELECT TOP 2 c.id, VectorDistance(c.v, [1, 0]) AS distance FROM c ORDER BY VectorDistance(c.v, [1, 0])'),
    ).toMatchObject([{ id: '1', distance: 0 }, { distance: 1 }]);
    expect(await ask(container, 'SELECT VALUE c.id FROM c ORDER BY VectorDistance(c.v, [7, 0]) OFFSET 1 LIMIT 2')).toEqual(['6', '5']);
    expect(await ask(container, 'SELECT TOP 1 VALUE c.id FROM c ORDER BY VectorDistance(c.v, [0, 0])', { partitionKey: 'p1' })).toEqual([
      '1',
    ]);
    await expect(ask(container, 'SELECT VALUE c.id FROM c ORDER BY VectorDistance(c.v, [7, 0])')).rejects.toThrow(/TOP or LIMIT/u);
  });

  feature(['queries.text-search', 'plans.shape'], 'words are found, ranked, and fused with vectors', async ({ own }) => {
    const account = await own({ partitions: 3 });
    const container = await account.container(DEFINITION);
    await fill(container);
    const contained = await ask(container, "SELECT VALUE c.id FROM c WHERE FullTextContains(c.text, 'apples')");
    expect(contained.toSorted((left, right) => left.localeCompare(right))).toEqual(['0', '1', '4']);
    expect(
      (await ask(container, "SELECT VALUE c.id FROM c WHERE FullTextContainsAll(c.text, 'red', 'sea')")).toSorted((left, right) =>
        left.localeCompare(right),
      ),
    ).toEqual(['7']);
    expect(
      (await ask(container, "SELECT VALUE c.id FROM c WHERE FullTextContainsAny(c.text, 'car', 'sky')")).toSorted((left, right) =>
        left.localeCompare(right),
      ),
    ).toEqual(['2', '3', '6']);
    const idsOf = (rows: unknown[]): unknown[] => rows.map((row) => (row as { id: string }).id);
    const ranked = await ask(container, "SELECT TOP 3 c.id FROM c ORDER BY RANK FullTextScore(c.text, 'apple')");
    expect(idsOf(ranked)).toEqual(['4', '1', '0']);
    const fused = await ask(
      container,
      "SELECT TOP 3 c.id FROM c ORDER BY RANK RRF(FullTextScore(c.text, 'sea'), VectorDistance(c.v, [7, 0]))",
    );
    expect(idsOf(fused)[0]).toBe('7');
    expect(new Set(idsOf(fused)).size).toBe(3);
    const { result } = (await container.getQueryPlan(
      "SELECT TOP 3 c.id FROM c ORDER BY RANK RRF(FullTextScore(c.text, 'sea'), VectorDistance(c.v, [7, 0]))",
    )) as unknown as { result: { hybridSearchQueryInfo: Record<string, unknown> } };
    expect(result.hybridSearchQueryInfo).toMatchObject({ take: 3, requiresGlobalStatistics: true });
    expect(result.hybridSearchQueryInfo['componentQueryInfos']).toHaveLength(2);
  });
});
