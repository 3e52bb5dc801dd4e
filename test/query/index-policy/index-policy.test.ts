import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { parseIndexPolicy } from '../../../src/query/index-policy/index-policy.ts';
import { DEFAULT_INDEXING_POLICY } from '../../../src/store/container-definition.ts';

function paths(...texts: readonly string[]): readonly JsonObject[] {
  return texts.map((path) => ({ path }));
}

function policyOf(included: readonly string[], excluded: readonly string[], more: JsonObject = {}): ReturnType<typeof parseIndexPolicy> {
  return parseIndexPolicy({ indexingMode: 'consistent', includedPaths: paths(...included), excludedPaths: paths(...excluded), ...more });
}

describe('which path decides', () => {
  test('the default policy indexes everything but the etag', () => {
    const policy = parseIndexPolicy(DEFAULT_INDEXING_POLICY);
    expect(policy.isIndexed(['a', 'b'])).toBe('default');
    expect(policy.isIndexed(['tags', '[]'])).toBe('default');
    expect(policy.isIndexed(['_etag'])).toBe('excluded');
  });

  test.each<[readonly string[], readonly string[], readonly string[], string]>([
    [['/*'], ['/a/*'], ['a'], 'excluded'],
    [['/*'], ['/a/*'], ['a', 'b'], 'excluded'],
    [['/*'], ['/a/*'], ['ab'], 'default'],
    [['/*', '/a/b/?'], ['/a/*'], ['a', 'b'], 'explicit'],
    [['/*', '/a/b/?'], ['/a/*'], ['a', 'b', 'c'], 'excluded'],
    [['/*', '/a/b/*'], ['/a/*'], ['a', 'b', 'c'], 'default'],
    [['/*', '/a/*'], ['/a/?'], ['a'], 'excluded'],
    [['/*', '/a/*'], ['/a/?'], ['a', 'x'], 'default'],
    [['/a/?'], ['/*'], ['a'], 'explicit'],
    [['/a/?'], ['/*'], ['b'], 'excluded'],
    [['/tags/[]/name/?'], ['/*'], ['tags', '[]', 'name'], 'explicit'],
    [['/tags/[]/name/?'], ['/*'], ['tags', 'name'], 'excluded'],
    [['/tags/[]/{a, "b c"}/?'], ['/*'], ['tags', '[]', 'b c'], 'explicit'],
    [['/"a-b"/"c/d"/?'], ['/*'], ['a-b', 'c/d'], 'explicit'],
    [['/a/?'], ['/'], ['id'], 'default'],
    [['/a/?'], ['/*'], ['_ts'], 'default'],
    [['/a/?'], ['/*'], ['x', 'id'], 'excluded'],
    [['/__proto__/?'], ['/*'], ['__proto__'], 'explicit'],
    [['/a/?'], ['/*'], ['constructor'], 'excluded'],
  ])('included %j, excluded %j: %j is %s', (included, excluded, path, expected) => {
    expect(policyOf(included, excluded).isIndexed(path)).toBe(expected);
  });

  test('without indexing nothing is indexed, not even the id', () => {
    const policy = parseIndexPolicy({ indexingMode: 'none' });
    expect(policy.mode).toBe('none');
    expect(policy.isIndexed(['id'])).toBe('excluded');
  });
});

test('composite, spatial, full-text and vector indexes are read', () => {
  const policy = policyOf(['/*'], [], {
    compositeIndexes: [[{ path: '/name' }, { path: '/address/"zip code"', order: 'descending' }]],
    spatialIndexes: [{ path: '/at/*', types: ['Point', 'Polygon'] }, { path: '/region/?' }],
    fullTextIndexes: [{ path: '/text' }],
    vectorIndexes: [{ path: '/embedding', type: 'quantizedFlat' }],
  });
  expect(policy.composites).toEqual([
    [
      { path: ['name'], descending: false },
      { path: ['address', 'zip code'], descending: true },
    ],
  ]);
  expect(policy.spatial).toEqual([
    { path: ['at'], types: ['Point', 'Polygon'] },
    { path: ['region'], types: ['Point', 'LineString', 'Polygon', 'MultiPolygon'] },
  ]);
  expect(policy.fullText).toEqual([{ path: ['text'] }]);
  expect(policy.vector).toEqual([{ path: ['embedding'], type: 'quantizedFlat' }]);
});

