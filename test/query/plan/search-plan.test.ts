import { describe, expect, test } from 'vitest';
import { createQueryPlan } from '../../../src/query/plan/create-query-plan.ts';
import type { QueryPlan } from '../../../src/query/plan/query-info.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { searchPolicyOf } from '../../../src/query/search/search-policy.ts';

const POLICY = searchPolicyOf({
  extra: {
    vectorEmbeddingPolicy: {
      vectorEmbeddings: [
        { path: '/v', distanceFunction: 'cosine' },
        { path: '/near/"to me"', distanceFunction: 'euclidean' },
      ],
    },
  },
});

function plan(text: string, parameters: Parameters<typeof createQueryPlan>[1] = [], paths: readonly string[] = []): QueryPlan {
  return createQueryPlan(prepareQuery(text), parameters, paths, POLICY);
}

describe('ORDER BY VECTORDISTANCE', () => {
  test('is for the client to sort as a whole', () => {
    expect(plan('SELECT TOP 2 c.id FROM c ORDER BY VectorDistance(c.v, [1, 0])').queryInfo).toMatchObject({
      top: 2,
      orderBy: ['Descending'],
      orderByExpressions: ['VectorDistance(c.v, [1, 0])'],
      hasNonStreamingOrderBy: true,
      rewrittenQuery: [
        'SELECT TOP 2 c._rid, [{"item": VectorDistance(c.v, [1, 0])}] AS orderByItems, {"id": c.id} AS payload',
        'FROM c',
        'WHERE ({documentdb-formattableorderbyquery-filter})',
        'ORDER BY VectorDistance(c.v, [1, 0])',
      ].join('\n'),
    });
  });

  test.each([
    ['VectorDistance(c.near["to me"], [1])', 'Ascending'],
    ['VectorDistance([1], c.near["to me"])', 'Ascending'],
    ['VectorDistance(c.other, [1])', 'Descending'],
    ['VectorDistance(c.near["to me"], [1], true, {distanceFunction: \'DotProduct\'})', 'Descending'],
    ['VectorDistance(c.v, [1], true, {distanceFunction: @f})', 'Ascending'],
    ['VectorDistance(c.v, [1], true, @options)', 'Ascending'],
    ['VectorDistance(c.v, [1]) ASC', 'Ascending'],
  ])('%s goes %s', (key, direction) => {
    const parameters = [
      { name: '@f', value: 'euclidean' },
      { name: '@options', value: { distanceFunction: 'euclidean' } },
    ];
    expect(plan(`SELECT TOP 1 * FROM c ORDER BY ${key}`, parameters).queryInfo?.orderBy).toEqual([direction]);
  });

  test('keeps its count within one partition, which clients want to see', () => {
    const { queryInfo } = plan("SELECT * FROM c WHERE c.k = 'a' ORDER BY VectorDistance(c.v, [1]) OFFSET 1 LIMIT 2", [], ['/k']);
    expect(queryInfo).toMatchObject({ offset: 1, limit: 2 });
  });

  test('with ORDER BY RANK is the same', () => {
    const ranked = plan('SELECT TOP 2 * FROM c ORDER BY RANK VectorDistance(c.v, [1, 0])');
    expect(ranked).toEqual(plan('SELECT TOP 2 * FROM c ORDER BY VectorDistance(c.v, [1, 0])'));
  });
});

