import { describe, expect, test } from 'vitest';
import { functionNames } from '../../../src/server/scripts/function-runner.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { systemRuntime, type Runtime } from '../../../src/core/runtime.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { QueryOptions } from '../../../src/store/queries.ts';
import { newStore, openEngine, OPENERS } from './harness.ts';

const engine = openEngine({ functionTimeoutMs: 200 });

/** Runs a query, page by page, with stored functions by name. */
async function ask(
  store: DocumentStore,
  query: string,
  functions: Readonly<Record<string, string>>,
  options: QueryOptions = {},
  wallClock: Runtime = systemRuntime,
): Promise<unknown[]> {
  const items: unknown[] = [];
  let { continuation } = options;
  const sources = {
    functions: (names: readonly string[]) =>
      Promise.resolve(names.flatMap((name) => (functions[name] === undefined ? [] : [{ name, source: functions[name] }]))),
    wallClock,
    signal: undefined,
  };
  do {
    const page = await engine.withFunctions(query, sources, (userDefinedFunctions) =>
      store.query<unknown>(query, { ...options, continuation, userDefinedFunctions }).nextPage(),
    );
    items.push(...(page?.items ?? []));
    continuation = page?.continuation;
  } while (continuation !== undefined);
  return items;
}

async function filled(documents: readonly JsonObject[], name = 'memory'): Promise<DocumentStore> {
  const store = await newStore(await (OPENERS[name] as (typeof OPENERS)[string])());
  for (const [index, document] of documents.entries()) {
    await store.create({ id: `d${index}`, pk: 'p', ...document });
  }
  return store;
}

describe.each(Object.keys(OPENERS))('stored functions in queries on %s', (name) => {
  test('filter, project, group and fold', async () => {
    const store = await filled([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 'x' }, {}], name);
    const functions = { twice: 'function (n) { if (typeof n === "number") return 2 * n; }', kind: 'function kind(n) { return typeof n; }' };
    expect(await ask(store, 'SELECT VALUE udf.twice(c.n) FROM c', functions)).toEqual([2, 4, 6]);
    expect(await ask(store, 'SELECT VALUE c.n FROM c WHERE udf.twice(c.n) >= 4', functions)).toEqual([2, 3]);
    expect(await ask(store, 'SELECT VALUE SUM(udf.twice(c.n)) FROM c WHERE IS_NUMBER(c.n)', functions)).toEqual([12]);
    expect(await ask(store, 'SELECT udf.kind(c.n) AS k, COUNT(1) AS n FROM c GROUP BY udf.kind(c.n)', functions)).toEqual([
      { k: 'number', n: 3 },
      { k: 'string', n: 1 },
      { k: 'undefined', n: 1 },
    ]);
    expect(await ask(store, 'SELECT VALUE udf.twice(c.n) FROM c', functions, { maxItemCount: 1 })).toEqual([2, 4, 6]);
  });

  test('two containers may have different functions of one name, in the same text at the same time', async () => {
    const [left, right] = await Promise.all([filled([{ n: 1 }, { n: 2 }], name), filled([{ n: 1 }, { n: 2 }], name)]);
    const query = 'SELECT VALUE udf.f(c.n) FROM c';
    const asked = Array.from({ length: 6 }, (_, index) =>
      ask(index % 2 === 0 ? left : right, query, { f: `function (n) { return n * ${index + 1}; }` }, { maxItemCount: 1 }),
    );
    expect(await Promise.all(asked)).toEqual([1, 2, 3, 4, 5, 6].map((factor) => [factor, 2 * factor]));
  });
});

describe('values', () => {
  test.each<[string, string, unknown[]]>([
    ['undefined is an argument like any other', 'udf.f(c.none, 1, undefined)', [[true, 1, true, 3]]],
    ['documents and arrays', 'udf.f(c.deep, [c.id])', [[{ a: [{ b: null }] }, ['d0'], true, 2]]],
  ])('%s', async (_name, call, expected) => {
    const store = await filled([{ deep: { a: [{ b: null }] } }]);
    const f = 'function (a, b, c) { return [a === undefined ? true : a, b, c === undefined, arguments.length]; }';
    expect(await ask(store, `SELECT VALUE ${call} FROM c`, { f })).toEqual(expected);
  });

  test.each<[string, unknown[]]>([
    ['return undefined', []],
    ['return null', [null]],
    ['return NaN', [null]],
    ['return () => 1', []],
    ['return new Date(0)', ['1970-01-01T00:00:00.000Z']],
    ['return { toJSON: () => 5 }', [5]],
    ['return Promise.resolve(1)', [{}]],
    ['return "\\u{1F600}\\u0000ü"', ['\u{1F600}\u0000ü']],
    ['return -0', [0]],
    ['return "x".repeat(1000000).length + "y".repeat(500000)', [`1000000${'y'.repeat(500_000)}`]],
  ])('a function may %s', async (statement, expected) => {
    expect(await ask(await filled([{}]), 'SELECT VALUE udf.f() FROM c', { f: `function () { ${statement}; }` })).toEqual(expected);
  });

  test('large arguments go through, and the channel grows for them', async () => {
    const store = await filled([{ text: 'ü'.repeat(700_000) }]);
    expect(
      await ask(store, 'SELECT VALUE udf.f(c, c.text, c.text) FROM c', {
        f: 'function (c, a, b) { return c.text.length + a.length + b.length; }',
      }),
    ).toEqual([2_100_000]);
  });

  test('a function keeps what it was compiled from: names, helpers behind it, case', async () => {
    const store = await filled([{}]);
    const functions = { f: 'function main(a) { return helper(a); }\nfunction helper(x) { return x + 1; }', F: '(a) => a - 1' };
    expect(await ask(store, 'SELECT VALUE [udf.f(1), udf.F(1)] FROM c', functions)).toEqual([[2, 0]]);
  });

  test('the clock and chance are those of the store', async () => {
    const store = await filled([{}]);
    const wall = (): Runtime => new SimulatedRuntime({ seed: 3, startMs: Date.UTC(2030, 0, 1) });
    const f = 'function () { return [new Date().toISOString().slice(0, 13), Math.random()]; }';
    const first = await ask(store, 'SELECT VALUE udf.f() FROM c', { f }, {}, wall());
    expect(first).toEqual([['2030-01-01T00', expect.any(Number)]]);
    expect(await ask(store, 'SELECT VALUE udf.f() FROM c', { f }, {}, wall())).toEqual(first);
  });
});

