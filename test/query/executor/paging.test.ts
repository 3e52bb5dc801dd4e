import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { arraySource, itemsOf, pageOf, pagesOf } from './array-source.ts';

const TEMPLATES = [
  'SELECT * FROM c',
  'SELECT VALUE c.a FROM c',
  'SELECT VALUE c.a FROM c WHERE c.a > 1',
  'SELECT c.a, t FROM c JOIN t IN c.tags',
  'SELECT VALUE [t, u] FROM c JOIN t IN c.tags JOIN u IN c.tags WHERE c.a != 2',
  'SELECT TOP 5 VALUE t FROM t IN c.tags',
  'SELECT VALUE c.id FROM c OFFSET 3 LIMIT 4',
  'SELECT VALUE t FROM c JOIN t IN c.tags OFFSET 2 LIMIT 100',
  'SELECT VALUE c.id FROM c ORDER BY c.a',
  'SELECT VALUE c.a FROM c ORDER BY c.a DESC, c.b',
  'SELECT c.id, t FROM c JOIN t IN c.tags ORDER BY c.b DESC',
  'SELECT TOP 6 c.id FROM c ORDER BY c.b',
  'SELECT VALUE c.id FROM c ORDER BY c.b DESC, c.a OFFSET 2 LIMIT 5',
  'SELECT DISTINCT VALUE c.a FROM c',
  'SELECT DISTINCT c.a, c.b FROM c',
  'SELECT DISTINCT VALUE c.b FROM c ORDER BY c.a DESC OFFSET 1 LIMIT 3',
  'SELECT c.b, COUNT(1) AS n, SUM(c.a) AS s FROM c GROUP BY c.b',
  'SELECT COUNT(1) AS n, MIN(c.a) AS lo FROM c',
  'SELECT VALUE x FROM (SELECT VALUE t FROM t IN c.tags) x WHERE x != "p"',
  'SELECT VALUE COUNT(1) FROM (SELECT DISTINCT VALUE c.b FROM c)',
  'SELECT 1 AS one',
] as const;

const anyValue = fc.constantFrom<JsonObject['x'][]>(undefined, null, true, false, 0, 1, 2, 3, 'x', 'y', 'é', [1], { k: 1 });
const anyDocuments = fc
  .array(fc.record({ a: anyValue, b: anyValue, tags: fc.option(fc.array(fc.constantFrom('p', 'q', 'r'), { maxLength: 4 })) }), {
    maxLength: 12,
  })
  .map((list) =>
    list.map((members, index) => ({
      id: `d${index}`,
      ...Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)),
    })),
  );

describe('paging', () => {
  for (const text of TEMPLATES) {
    test(`pages of any size make up the whole of ${text}`, async () => {
      await fc.assert(
        fc.asyncProperty(anyDocuments, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }), async (documents, size, batch) => {
          const ordinals = documents.map((_, index) => index * 3 + 2);
          const source = arraySource(documents as JsonObject[], batch, ordinals);
          const whole = await pageOf(text, source);
          expect(whole.continuation).toBeUndefined();
          const pages = await pagesOf(text, source, { maxItemCount: size });
          expect(pages.flatMap((page) => page.items)).toEqual(whole.items);
          for (const page of pages) {
            expect(page.items.length).toBeLessThanOrEqual(size);
            expect(page.continuation?.length ?? 0).toBeLessThan(1024);
            expect(page.continuation ?? '').toMatch(/^[\w-]*$/);
          }
        }),
        { numRuns: 60 },
      );
    });
  }

  test('pages go on behind a computed sort key that is infinite, by itself or within an array', async () => {
    const numbers = [1e308, -1e308, 5, 1e308, -1e308, 1e308];
    const source = arraySource(numbers.map((n, index) => ({ id: `d${index}`, n })));
    for (const [name, value] of [
      ['scaled', 'c.n * 10'],
      ['listed', '[c.n * 10]'],
    ] as const) {
      const computedProperties = [{ name, query: prepareQuery(`SELECT VALUE ${value} FROM c`) }];
      for (const direction of ['ASC', 'DESC']) {
        const text = `SELECT VALUE c.id FROM c ORDER BY c.${name} ${direction}`;
        const { items } = await pageOf(text, source, { computedProperties });
        expect(items).toEqual(direction === 'ASC' ? ['d1', 'd4', 'd2', 'd0', 'd3', 'd5'] : ['d0', 'd3', 'd5', 'd2', 'd1', 'd4']);
        expect(await itemsOf(text, source, { computedProperties, maxItemCount: 1 })).toEqual(items);
      }
    }
  });

  test('the last full page has no continuation when nothing comes after it', async () => {
    const source = arraySource([{ id: '1' }, { id: '2' }, { id: '3' }, { id: '4' }], 2);
    const pages = await pagesOf('SELECT VALUE c.id FROM c', source, { maxItemCount: 2 });
    expect(pages.map((page) => page.items)).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    const top = await pageOf('SELECT TOP 2 VALUE c.id FROM c', source, { maxItemCount: 2 });
    expect(top.continuation).toBeUndefined();
  });

  test('a page reads no more documents than it needs', async () => {
    const documents = Array.from({ length: 1000 }, (_, index) => ({ id: String(index) }));
    const page = await pageOf('SELECT * FROM c', arraySource(documents, 10), { maxItemCount: 25 });
    expect(page.items).toHaveLength(25);
    expect(page.rowsLookedAt).toBe(30);
    expect(page.rowsMatched).toBe(25);
    const nothing = await pageOf('SELECT TOP 0 * FROM c', arraySource(documents, 10));
    expect(nothing).toMatchObject({ items: [], rowsLookedAt: 0, continuation: undefined });
  });

  test('a page ends at about 4 MB, and one large item is a page of its own', async () => {
    const documents = Array.from({ length: 6 }, (_, index) => ({ id: String(index), text: 'x'.repeat(1_500_000) }));
    const streamed = await pagesOf('SELECT * FROM c', arraySource(documents));
    expect(streamed.map((page) => page.items.length)).toEqual([3, 3]);
    const sorted = await pagesOf('SELECT * FROM c ORDER BY c.id DESC', arraySource(documents));
    expect(sorted.map((page) => page.items.length)).toEqual([3, 3]);
    expect(sorted.flatMap((page) => page.items).map((item) => (item as JsonObject)['id'])).toEqual(['5', '4', '3', '2', '1', '0']);
    const skipping = await itemsOf('SELECT VALUE c.id FROM c ORDER BY c.id DESC OFFSET 4 LIMIT 1', arraySource(documents));
    expect(skipping).toEqual(['1']);
    const large = Array.from({ length: 20 }, (_, index) => ({ id: index, text: 'x'.repeat(3_000_000) }));
    const behind = await pagesOf('SELECT c.id, c.text FROM c ORDER BY c.id OFFSET 15 LIMIT 3', arraySource(large));
    expect(behind.flatMap((page) => page.items).map((item) => (item as JsonObject)['id'])).toEqual([15, 16, 17]);
  });

  test('documents created between pages appear, and one deleted is no hindrance', async () => {
    const documents = [
      { id: 1, t: [1, 2, 3] },
      { id: 2, t: [4] },
    ];
    const text = 'SELECT VALUE t FROM t IN c.t';
    const first = await pageOf(text, arraySource(documents), { maxItemCount: 2 });
    expect(first.items).toEqual([1, 2]);
    const { continuation } = first;
    const later = [...documents, { id: 3, t: [5] }];
    expect((await pageOf(text, arraySource(later), { continuation })).items).toEqual([3, 4, 5]);
    expect((await pageOf(text, arraySource(later.slice(1), 10, [2, 3]), { continuation })).items).toEqual([4, 5]);
  });
});

