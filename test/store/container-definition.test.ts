import { describe, expect, test } from 'vitest';
import { checkReplacement, DEFAULT_INDEXING_POLICY, defineContainer } from '../../src/store/container-definition.ts';
import { checkTtl } from '../../src/store/time-to-live.ts';

describe('defineContainer', () => {
  test('fills in every default', () => {
    expect(defineContainer({ id: 'c', partitionKey: '/pk' })).toEqual({
      id: 'c',
      partitionKey: { paths: ['/pk'], version: 2, kind: 'Hash' },
      defaultTtl: undefined,
      uniqueKeys: [],
      indexingPolicy: DEFAULT_INDEXING_POLICY,
      computedProperties: [],
      extra: {},
    });
  });

  test('several paths are a hierarchical key of version 2', () => {
    expect(defineContainer({ id: 'c', partitionKey: { paths: ['/a', '/b'], version: 1 } }).partitionKey).toEqual({
      paths: ['/a', '/b'],
      version: 2,
      kind: 'MultiHash',
    });
    expect(defineContainer({ id: 'c', partitionKey: { paths: ['/a'], version: 1 } }).partitionKey.version).toBe(1);
  });

  test('an index policy always excludes the etag, as the service adds it', () => {
    const policy = defineContainer({
      id: 'c',
      partitionKey: '/pk',
      indexingPolicy: { indexingMode: 'Consistent', excludedPaths: [{ path: '/a/*' }] },
    });
    expect(policy.indexingPolicy).toEqual({
      indexingMode: 'consistent',
      automatic: true,
      includedPaths: [{ path: '/*' }],
      excludedPaths: [{ path: '/a/*' }, { path: '/"_etag"/?' }],
    });
  });

  test.each(['/_etag/?', '/"_etag"/?'])('an index policy that names the path of _etag as %s keeps it, once', (path) => {
    const include = [{ path: '/*' }];
    const excluded = defineContainer({
      id: 'c',
      partitionKey: '/pk',
      indexingPolicy: { includedPaths: include, excludedPaths: [{ path }] },
    });
    expect(excluded.indexingPolicy['excludedPaths']).toEqual([{ path }]);
    const included = defineContainer({ id: 'c', partitionKey: '/pk', indexingPolicy: { includedPaths: [...include, { path }] } });
    expect(included.indexingPolicy['excludedPaths']).toEqual([]);
  });

  test.each([
    ['nothing', undefined],
    ['version 3', { id: 'c', partitionKey: { paths: ['/a'], version: 3 } }],
    ['a path with a question mark', { id: 'c', partitionKey: '/a?' }],
    [
      '21 computed properties',
      { id: 'c', partitionKey: '/a', computedProperties: Array.from({ length: 21 }, () => ({ name: 'n', query: 'q' })) },
    ],
    ['an unknown indexing mode', { id: 'c', partitionKey: '/a', indexingPolicy: { indexingMode: 'sometimes' } }],
    ['an index policy that is no object', { id: 'c', partitionKey: '/a', indexingPolicy: [] }],
    ['a unique key path that does not read', { id: 'c', partitionKey: '/a', uniqueKeys: [['b']] }],
  ])('refuses %s', (_what, input) => {
    expect(() => defineContainer(input as never)).toThrow(expect.objectContaining({ code: 'INVALID_CONTAINER' }));
  });
});

test.each(['/id ds', '/a*b', '/a?', '/a,b', '/a\tb', '/a[0]'])(
  'the partition key path %j has characters that are written in quotes',
  (path) => {
    expect(() => defineContainer({ id: 'a', partitionKey: path })).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTAINER', message: expect.stringContaining('must contain only valid characters') }),
    );
  },
);

test.each(['/a-b_c', '/größe', '/$x/y', '/"id ds"', '/a/"b, c"'])('the partition key path %j is taken', (path) => {
  expect(defineContainer({ id: 'a', partitionKey: path }).partitionKey.paths).toEqual([path]);
});

test('a time to live is a whole number of seconds from 1, or -1', () => {
  expect([1, -1, 2147483647].map(checkTtl)).toEqual([1, -1, 2147483647]);
  for (const ttl of [0, -2, 1.5, '1', null, undefined, Number.NaN, 2147483648]) {
    expect(() => checkTtl(ttl)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  }
});

test('a replacement keeps id, partition key and unique keys', () => {
  const current = defineContainer({ id: 'c', partitionKey: '/pk', uniqueKeys: [['/u']] });
  expect(() => checkReplacement(current, { ...current, defaultTtl: 5, indexingPolicy: {} })).not.toThrow();
  for (const change of [{ id: 'd' }, { partitionKey: { ...current.partitionKey, version: 1 as const } }, { uniqueKeys: [] }]) {
    expect(() => checkReplacement(current, { ...current, ...change })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  }
});
