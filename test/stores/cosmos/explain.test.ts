import { describe, expect, test } from 'vitest';
import type { QueryRequest } from '../../../src/store/store-hooks.ts';
import { explainQuery } from '../../../src/stores/cosmos/explain-query.ts';
import { parseIndexMetrics } from '../../../src/stores/cosmos/index-metrics.ts';
import type { CosmosQueryPage } from '../../../src/stores/cosmos/query-pages.ts';

// Members beside those that matter are as the service sends them.
const GROUPED = {
  UtilizedIndexes: {
    SingleIndexes: [{ IndexSpec: '/name/?', IndexImpactScore: 'High' }],
    CompositeIndexes: [{ IndexSpecs: ['/a ASC', '/b DESC'], IndexImpactScore: 'High' }],
  },
  PotentialIndexes: {
    SingleIndexes: [{ IndexSpec: '/age/?', IndexImpactScore: 'Low' }],
    CompositeIndexes: [{ IndexSpecs: ['/name ASC', '/age DESC'], IndexImpactScore: 'High' }],
  },
};
const FLAT = {
  UtilizedSingleIndexes: [{ FilterExpression: '', IndexSpec: '/name/?', FilterPreciseSet: true }],
  PotentialSingleIndexes: [],
  UtilizedCompositeIndexes: [],
  PotentialCompositeIndexes: [{ IndexSpecs: ['/name ASC', '/age ASC'] }],
};

describe('the index metrics of the service', () => {
  test.each([
    ['as they are', JSON.stringify(GROUPED)],
    ['percent-encoded', encodeURIComponent(JSON.stringify(GROUPED))],
    ['in base64', Buffer.from(JSON.stringify(GROUPED)).toString('base64')],
  ])('are read %s', (_, header) => {
    expect(parseIndexMetrics(header)).toEqual({
      utilized: {
        single: ['/name/?'],
        composite: [
          [
            { path: '/a', order: 'ascending' },
            { path: '/b', order: 'descending' },
          ],
        ],
      },
      potential: {
        single: ['/age/?'],
        composite: [
          [
            { path: '/name', order: 'ascending' },
            { path: '/age', order: 'descending' },
          ],
        ],
      },
    });
  });

  test('of an older service too', () => {
    expect(parseIndexMetrics(Buffer.from(JSON.stringify(FLAT)).toString('base64'))).toMatchObject({
      utilized: { single: ['/name/?'], composite: [] },
      potential: { single: [], composite: [[{ path: '/name' }, { path: '/age' }]] },
    });
  });

  test.each([undefined, '', 'null', '[]', '%', '%E0%A4', 'nonsense', '{"UtilizedIndexes":{"SingleIndexes":[7,{"IndexSpec":8}]}}'])(
    'that are none, such as %j, are no failure',
    (header) => {
      expect(parseIndexMetrics(header)?.utilized ?? { single: [], composite: [] }).toEqual({ single: [], composite: [] });
    },
  );
});

function request(query: string, partitionKey?: readonly string[]): QueryRequest {
  return {
    query,
    parameters: [],
    partitionKey,
    range: undefined,
    maxItemCount: 100,
    continuation: undefined,
    orderBy: 'lenient',
    session: undefined,
    signal: undefined,
  };
}

/** A pager that gives two pages. */
function pager(indexMetrics: string | undefined, planned: boolean): { readPage(request: QueryRequest): Promise<CosmosQueryPage> } {
  const page = { documentsScanned: 7, requestUnits: 2.8, session: undefined, indexMetrics, planned };
  return {
    readPage: async ({ continuation }) =>
      continuation === undefined ? { ...page, items: [1, 2], continuation: 'next' } : { ...page, items: [3], continuation: undefined },
  };
}

describe('an explanation of the service', () => {
  test('names the indexes that it used and would like, with the policy to paste', async () => {
    const explained = await explainQuery(
      pager(JSON.stringify(GROUPED), false),
      request('SELECT * FROM c WHERE c.name = "Ada" AND c.age > 40'),
    );
    expect(explained).toMatchObject({
      access: 'index',
      indexes: ['/name/?', '(/a ascending, /b descending)'],
      engine: 'Cosmos DB',
      filter: 'exact',
      pages: 2,
      documentsScanned: 14,
      itemsReturned: 3,
      requestUnits: 5.6,
      statement: 'SELECT * FROM c WHERE c.name = ? AND c.age > ?',
      advice: [
        { kind: 'single', policy: { includedPaths: [{ path: '/age/?' }] }, provenBy: 'service' },
        {
          kind: 'composite',
          policy: {
            compositeIndexes: [
              [
                { path: '/name', order: 'ascending' },
                { path: '/age', order: 'descending' },
              ],
            ],
          },
          before: { documentsScanned: 14 },
          after: { access: 'index', documentsScanned: undefined },
        },
      ],
    });
    expect(explained.text).toContain('Index         /name/?; (/a ascending, /b descending)');
    expect(explained.text).not.toContain('Ada');
  });

  test('says where the SDK merges, and shows a query that only the service understands', async () => {
    const merged = await explainQuery(pager(undefined, true), request('SELECT * FROM c ORDER BY c.a'));
    expect(merged.plan).toMatchObject({ operation: 'merge', runsIn: 'client', rows: 3, inputs: [{ operation: 'sort', runsIn: 'engine' }] });
    const unknown = await explainQuery(pager(undefined, false), request('SELECT NEWTHING(c.a, "secret") FROM c', ['p']));
    expect(unknown).toMatchObject({ access: 'partition', plan: { detail: 'SELECT NEWTHING(c.a, ?) FROM c', rows: 3 } });
  });
});