describe('continuations', () => {
  const source = arraySource(Array.from({ length: 9 }, (_, index) => ({ id: String(index), n: index % 3 })));
  const invalid = expect.objectContaining({ code: 'INVALID_CONTINUATION' });

  test('belong to one query and its parameters, in any order', async () => {
    const text = 'SELECT * FROM c WHERE c.n >= @n AND c.n < @m';
    const given = { values: { '@n': 0, '@m': 9 }, maxItemCount: 2 };
    const { continuation } = await pageOf(text, source, given);
    await expect(pageOf('SELECT * FROM c', source, { continuation })).rejects.toThrow(invalid);
    await expect(pageOf(text, source, { values: { '@n': 1, '@m': 9 }, continuation })).rejects.toThrow(invalid);
    const next = await pageOf(text, source, { values: { '@m': 9, '@n': 0 }, maxItemCount: 2, continuation });
    expect(next.items).toHaveLength(2);
  });

  test('that are damaged, or never were one, are refused', async () => {
    for (const text of ['SELECT * FROM c', 'SELECT * FROM c ORDER BY c.n', 'SELECT DISTINCT VALUE c.n FROM c']) {
      const { continuation } = await pageOf(text, source, { maxItemCount: 1 });
      const token = continuation as string;
      const middle = token.length >> 1;
      const flipped = token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
      for (const bad of ['', 'x', '!!', 'bnVsbA', 'W10', token.slice(0, -2), `${token}AA`, flipped]) {
        await expect(pageOf(text, source, { continuation: bad }), bad).rejects.toThrow(invalid);
      }
    }
  });

  test('keep sort keys of every type, and count rows where keys are too long', async () => {
    const documents = [undefined, null, true, 1.5, 'ÿ😀"\u0000', [1, null], { a: 1 }].flatMap((k) => [
      k === undefined ? { id: 'u' } : { k },
      k === undefined ? { id: 'v' } : { k },
    ]);
    const mixed = arraySource(documents as JsonObject[]);
    const order = 'SELECT VALUE c.k FROM c ORDER BY c.k';
    expect(await itemsOf(order, mixed, { maxItemCount: 1 })).toEqual((await pageOf(order, mixed)).items);
    const long = arraySource(Array.from({ length: 7 }, (_, index) => ({ id: index, k: 'k'.repeat(5000) + String(9 - index) })));
    const text = 'SELECT VALUE c.id FROM c ORDER BY c.k OFFSET 1 LIMIT 5';
    const pages = await pagesOf(text, long, { maxItemCount: 2 });
    expect(pages.flatMap((page) => page.items)).toEqual([5, 4, 3, 2, 1]);
    expect(pages.every((page) => (page.continuation?.length ?? 0) < 1024)).toBe(true);
  });
});
