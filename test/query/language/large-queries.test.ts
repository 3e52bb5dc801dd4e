import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import { OPENERS, withContainer } from './open-stores.ts';

const documents = Array.from({ length: 20 }, (_, n) => ({ n, s: `s${n}`, list: [n, n + 1] }));
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** Rows, or the code of the refusal with the place of its first entry. */
async function outcome(name: string, text: string, parameters: readonly { name: string; value: JsonValue }[] = []): Promise<unknown> {
  return withContainer(name, {}, documents, async (store) => {
    try {
      return await store.query<JsonValue>({ query: text, parameters }, { maxItemCount: 1000 }).toArray();
    } catch (error) {
      if (!isPerigeeError(error)) {
        throw error;
      }
      return error.code;
    }
  });
}

const nested = (open: string, middle: string, close: string, depth: number): string => open.repeat(depth) + middle + close.repeat(depth);
const firstFive = [0, 1, 2, 3, 4];
const everything = documents.map(({ n }) => n);

describe.each(Object.keys(OPENERS))('large queries on %s', (name) => {
  test.each<[string, string, unknown]>([
    [
      '5,000 ORs',
      `SELECT VALUE c.n FROM c WHERE ${range(5000)
        .map((n) => `c.n = ${n + 15}`)
        .join(' OR ')}`,
      [15, 16, 17, 18, 19],
    ],
    [
      '5,000 ORs over several paths',
      `SELECT VALUE c.n FROM c WHERE ${range(5000)
        .map((n) => `c.p${n} = 1 OR c.n = ${n * 7}`)
        .join(' OR ')}`,
      [0, 7, 14],
    ],
    [
      '5,000 ANDs',
      `SELECT VALUE c.n FROM c WHERE ${range(5000)
        .map((n) => `c.n != ${n + 5}`)
        .join(' AND ')}`,
      firstFive,
    ],
    [
      '10,000 IN items',
      `SELECT VALUE c.n FROM c WHERE c.n IN (${range(10_000)
        .map((n) => 5 * n)
        .join(', ')})`,
      [0, 5, 10, 15],
    ],
    [
      '10,000 IN items of several types',
      `SELECT VALUE c.n FROM c WHERE c.s IN (${range(10_000)
        .map((n) => (n % 2 === 0 ? `"s${n}"` : String(n)))
        .join(', ')})`,
      everything.filter((n) => n % 2 === 0),
    ],
    [
      'NOT IN of 10,000',
      `SELECT VALUE c.n FROM c WHERE c.n NOT IN (${range(10_000)
        .map((n) => n + 5)
        .join(', ')})`,
      firstFive,
    ],
    [
      'a chain of 20,000 sums',
      `SELECT VALUE c.n FROM c WHERE c.n = ${range(20_000)
        .map(() => '0')
        .join(' + ')} + 3`,
      [3],
    ],
    ['a chain of 20,000 comparisons', `SELECT VALUE c.n FROM c WHERE c.n ${'= true '.repeat(20_000)}= false`, 'rows'],
    [
      '2,000 columns',
      `SELECT ${range(2000)
        .map((n) => `c.n AS a${n}`)
        .join(', ')} FROM c`,
      'rows',
    ],
    ['a text of 512 KB', `SELECT VALUE c.n FROM c WHERE c.s = "${'x'.repeat(512 * 1024 - 60)}" OR c.n = 3`, [3]],
    ['a text of more than 512 KB', `SELECT VALUE c.n FROM c WHERE c.s = "${'x'.repeat(512 * 1024)}"`, 'QUERY_LIMIT'],
    ['a comment of more than 512 KB', `SELECT 1 -- ${'é'.repeat(300_000)}`, 'QUERY_LIMIT'],
    ['parentheses 10,000 deep', `SELECT VALUE c.n FROM c WHERE ${nested('(', 'true', ')', 10_000)}`, 'QUERY_LIMIT'],
    ['parentheses 150 deep', `SELECT VALUE c.n FROM c WHERE ${nested('(', 'c.n < 5', ')', 150)}`, firstFive],
    ['NOT 10,000 times', `SELECT VALUE c.n FROM c WHERE ${'NOT '.repeat(10_000)}true`, 'QUERY_LIMIT'],
    ['arrays 10,000 deep', `SELECT VALUE ${nested('[', '', ']', 10_000)}`, 'QUERY_LIMIT'],
    ['objects 10,000 deep', `SELECT VALUE ${nested('{"a":', '1', '}', 10_000)}`, 'QUERY_LIMIT'],
    ['calls 10,000 deep', `SELECT VALUE ${nested('ABS(', '1', ')', 10_000)}`, 'QUERY_LIMIT'],
    ['subqueries 10,000 deep', `SELECT VALUE ${nested('(SELECT VALUE ', '1', ')', 10_000)}`, 'QUERY_LIMIT'],
    ['a FROM 10,000 deep', `SELECT VALUE 1 FROM ${nested('(SELECT VALUE c FROM ', 'c', ')', 10_000)}`, 'QUERY_LIMIT'],
    ['conditions 10,000 deep', `SELECT VALUE ${'true ? 1 : '.repeat(10_000)}2`, 'QUERY_LIMIT'],
    ['a path of 10,000 steps', `SELECT VALUE c${'.a'.repeat(10_000)} FROM c`, 'QUERY_LIMIT'],
    ['parentheses that stay open', `SELECT VALUE ${'('.repeat(10_000)}`, 'QUERY_LIMIT'],
    [
      'eleven JOINs',
      `SELECT VALUE 1 FROM c ${range(11)
        .map((n) => `JOIN j${n} IN c.list`)
        .join(' ')}`,
      'QUERY_LIMIT',
    ],
  ])('%s', async (_what, text, expected) => {
    const found = await outcome(name, text);
    if (expected === 'rows') {
      expect(Array.isArray(found)).toBe(true);
    } else {
      expect(found).toEqual(expected);
    }
  });

  test('5,000 parameters, and one parameter of 20,000 items', async () => {
    const parameters = range(5000).map((n) => ({ name: `@p${n}`, value: n * 4 }));
    const text = `SELECT VALUE c.n FROM c WHERE c.n IN (${parameters.map((parameter) => parameter.name).join(', ')})`;
    expect(await outcome(name, text, parameters)).toEqual([0, 4, 8, 12, 16]);
    const items = [{ name: '@items', value: range(20_000).map((n) => n * 6) }];
    expect(await outcome(name, 'SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(@items, c.n)', items)).toEqual([0, 6, 12, 18]);
  });

  test('a parameter 100 levels deep', async () => {
    const deep = JSON.parse(nested('[', '', ']', 100)) as JsonValue;
    expect(await outcome(name, 'SELECT VALUE c.n FROM c WHERE c.n = @deep', [{ name: '@deep', value: deep }])).toEqual([]);
    expect(await outcome(name, 'SELECT VALUE c.n FROM c WHERE c.n < 5 AND c.list != @deep', [{ name: '@deep', value: deep }])).toEqual(
      firstFive,
    );
  });
});
