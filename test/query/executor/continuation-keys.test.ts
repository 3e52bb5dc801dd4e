import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareValues } from '../../../src/core/json-order.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { compareWithEdge, edgeOf, readEdge, writeEdge } from '../../../src/query/executor/key-edge.ts';
import { TokenReader, TokenWriter } from '../../../src/query/executor/token-bytes.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { arraySource, pageOf, pagesOf } from './array-source.ts';

/** Long beginnings that many texts share, of letters that take one, two, three or six bytes, or half a letter. */
const beginning = fc.constantFrom(
  '',
  'a',
  'k'.repeat(170),
  'k'.repeat(180),
  'k'.repeat(5000),
  'é'.repeat(200),
  '😀'.repeat(95),
  '\u0001'.repeat(190),
  '\ud800'.repeat(185),
);
const ending = fc.constantFrom('', 'a', 'b', 'é', '😀', '\ud83d', '\uffff', '\u0000', 'k');
const longText = fc.tuple(beginning, ending, ending).map((parts) => parts.join(''));
const anyKey: fc.Arbitrary<JsonValue | undefined> = fc.oneof(
  { weight: 4, arbitrary: longText },
  fc.constantFrom<(JsonValue | undefined)[]>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1.5,
    -1e308,
    Infinity,
    -Infinity,
    2 ** 53,
    [],
    [1],
    [[2]],
    {},
    { a: 1 },
    { b: 'x'.repeat(900) },
  ),
);

describe('the edge of sort keys', () => {
  const keys = fc.array(anyKey, { minLength: 1, maxLength: 4 });
  const direction = fc.constantFrom<1 | -1>(1, -1);

  test('comes back from its bytes, and is small whatever the keys are', () => {
    fc.assert(
      fc.property(fc.oneof(keys, fc.array(anyKey, { minLength: 50, maxLength: 200 })), (all) => {
        const writer = new TokenWriter();
        writeEdge(writer, edgeOf(all));
        const token = writer.toString();
        expect(token.length).toBeLessThan(740);
        const reader = new TokenReader(token);
        expect(readEdge(reader)).toEqual(edgeOf(all));
        reader.end();
      }),
      { seed: 21, numRuns: 500 },
    );
  });

  test('parts other keys as the keys themselves do, but for those that have it too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(anyKey, { minLength: 3, maxLength: 3 }),
        fc.array(anyKey, { minLength: 3, maxLength: 3 }),
        fc.array(direction, { minLength: 3, maxLength: 3 }),
        (count, one, other, directions) => {
          const [left, right] = [one.slice(0, count), other.slice(0, count)];
          const edge = edgeOf(right);
          const order = compareWithEdge(left, edge, directions);
          const at = left.findIndex((key, index) => compareValues(key, right[index]) !== 0);
          const exact = at === -1 ? 0 : compareValues(left[at], right[at]) * (directions[at] as number);
          if (order !== 0) {
            expect(Math.sign(order)).toBe(Math.sign(exact));
          }
          expect(Math.abs(compareWithEdge(right, edge, directions))).toBe(0);
          expect(edge.cut !== undefined || Math.abs(Math.sign(order)) === Math.abs(Math.sign(exact))).toBe(true);
        },
      ),
      { seed: 22, numRuns: 2000 },
    );
  });
});

/** Computed properties, because no document holds an infinite number or half a letter. */
const computedProperties = [
  { name: 'x', query: prepareQuery('SELECT VALUE IS_NUMBER(c.a) ? c.a * 10 : c.a FROM c') },
  { name: 'y', query: prepareQuery('SELECT VALUE IS_STRING(c.b) ? LEFT(c.b, LENGTH(c.b)) : c.b FROM c') },
];
const ORDERS = ['c.x', 'c.x DESC', 'c.y, c.x', 'c.y DESC, c.x', 'c.x, c.y DESC, c.u'];

const documentKey = fc.oneof(
  { weight: 4, arbitrary: longText },
  fc.constantFrom<(JsonValue | undefined)[]>(undefined, null, true, 1e308, -1e308, 3, [1], [1e308], { a: 1 }, {}),
);
const documents = fc
  .array(fc.tuple(documentKey, documentKey), { minLength: 1, maxLength: 14 })
  .map((list) =>
    list.map(([a, b], index): JsonObject => ({ u: index, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })),
  );

/** Rows that come in between have keys that a token holds whole: none of them has the beginning of a longer one. */
const shortKey = fc.constantFrom<JsonValue[]>(null, false, -5, 7, '', 'kk', 'zz', '😀');
const shortDocuments = fc.array(fc.record({ a: shortKey, b: shortKey }), { maxLength: 14 });

describe('pages of one row behind adversarial sort keys', () => {
  test('make up the whole, with tokens under 1 KB', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.constantFrom(...ORDERS), fc.nat(3), async (all, order, offset) => {
        const source = arraySource(
          all,
          3,
          all.map((_, index) => index * 2 + 1),
        );
        const text = `SELECT VALUE c.u FROM c ORDER BY ${order} OFFSET ${offset} LIMIT 12`;
        const whole = await pageOf(text, source, { computedProperties });
        const pages = await pagesOf(text, source, { computedProperties, maxItemCount: 1 });
        expect(pages.flatMap(({ items }) => items)).toEqual(whole.items);
        expect(Math.max(...pages.map(({ continuation }) => continuation?.length ?? 0))).toBeLessThan(900);
      }),
      { seed: 23, numRuns: 250 },
    );
  });

  test('neither repeat nor drop a row while others are written, and the last one deleted', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        documents,
        shortDocuments,
        fc.constantFrom(...ORDERS),
        fc.array(fc.boolean()),
        async (all, added, order, deletes) => {
          const text = `SELECT VALUE c.u FROM c ORDER BY ${order}`;
          let rows = all.map((document, index) => ({ document, ordinal: index * 2 + 1 }));
          const stable = new Set(all.map((_, index) => index));
          const seen: JsonValue[] = [];
          const fresh = added.map((document, index) => ({ document: { ...document, u: 1000 + index }, ordinal: 1000 + index }));
          let continuation: string | undefined;
          for (let page = 0; page === 0 || continuation !== undefined; page += 1) {
            const source = arraySource(
              rows.map(({ document }) => document),
              4,
              rows.map(({ ordinal }) => ordinal),
            );
            const found = await pageOf(text, source, { computedProperties, maxItemCount: 1, continuation });
            seen.push(...found.items);
            ({ continuation } = found);
            if (deletes[page] === true) {
              // The row that the next page starts behind is gone, and nothing else.
              rows = rows.filter(({ document }) => document['u'] !== found.items[0]);
            } else {
              // A row comes, wherever it sorts.
              rows = [...rows, ...fresh.splice(0, 1)];
            }
          }
          const old = seen.filter((u) => stable.has(u as number));
          expect(old).toEqual((await pageOf(text, arraySource(all), { computedProperties })).items);
        },
      ),
      { seed: 24, numRuns: 250 },
    );
  });
});