describe('ORDER BY RANK', () => {
  const TEXT =
    "SELECT TOP 2 c.id FROM c WHERE c.x > 1 ORDER BY RANK RRF(FullTextScore(c.text, 'swim'), VectorDistance(c.v, [1, 0]), FullTextScore(c.title, @a, 'run'), [3, 2, 1])";

  test('has a query for the statistics of all ranges', () => {
    expect(plan(TEXT)).toMatchObject({
      hybridSearchQueryInfo: {
        globalStatisticsQuery:
          'SELECT COUNT(1) AS documentCount, [{"totalWordCount": SUM(_FullTextWordCount(c.text)), "hitCounts": [COUNTIF(FullTextContains(c.text, "swim"))]}, ' +
          '{"totalWordCount": SUM(_FullTextWordCount(c.title)), "hitCounts": [COUNTIF(FullTextContains(c.title, @a)), COUNTIF(FullTextContains(c.title, "run"))]}] AS fullTextStatistics\nFROM c',
        componentWithoutPayloadQueryInfos: [],
        projectionQueryInfo: null,
        componentWeights: [3, 2, 1],
        skip: 0,
        take: 2,
        requiresGlobalStatistics: true,
      },
    });
    expect(plan(TEXT)).not.toHaveProperty('queryInfo');
  });

  test('has a query for each score', () => {
    const components = plan(TEXT).hybridSearchQueryInfo?.componentQueryInfos ?? [];
    const places = (index: number): string =>
      `{documentdb-formattablehybridsearchquery-totaldocumentcount}, {documentdb-formattablehybridsearchquery-totalwordcount-${index}}, {documentdb-formattablehybridsearchquery-hitcountsarray-${index}}`;
    const swim = `_FullTextScore(c.text, ["swim"], ${places(0)})`;
    const title = `_FullTextScore(c.title, [@a, "run"], ${places(1)})`;
    const scores = `[(${swim} ?? -1), (VectorDistance(c.v, [1, 0]) ?? -1.7976931348623157e308), (${title} ?? -1)]`;
    expect(components.map(({ orderByExpressions }) => orderByExpressions)).toEqual([[swim], ['VectorDistance(c.v, [1, 0])'], [title]]);
    expect(components[0]).toMatchObject({
      top: 120,
      orderBy: ['Descending'],
      hasNonStreamingOrderBy: true,
      hasSelectValue: false,
      rewrittenQuery: [
        `SELECT TOP 120 c._rid, [{"item": ${swim}}] AS orderByItems, {"payload": {"id": c.id}, "componentScores": ${scores}} AS payload`,
        'FROM c',
        'WHERE ((c.x > 1) AND ({documentdb-formattableorderbyquery-filter}))',
        `ORDER BY ${swim} DESC`,
      ].join('\n'),
    });
  });

  test('of vectors alone needs no statistics', () => {
    const info = plan(
      'SELECT * FROM c ORDER BY RANK RRF(VectorDistance(c.v, [1]), VectorDistance(c.near["to me"], [1]))',
    ).hybridSearchQueryInfo;
    expect(info).toMatchObject({ requiresGlobalStatistics: false, componentWeights: [], skip: 0, take: null });
    expect(info?.componentQueryInfos.map(({ orderBy, top }) => [...orderBy, top])).toEqual([
      ['Descending', null],
      ['Ascending', null],
    ]);
  });

  test.each([
    ['TOP 0', '', 0, 0, { top: 0 }],
    ['', ' OFFSET 5 LIMIT 0', 5, 0, { offset: 0, limit: 0 }],
    ['TOP 3', '', 0, 3, { top: 120 }],
    ['TOP 6000', '', 0, 6000, { top: 12_000 }],
    ['', ' OFFSET 5 LIMIT 10', 5, 10, { top: null, offset: 0, limit: 120 }],
    ['', ' OFFSET 50 LIMIT 100', 50, 100, { top: null, offset: 0, limit: 300 }],
    ['', ' OFFSET 4294967295 LIMIT 4294967295', 4294967295, 4294967295, { limit: 4294967295 }],
  ])('SELECT %s …%s asks each range for enough rows', (top, paging, skip, take, rows) => {
    const info = plan(`SELECT ${top} c.id FROM c ORDER BY RANK FullTextScore(c.t, 'a')${paging}`).hybridSearchQueryInfo;
    expect(info).toMatchObject({ skip, take, componentQueryInfos: [rows] });
    const { rewrittenQuery = '', limit } = info?.componentQueryInfos[0] ?? {};
    expect(rewrittenQuery.endsWith(`\nOFFSET 0 LIMIT ${limit}`)).toBe(paging !== '');
  });

  test('writes queries that can be prepared, whatever the terms are', () => {
    const text = "SELECT TOP 1 * FROM c ORDER BY RANK FullTextScore(c.t, @terms, {term: 'x', distance: 2})";
    const info = plan(text, [{ name: '@terms', value: ['a "b"', { term: 'c', distance: 1 }] }]).hybridSearchQueryInfo;
    const filled = (query: string): string =>
      query
        .replaceAll('{documentdb-formattableorderbyquery-filter}', 'true')
        .replaceAll(/\{documentdb-formattablehybridsearchquery-hitcountsarray-\d+\}/g, '[1,2,3]')
        .replaceAll(/\{documentdb-formattablehybridsearchquery-[a-z]+(?:-\d+)?\}/g, '7');
    for (const query of [
      info?.globalStatisticsQuery ?? '',
      ...(info?.componentQueryInfos.map(({ rewrittenQuery }) => rewrittenQuery) ?? []),
    ]) {
      expect(() => prepareQuery(filled(query)), query).not.toThrow();
    }
    expect(info?.globalStatisticsQuery).toContain(
      String.raw`FullTextContains(c.t, "a \"b\"")), COUNTIF(FullTextContains(c.t, {"term":"c","distance":1}))`,
    );
  });
});
