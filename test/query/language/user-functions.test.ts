import { describe, expect, test } from 'vitest';
import { PerigeeError } from '../../../src/core/errors.ts';
import type { UserDefinedFunctions } from '../../../src/store/user-functions.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { OPENERS, withContainer } from './open-stores.ts';

const functions: UserDefinedFunctions = {
  double: (value) => (typeof value === 'number' ? 2 * value : undefined),
  Double: () => 'another',
  count: (...values) => values.length,
  seen: (value) => value === undefined,
  pair: (left, right) => ({ left: left ?? null, right: [right ?? null] }),
  fail: () => {
    throw new Error('secret of the function');
  },
  promise: (() => Promise.resolve(1)) as never,
  date: (() => new Date(0)) as never,
  symbol: (() => [Symbol('x')]) as never,
};
const documents = [{ n: 1 }, { n: 2 }, { n: 'x' }, {}];

describe.each(Object.keys(OPENERS))('user-defined functions on %s', (name) => {
  const ask = (query: string): Promise<unknown[]> =>
    withContainer(name, {}, documents, (store) => store.query<unknown>(query).toArray(), functions);

  test.each<[string, readonly unknown[]]>([
    ['SELECT VALUE udf.double(c.n) FROM c', [2, 4]],
    ['SELECT VALUE c.id FROM c WHERE udf.double(c.n) = 4', ['1']],
    ['SELECT VALUE c.id FROM c WHERE NOT (udf.double(c.n) > 2)', ['0']],
    ['SELECT VALUE udf.Double()', ['another']],
    ['SELECT VALUE udf.count(1, undefined, c.missing) FROM c WHERE c.n = 1', [3]],
    ['SELECT VALUE udf.seen(c.n) FROM c', [false, false, false, true]],
    ['SELECT VALUE udf.pair(c.n, 1) FROM c WHERE c.n = 2', [{ left: 2, right: [1] }]],
    ['SELECT VALUE SUM(udf.double(c.n)) FROM c', [6]],
    ['SELECT udf.double(c.n) AS d, COUNT(1) AS k FROM c GROUP BY udf.double(c.n)', [{ d: 2, k: 1 }, { d: 4, k: 1 }, { k: 2 }]],
    ['SELECT VALUE EXISTS(SELECT VALUE 1 WHERE udf.double(c.n) = 2) FROM c', [true, false, false, false]],
  ])('%s', async (query, expected) => {
    expect(await ask(query)).toEqual(expected);
  });

  test.each(['fail', 'promise', 'date', 'symbol'])(
    'what goes wrong in %s ends the query with a typed error that tells nothing secret',
    async (bad) => {
      const failure = ask(`SELECT VALUE udf.${bad}(c.n) FROM c`);
      await expect(failure).rejects.toMatchObject({ code: 'QUERY_FAILED', details: { udf: bad } });
      await expect(failure).rejects.not.toThrow('secret');
      await expect(ask(`SELECT * FROM c WHERE udf.${bad}(c.n) OR c.n = 1`)).rejects.toMatchObject({ code: 'QUERY_FAILED' });
    },
  );

  test('the error of the function is the cause', async () => {
    await expect(ask('SELECT VALUE udf.fail()')).rejects.toMatchObject({ cause: { message: 'secret of the function' } });
  });

  test('a function that is not there is named, on every document and on none', async () => {
    await expect(ask('SELECT VALUE udf.DOUBLE(c.n) FROM c')).rejects.toMatchObject({ code: 'QUERY_INVALID', details: { udf: 'DOUBLE' } });
    await expect(ask('SELECT VALUE udf.none(c.n) FROM c WHERE false')).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });

  test('more than ten calls in one text are refused', async () => {
    const calls = (count: number): string => Array.from({ length: count }, () => 'udf.double(1)').join(' + ');
    expect(await ask(`SELECT VALUE ${calls(10)}`)).toEqual([20]);
    await expect(ask(`SELECT VALUE ${calls(11)}`)).rejects.toMatchObject({
      code: 'QUERY_LIMIT',
      details: { errors: [{ code: 'SC3005', location: { start: expect.any(Number) } }] },
    });
  });

  test('explain and an exact filter beside a function in SELECT work', () =>
    withContainer(
      name,
      {},
      documents,
      async (store) => {
        const query = 'SELECT VALUE udf.double(c.n) FROM c WHERE c.n = 2';
        expect(await store.query(query).toArray()).toEqual([4]);
        expect((await store.explain(query)).itemsReturned).toBe(1);
      },
      functions,
    ));
});

test.each(Object.keys(OPENERS))('on %s functions of a query win over those of the backend, by name', (name) =>
  withContainer(
    name,
    {},
    documents,
    async (store) => {
      const query = 'SELECT VALUE [udf.double(c.n), udf.Double()] FROM c WHERE c.n = 2';
      const own: UserDefinedFunctions = { double: () => 'own' };
      expect(await store.query(query, { userDefinedFunctions: own }).toArray()).toEqual([['own', 'another']]);
      expect(await store.query(query).toArray()).toEqual([[4, 'another']]);
    },
    functions,
  ),
);

test.each(Object.keys(OPENERS))('on %s a typed error of a function comes through as it is', (name) => {
  const error = new PerigeeError('TIMEOUT', 'too slow');
  const fail = (): never => {
    throw error;
  };
  return withContainer(name, {}, documents, async (store) => {
    for (const query of ['SELECT VALUE udf.fail() FROM c', 'SELECT * FROM c WHERE udf.fail() = 1']) {
      await expect(store.query(query, { userDefinedFunctions: { fail } }).toArray()).rejects.toBe(error);
    }
  });
});

test('a query with slow functions lets others run between two calls', async () => {
  await withContainer('memory', {}, documents, async (store) => {
    let turns = 0;
    const seen: number[] = [];
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const slow = (): number => {
      seen.push(turns);
      const end = performance.now() + 20;
      while (performance.now() < end) {
        // Busy, as a function that computes is.
      }
      return 1;
    };
    await store.query('SELECT VALUE udf.slow() FROM c', { userDefinedFunctions: { slow } }).toArray();
    clearImmediate(next);
    expect(new Set(seen).size).toBe(documents.length);
  });
});

test.each([{ 'a b': () => 1 }, { '': () => 1 }, { '1a': () => 1 }, { a: 1 }])('the registry %j is refused', (bad) => {
  expect(() => openMemoryBackend({ userDefinedFunctions: bad as never })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});
