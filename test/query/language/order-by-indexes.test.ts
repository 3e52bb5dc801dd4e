import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { OPENERS, withContainer } from './open-stores.ts';

const NO_COMPOSITE = 'The order by query does not have a corresponding composite index that it can be served from.';
const EXCLUDED = 'The index path corresponding to the specified order-by item is excluded.';

const policy: JsonObject = {
  includedPaths: [{ path: '/*' }, { path: '/lower/?' }],
  excludedPaths: [{ path: '/secret/*' }],
  compositeIndexes: [
    [{ path: '/a' }, { path: '/b', order: 'descending' }],
    [{ path: '/x/y' }, { path: '/z' }, { path: '/a' }],
  ],
};
const computedProperties = [
  { name: 'lower', query: 'SELECT VALUE LOWER(c.name) FROM c' },
  { name: 'upper', query: 'SELECT VALUE UPPER(c.name) FROM c' },
];
const documents = [
  { a: 1, b: 1, name: 'B' },
  { a: 1, b: 2, name: 'a' },
];

describe.each(Object.keys(OPENERS))('ORDER BY against the index policy on %s', (name) => {
  test.each([
    'SELECT VALUE c.id FROM c ORDER BY c.a',
    'SELECT VALUE c.id FROM c ORDER BY c.a, c.b DESC',
    'SELECT VALUE c.id FROM c ORDER BY c["a"] DESC, c.b ASC',
    'SELECT VALUE c.id FROM c ORDER BY c.x.y DESC, c.z DESC, c.a DESC',
    'SELECT VALUE c.id FROM c ORDER BY c.lower',
    'SELECT VALUE x FROM c.x ORDER BY x.y',
    'SELECT VALUE c.id FROM c ORDER BY c._ts',
  ])('strict runs %s', (query) =>
    withContainer(name, { indexingPolicy: policy, computedProperties }, documents, async (store) => {
      expect(await store.query(query, { orderBy: 'strict' }).toArray()).toEqual(await store.query(query).toArray());
    }),
  );

  test.each([
    ['SELECT VALUE c.id FROM c ORDER BY c.a, c.b', NO_COMPOSITE],
    ['SELECT VALUE c.id FROM c ORDER BY c.b DESC, c.a', NO_COMPOSITE],
    ['SELECT VALUE c.id FROM c ORDER BY c.x.y, c.z', NO_COMPOSITE],
    ['SELECT VALUE c.id FROM c ORDER BY c.secret', EXCLUDED],
    ['SELECT VALUE c.id FROM c ORDER BY c.secret.deep[0] DESC', EXCLUDED],
    ['SELECT VALUE c.id FROM c ORDER BY c._etag', EXCLUDED],
    ['SELECT VALUE c.id FROM c ORDER BY c.upper', EXCLUDED],
  ])('strict and policy refuse %s, lenient runs it', (query, message) =>
    withContainer(name, { indexingPolicy: policy, computedProperties }, documents, async (store) => {
      for (const orderBy of ['strict', 'policy'] as const) {
        await expect(store.query(query, { orderBy }).toArray()).rejects.toMatchObject({
          code: 'QUERY_INVALID',
          details: {
            errors: [{ severity: 'Error', message, location: { start: query.indexOf('ORDER BY') + 9, end: expect.any(Number) } }],
          },
        });
        await expect(store.explain(query, { orderBy })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
      }
      expect(await store.query(query).toArray()).toHaveLength(2);
    }),
  );

  test('a container with the default policy is strict only where asked to be', () =>
    withContainer(name, {}, documents, async (store) => {
      const query = 'SELECT VALUE c.id FROM c ORDER BY c.a, c.b';
      expect(await store.query(query, { orderBy: 'policy' }).toArray()).toEqual(['0', '1']);
      await expect(store.query(query, { orderBy: 'strict' }).toArray()).rejects.toMatchObject({ code: 'QUERY_INVALID' });
      expect(await store.query('SELECT VALUE c.id FROM c ORDER BY c.b DESC', { orderBy: 'strict' }).toArray()).toEqual(['1', '0']);
    }));

  test('a rank by texts needs a full-text index', () =>
    withContainer(
      name,
      {
        indexingPolicy: { ...policy, fullTextIndexes: [{ path: '/text' }] },
        extra: { fullTextPolicy: { defaultLanguage: 'en-US', fullTextPaths: [{ path: '/text', language: 'en-US' }] } },
      },
      [{ text: 'red and red' }, { text: 'blue', other: 'red' }],
      async (store) => {
        const indexed = "SELECT VALUE c.id FROM c ORDER BY RANK FULLTEXTSCORE(c.text, 'red')";
        expect(await store.query(indexed, { orderBy: 'strict' }).toArray()).toEqual(['0', '1']);
        const query = "SELECT VALUE c.id FROM c ORDER BY RANK RRF(FULLTEXTSCORE(c.text, 'red'), FULLTEXTSCORE(c.other, 'red'))";
        await expect(store.query(query, { orderBy: 'strict' }).toArray()).rejects.toMatchObject({
          code: 'QUERY_INVALID',
          details: {
            errors: [
              { message: "The path '/other' of FULLTEXTSCORE has no full-text index.", location: { start: query.indexOf('c.other') } },
            ],
          },
        });
        expect(await store.query(query).toArray()).toHaveLength(2);
      },
    ));

  test('without indexing nothing can be sorted but in lenient mode', () =>
    withContainer(name, { indexingPolicy: { indexingMode: 'none' } }, documents, async (store) => {
      const query = 'SELECT VALUE c.id FROM c ORDER BY c.b DESC';
      await expect(store.query(query, { orderBy: 'policy' }).toArray()).rejects.toMatchObject({ code: 'QUERY_INVALID' });
      expect(await store.query(query).toArray()).toEqual(['1', '0']);
    }));

  test('an unknown mode is refused', () =>
    withContainer(name, {}, [], async (store) => {
      await expect(store.query('SELECT * FROM c', { orderBy: 'maybe' as never }).toArray()).rejects.toMatchObject({
        code: 'INVALID_OPTION',
      });
    }));
});
