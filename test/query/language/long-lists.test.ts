import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { equalValues } from '../../../src/core/json-order.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { OPENERS, withContainer } from './open-stores.ts';

/** Values that equal or nearly equal each other across types. */
const VALUES: readonly JsonValue[] = [
  0,
  -0,
  1,
  2,
  2.5,
  1e300,
  '',
  '0',
  '1',
  'a',
  'A',
  true,
  false,
  null,
  [],
  [1],
  ['1'],
  {},
  { a: 1 },
  { a: 1, b: 2 },
];
const documents: readonly JsonObject[] = [...VALUES.map((x, n) => ({ n, x })), { n: VALUES.length }];
const anyValue = fc.constantFrom(...VALUES);

describe.each(Object.keys(OPENERS))('lists that are long on %s', (name) => {
  test('hold what the language calls equal, as parameters and as text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyValue, { minLength: 14, maxLength: 40 }), anyValue, async (list, other) => {
        const holds = (value: JsonValue | undefined): boolean => list.some((item) => equalValues(item, value));
        const parameters = [
          { name: '@list', value: list },
          { name: '@other', value: other },
        ];
        await withContainer(name, {}, documents, async (store) => {
          const run = async (condition: string): Promise<unknown> =>
            store.query({ query: `SELECT VALUE c.n FROM c WHERE ${condition}`, parameters }).toArray();
          const numbers = (passes: (x: JsonValue | undefined) => boolean): unknown =>
            documents.filter(({ x }) => passes(x)).map(({ n }) => n);
          const found = numbers((x) => x !== undefined && holds(x));
          expect(await run('ARRAY_CONTAINS(@list, c.x)')).toEqual(found);
          expect(await run(`ARRAY_CONTAINS(${JSON.stringify(list)}, c.x)`)).toEqual(found);
          // Something that no engine reads, so that it is evaluated.
          expect(await run('REVERSE(c.s) = 1 OR ARRAY_CONTAINS(@list, c.x)')).toEqual(found);
          expect(await run('NOT ARRAY_CONTAINS(@list, c.x)')).toEqual(numbers((x) => x !== undefined && !holds(x)));
          expect(await run('ARRAY_CONTAINS_ANY(@list, c.x, @other)')).toEqual(
            numbers((x) => holds(other) || (x !== undefined && holds(x))),
          );
          expect(await run('ARRAY_CONTAINS_ALL(@list, c.x, @other)')).toEqual(numbers((x) => x !== undefined && holds(x) && holds(other)));
          expect(await run('ARRAY_CONTAINS(@list, c.x, true)')).toEqual(
            numbers((x) => x !== undefined && (holds(x) || list.some((item) => isPart(item, x)))),
          );
        });
      }),
      { seed: 5, numRuns: 15 },
    );
  });

  test('are looked up, not looked through', async () => {
    const list = Array.from({ length: 20_000 }, (_, n) => (n % 2 === 0 ? `s${n}` : n * 3));
    const many = Array.from({ length: 3000 }, (_, n) => ({ x: n }));
    await withContainer(name, {}, many, async (store) => {
      const query = 'SELECT VALUE COUNT(1) FROM c WHERE ARRAY_CONTAINS(@list, c.x)';
      expect(await store.query({ query, parameters: [{ name: '@list', value: list }] }).toArray()).toEqual([500]);
    });
  });

  test.each(['ORDER BY', 'GROUP BY'])('of %s end at 64 keys', async (clause) => {
    await withContainer(name, {}, documents, async (store) => {
      const keys = (count: number): string => Array.from({ length: count }, (_, n) => `c.k${n}`).join(', ');
      const select = clause === 'GROUP BY' ? 'COUNT(1) AS n' : 'c.n';
      expect(await store.query(`SELECT ${select} FROM c ${clause} ${keys(64)}`).toArray()).toHaveLength(clause === 'GROUP BY' ? 1 : 21);
      const refusal: unknown = await store
        .query(`SELECT ${select} FROM c ${clause} ${keys(65)}`)
        .toArray()
        .catch((error: unknown) => error);
      expect(isPerigeeError(refusal, 'QUERY_LIMIT') ? refusal.message : refusal).toContain(`The ${clause} clause has more than 64 keys.`);
    });
  });
});

function isPart(whole: JsonValue, part: JsonValue): boolean {
  const isObject = (value: JsonValue): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject(part) && isObject(whole) && Object.keys(part).every((key) => equalValues(whole[key], part[key]));
}
