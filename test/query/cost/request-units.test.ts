import { describe, expect, test } from 'vitest';
import { IndexedTerms } from '../../../src/query/cost/indexed-terms.ts';
import { feedUnits, patchUnits, pointReadUnits, queryUnits, replaceUnits, writeUnits } from '../../../src/query/cost/request-units.ts';
import { DEFAULT_INDEXING_POLICY } from '../../../src/store/container-definition.ts';

const KB = 1024;

describe('request units', () => {
  test('meet the published figures', () => {
    expect(pointReadUnits(KB)).toBe(1);
    expect(pointReadUnits(100 * KB)).toBe(10);
    expect(writeUnits(KB, 10)).toBe(7);
    expect(writeUnits(KB, 0)).toBe(5);
    expect(writeUnits(100 * KB, 0)).toBe(50);
    const change = { bytesBefore: KB, bytesAfter: KB, termsRemoved: 2, termsAdded: 2 };
    expect(replaceUnits(change)).toBe(10.8);
    expect(patchUnits(change, 2)).toBe(11.6);
    const thousand = queryUnits({ documentsRead: 1000, itemsReturned: 1000, bytesReturned: 1000 * KB, share: 1 });
    expect(thousand).toBeGreaterThan(900);
    expect(thousand).toBeLessThan(1100);
  });

  test('have a floor, grow with the work and have two decimals', () => {
    expect(pointReadUnits(0)).toBe(1);
    expect(feedUnits(0, 0)).toBe(1);
    expect(queryUnits({ documentsRead: 0, itemsReturned: 0, bytesReturned: 0, share: 1 })).toBe(2.3);
    expect(queryUnits({ documentsRead: 0, itemsReturned: 0, bytesReturned: 0, share: 0 })).toBe(0.01);
    expect(queryUnits({ documentsRead: 5000, itemsReturned: 1, bytesReturned: 100, share: 1 })).toBe(52.41);
    expect(feedUnits(10, 10 * KB)).toBe(12.1);
  });
});

describe('indexed terms', () => {
  const document = {
    id: 'x',
    _ts: 1,
    _etag: '"e"',
    _rid: 'r',
    name: 'ada',
    tags: ['a', 'b'],
    address: { city: 'Bern', zip: 3000 },
    none: null,
  };

  test('under the default policy are all scalars but the etag', () => {
    expect(new IndexedTerms(DEFAULT_INDEXING_POLICY).count(document)).toBe(8);
  });

  test('follow the longest path, and /? before /*', () => {
    const only = new IndexedTerms({
      includedPaths: [{ path: '/address/city/?' }, { path: '/tags/[]/?' }],
      excludedPaths: [{ path: '/*' }],
    });
    expect(only.count(document)).toBe(5);
    const without = new IndexedTerms({ includedPaths: [{ path: '/*' }], excludedPaths: [{ path: '/address/*' }, { path: '/"name"/?' }] });
    expect(without.count(document)).toBe(5);
    const back = new IndexedTerms({
      includedPaths: [{ path: '/*' }, { path: '/address/zip/?' }],
      excludedPaths: [{ path: '/address/*' }],
    });
    expect(back.count(document)).toBe(7);
    expect(new IndexedTerms({ indexingMode: 'none' }).count(document)).toBe(0);
  });

  test('of a replacement are those that change', () => {
    const terms = new IndexedTerms(DEFAULT_INDEXING_POLICY);
    expect(terms.changes(document, { ...document, _etag: '"f"', name: 'eve', extra: [1, 2] })).toEqual({ removed: 2, added: 4 });
    expect(terms.changes({ id: '1' }, { id: '1' })).toEqual({ removed: 1, added: 1 });
    expect(terms.changesOfNothing()).toEqual({ removed: 1, added: 1 });
  });

  test('count the time as changed, also within a second', () => {
    const terms = new IndexedTerms(DEFAULT_INDEXING_POLICY);
    const change = (seconds: number): object => terms.changes({ ...document, _ts: 10 }, { ...document, name: 'eve', _ts: 10 + seconds });
    expect(change(0)).toEqual({ removed: 2, added: 2 });
    expect(change(1)).toEqual(change(0));
  });
});
