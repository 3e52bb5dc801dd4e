import { describe, expect, test } from 'vitest';
import { IndexedTerms } from '../../../src/query/cost/indexed-terms.ts';
import { pageUnits, readUnits, replaceUnits, writeUnits } from '../../../src/query/cost/request-units.ts';
import { DEFAULT_INDEXING_POLICY } from '../../../src/store/container-definition.ts';

const KB = 1024;

describe('request units', () => {
  test('meet the published figures', () => {
    expect([readUnits(KB), readUnits(100 * KB)]).toEqual([1, 10]);
    expect([writeUnits('create', KB, 10), writeUnits('create', KB, 0), writeUnits('delete', KB, 10)]).toEqual([7, 5, 7]);
    expect([writeUnits('create', KB), writeUnits('create', 100 * KB), writeUnits('replace', KB)]).toEqual([5.5, 50, 11]);
    const change = { bytesBefore: KB, bytesAfter: KB, termsRemoved: 2, termsAdded: 2 };
    expect([replaceUnits(change), replaceUnits(change, 2)]).toEqual([10.8, 11.6]);
    const thousand = pageUnits({ documentsScanned: 1000, bytesReturned: 1000 * KB });
    expect(thousand).toBeGreaterThan(950);
    expect(thousand).toBeLessThan(1050);
  });

  test('have a floor, grow with the work and have two decimals', () => {
    expect(readUnits(0)).toBe(1);
    expect(readUnits(1700)).toBe(1.06);
    expect(pageUnits({ documentsScanned: 0, bytesReturned: 0 })).toBe(2.3);
    expect(pageUnits({ documentsScanned: 5000, bytesReturned: 100 })).toBe(102.4);
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
    expect(terms.changes(document, { ...document, _etag: '"f"', name: 'eve', extra: [1, 2] })).toEqual({ removed: 1, added: 3 });
    expect(terms.changes(document, document)).toEqual({ removed: 0, added: 0 });
  });
});