describe('failures', () => {
  test('what a function throws is the answer, in its own words', async () => {
    const store = await filled([{}]);
    const failure = ask(store, 'SELECT VALUE udf.bad() FROM c', { bad: 'function bad() { throw new Error(32766, "Error"); }' });
    await expect(failure).rejects.toMatchObject({
      code: 'QUERY_FAILED',
      status: 400,
      subStatus: 32766,
      message: expect.stringMatching(
        /^Encountered exception while executing Javascript\. Exception = Error: Error\r\nStack trace: Error: Error\n {3}at bad \(bad\.js:1:\d+\)$/u,
      ),
    });
    await expect(ask(store, 'SELECT * FROM c WHERE udf.bad() OR true', { bad: '(a) => a.x' })).rejects.toMatchObject({
      code: 'QUERY_FAILED',
    });
  });

  test('one that does not compile, or is no function, fails the query; so does one that is not there', async () => {
    const store = await filled([{}]);
    await expect(ask(store, 'SELECT VALUE udf.f() FROM c', { f: 'function () { this is none }' })).rejects.toMatchObject({
      code: 'SCRIPT_INVALID',
      subStatus: 0xffff,
    });
    await expect(ask(store, 'SELECT VALUE udf.f() FROM c', { f: '42' })).rejects.toMatchObject({ code: 'QUERY_FAILED' });
    await expect(ask(store, 'SELECT VALUE udf.f() FROM c', {})).rejects.toMatchObject({ code: 'QUERY_INVALID', details: { udf: 'f' } });
    await expect(ask(store, 'SELECT VALUE udf.f() FROM c WHERE udf.g()', { f: '() => 1' })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      details: { udf: 'g' },
    });
    // And the next query finds the thread as good as new.
    expect(await ask(store, 'SELECT VALUE udf.f() FROM c', { f: '() => 1' })).toEqual([1]);
  });

  test('one that spins is stopped', async () => {
    const store = await filled([{}]);
    await expect(ask(store, 'SELECT VALUE udf.f() FROM c', { f: 'function () { for (;;) {} }' })).rejects.toMatchObject({
      code: 'SCRIPT_TIMEOUT',
      status: 408,
    });
    expect(await ask(store, 'SELECT VALUE udf.f() FROM c', { f: '() => 1' })).toEqual([1]);
  });

  test('one that cannot be interrupted ends with its thread', async () => {
    const store = await filled([{}]);
    const f = 'function () { return Array.prototype.indexOf.call({ length: 1e15 }, 1); }';
    await expect(ask(store, 'SELECT VALUE udf.f() FROM c', { f })).rejects.toMatchObject({ code: 'SCRIPT_TIMEOUT' });
    expect(await ask(store, 'SELECT VALUE udf.f() FROM c', { f: '() => 1' })).toEqual([1]);
  });

  test('one that takes all memory, or all stack, fails and harms nobody', async () => {
    const store = await filled([{}]);
    for (const statement of [
      'var a = []; for (;;) a.push(new Array(10000).fill(1))',
      '(function f() { f(); })()',
      'return "x".repeat(2 ** 29)',
    ]) {
      await expect(ask(store, 'SELECT VALUE udf.f() FROM c', { f: `function () { ${statement}; }` })).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:QUERY_FAILED|SCRIPT_TIMEOUT)$/u),
      });
    }
    expect(await ask(store, 'SELECT VALUE udf.f() FROM c', { f: '() => 1' })).toEqual([1]);
  });
});

test('what a function leaves behind is gone with the page', async () => {
  const store = await filled([{ n: 1 }, { n: 2 }]);
  const f = 'function (n) { globalThis.count = (globalThis.count || 0) + 1; Object.prototype.leak = n; return count; }';
  const query = 'SELECT VALUE udf.f(c.n) FROM c';
  expect(await ask(store, query, { f })).toEqual([1, 2]);
  expect(await ask(store, query, { f })).toEqual([1, 2]);
  expect(await ask(store, query, { f }, { maxItemCount: 1 })).toEqual([1, 1]);
  expect(await ask(store, 'SELECT VALUE udf.g() FROM c', { g: '() => [typeof count, typeof {}.leak]' })).toEqual([
    ['undefined', 'undefined'],
    ['undefined', 'undefined'],
  ]);
});

test.each<[string, readonly string[]]>([
  ['SELECT * FROM c', []],
  ['SELECT VALUE udf.a(UDF.b(1)) FROM c WHERE udf . a(2)', ['a', 'b']],
  ['SELECT "udf.a()" AS t FROM c', []],
  ['SELECT udf. nonsense', []],
])('the functions of %j', (text, expected) => {
  expect([...functionNames(text)].sort()).toEqual(expected);
});