describe('a bad policy is refused with the path named', () => {
  const composite = (...texts: readonly string[]): JsonObject => ({ compositeIndexes: [paths(...texts)] });
  test.each<[string, JsonObject, string]>([
    ['no ending', { includedPaths: paths('/*', '/a') }, '"/a"'],
    ['no slash', { includedPaths: paths('/*', 'a/?') }, '"a/?"'],
    ['an odd name without quotes', { includedPaths: paths('/*', '/a b/?') }, '"/a b/?"'],
    ['a wildcard in the middle', { includedPaths: paths('/*', '/*/a/?') }, '"/*/a/?"'],
    ['a quote that stays open', { includedPaths: paths('/*', '/"a/?') }, '"/\\"a/?"'],
    ['an empty tuple', { includedPaths: paths('/*', '/a/[]/{}/?') }, '/{}/?"'],
    ['a path in both lists', { includedPaths: paths('/*', '/a/?'), excludedPaths: paths('/a/?') }, '"/a/?"'],
    ['/* in neither list', { includedPaths: paths('/a/?') }, '"/*"'],
    ['a path that is no text', { includedPaths: [{ path: 1 }] }, 'includedPaths'],
    ['paths that are no list', { includedPaths: { path: '/*' } }, 'includedPaths'],
    ['1501 paths', { includedPaths: paths('/*', ...Array.from({ length: 1500 }, (_, index) => `/p${index}/?`)) }, '1500'],
    ['a composite index of one path', { includedPaths: paths('/*'), ...composite('/a') }, '2 to 8'],
    [
      'a composite index of nine paths',
      { includedPaths: paths('/*'), ...composite(...'abcdefghi'.split('').map((n) => `/${n}`)) },
      '2 to 8',
    ],
    ['an ending in a composite index', { includedPaths: paths('/*'), ...composite('/a/?', '/b') }, '"/a/?"'],
    ['an array in a composite index', { includedPaths: paths('/*'), ...composite('/a/[]', '/b') }, '"/a/[]"'],
    ['a path twice in a composite index', { includedPaths: paths('/*'), ...composite('/a', '/a') }, 'each path once'],
    [
      'an unknown order',
      { includedPaths: paths('/*'), compositeIndexes: [[{ path: '/a', order: 'up' }, { path: '/b' }]] },
      'ascending or descending',
    ],
    ['an unknown geometry', { includedPaths: paths('/*'), spatialIndexes: [{ path: '/a/*', types: ['Circle'] }] }, '"/a/*"'],
    ['an unknown vector index', { includedPaths: paths('/*'), vectorIndexes: [{ path: '/v', type: 'hnsw' }] }, '"/v"'],
    ['a full-text index without a path', { includedPaths: paths('/*'), fullTextIndexes: [{}] }, 'fullTextIndexes'],
  ])('%s', (_what, policy, named) => {
    expect(() => parseIndexPolicy(policy)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTAINER', message: expect.stringContaining(named) }),
    );
  });
});

test('1,500 deep paths and a million look-ups stay quick', () => {
  const policy = policyOf(
    ['/*'],
    Array.from({ length: 1500 }, (_, index) => `/a/b${index}/c/d/?`),
  );
  let excluded = 0;
  for (let index = 0; index < 1_000_000; index += 1) {
    excluded += policy.isIndexed(['a', 'b77', 'c', 'd']) === 'excluded' ? 1 : 0;
  }
  expect(excluded).toBe(1_000_000);
}, 5_000);
