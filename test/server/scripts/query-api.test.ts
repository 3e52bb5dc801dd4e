import { beforeAll, describe, expect, test } from 'vitest';
import type { ScriptTarget } from '../../../src/server/scripts/script-target.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { newStore, openEngine, procedures, targetOf } from './harness.ts';

const engine = openEngine();
const run = procedures(engine);
let store: DocumentStore;
let target: ScriptTarget;

const PEOPLE = [
  {
    id: '1',
    name: 'Alex',
    age: 30,
    tags: ['a', ['b']],
    kids: [
      { name: 'Bob', pets: ['Chucky', 'Rex'] },
      { name: 'Bill', pets: ['Cookie'] },
    ],
  },
  { id: '2', name: 'Alice', age: 25, tags: ['c'], kids: [{ name: 'Beth', pets: [] }] },
  { id: '3', name: 'Zoe', age: 41, tags: [], kids: [] },
  { id: '4', name: 'ada', age: '7', tags: ['d', 'e'], kids: [] },
];

beforeAll(async () => {
  store = await newStore();
  target = targetOf(store, 'p');
  for (const one of PEOPLE) {
    await store.create({ ...one, pk: 'p' });
  }
  await store.create({ id: '9', pk: 'q', name: 'Elsewhere', age: 1 });
});

/** What the callback of a query got. `callback` stands for it in the expression. */
async function query(
  expression: string,
  ...parameters: readonly (string | number)[]
): Promise<{ readonly feed: unknown; readonly continuation?: string }> {
  const source = `function () {
    var args = arguments;
    var callback = function (error, feed, options) {
      if (error) throw error;
      __.response.setBody({ feed: feed, continuation: options.continuation });
    };
    if (${expression}.isAccepted !== true) throw new Error('not accepted');
  }`;
  return (await run(target, source, parameters)).body as { feed: unknown; continuation?: string };
}

describe('a single function', () => {
  test.each<[string, unknown]>([
    ['__.filter(function (d) { return d.age < 41; }, callback)', undefined],
    ['__.map(function (d) { return d.name; }, callback)', ['Alex', 'Alice', 'Zoe', 'ada']],
    ['__.map((d) => ({ n: d.name, a: d.age }), {}, callback)', PEOPLE.map(({ name, age }) => ({ n: name, a: age }))],
    ['__.pluck("age", callback)', [30, 25, 41, '7']],
    ['__.pluck(undefined, "age", callback)', [30, 25, 41, '7']],
    ['__.unwind((d) => d.kids, {}, (e, f, o) => callback(e, f.map((k) => k.name), o))', ['Bob', 'Bill', 'Beth']],
    ['__.unwind((d) => d.kids, (d, k) => d.name + k.name, callback)', ['AlexBob', 'AlexBill', 'AliceBeth']],
    ['__.sortBy((d) => d.age, (e, f, o) => callback(e, f.map((d) => d.age), o))', [25, 30, 41, '7']],
    ['__.sortByDescending((d) => d.name, (e, f, o) => callback(e, f.map((d) => d.name), o))', ['ada', 'Zoe', 'Alice', 'Alex']],
    ['getContext().getCollection().filter(__, (d) => d.id === "2", (e, f, o) => callback(e, f.length, o))', 1],
  ])('%s', async (expression, expected) => {
    const { feed, continuation } = await query(expression);
    if (expected === undefined) {
      expect(feed).toMatchObject([{ id: '1' }, { id: '2' }, { id: '4' }]);
    } else {
      expect(feed).toEqual(expected);
    }
    expect(continuation).toBeUndefined();
  });

  test('flatten joins arrays, one level or all; documents stay as they are', async () => {
    expect((await query('__.flatten((e, f, o) => callback(e, f.length, o))')).feed).toBe(4);
    expect((await query('__.flatten(true, {}, (e, f, o) => callback(e, f.length, o))')).feed).toBe(4);
  });
});

describe('a chain', () => {
  test.each<[string, unknown]>([
    ['__.chain().filter((d) => d.age < 41).pluck("name").value(callback)', ['Alex', 'Alice', 'ada']],
    ['__.chain().map((d) => d.tags).flatten().value(callback)', ['a', 'b', 'c', 'd', 'e']],
    ['__.chain().map((d) => d.tags).flatten(true).value({}, callback)', ['a', ['b'], 'c', 'd', 'e']],
    ['__.chain().filter((d) => typeof d.age === "number").sortBy((d) => d.age).pluck("name").value(callback)', ['Alice', 'Alex', 'Zoe']],
    ['__.chain().sortByDescending((d) => d.id).map((d) => d.id).value(callback)', ['4', '3', '2', '1']],
    [
      '__.chain().unwind((c) => c.kids, (c, k) => ({ c, k })).unwind((ck) => ck.k.pets, (ck, p) => [ck.c.name, ck.k.name, p]).value(callback)',
      [
        ['Alex', 'Bob', 'Chucky'],
        ['Alex', 'Bob', 'Rex'],
        ['Alex', 'Bill', 'Cookie'],
      ],
    ],
    ['__.chain().value((e, f, o) => callback(e, f.length, o))', 4],
  ])('%s', async (expression, expected) => {
    expect((await query(expression)).feed).toEqual(expected);
  });

  test('a chain can be gone on with in two ways', async () => {
    const source = `function () {
      var base = __.chain().filter((d) => d.age < 41);
      base.pluck('name').value((e, names) => base.pluck('id').value((e2, ids) => __.response.setBody([names, ids])));
    }`;
    expect((await run(target, source)).body).toEqual([
      ['Alex', 'Alice', 'ada'],
      ['1', '2', '4'],
    ]);
  });
});

describe('results', () => {
  test('without a callback the items go to the body of the response, as a text', async () => {
    expect((await run(target, 'function () { __.chain().pluck("id").value(); }')).body).toBe('["1","2","3","4"]');
    expect((await run(target, 'function () { __.filter((d) => d.id === "none"); }')).body).toBe('[]');
  });

  test.each([
    '__.pluck("id", { pageSize: 3, continuation: args[0] }, callback)',
    '__.chain().sortBy((d) => d.id).pluck("id").value({ pageSize: 3, continuation: args[0] }, callback)',
  ])('pages go on from their continuation: %s', async (expression) => {
    const first = await query(expression, '');
    expect(first).toMatchObject({ feed: ['1', '2', '3'], continuation: expect.any(String) });
    expect(await query(expression, first.continuation as string)).toEqual({ feed: ['4'] });
  });

  test('a page is filled with what the filter lets through', async () => {
    const expression = '__.chain().filter((d) => d.id > "2").pluck("id").value({ pageSize: 2 }, callback)';
    expect((await query(expression)).feed).toEqual(['3', '4']);
  });

  test('what a function of the script throws goes to the callback; what the callback throws ends the script', async () => {
    const caught =
      'function () { __.filter(() => { throw new Error("mine"); }, (error, feed) => __.response.setBody([error.message, feed === undefined])); }';
    expect((await run(target, caught)).body).toEqual(['mine', true]);
    await expect(run(target, 'function () { __.filter((d) => d.none.x); }')).rejects.toThrow('Exception = TypeError');
    await expect(run(target, 'function () { __.filter(() => true, () => { throw new Error(7, "stop"); }); }')).rejects.toMatchObject({
      subStatus: 7,
    });
  });
});

test.each([
  '__.filter()',
  '__.filter({})',
  '__.map("x")',
  '__.pluck("")',
  '__.pluck(1)',
  '__.unwind()',
  '__.sortBy(1)',
  '__.chain().filter(() => true, () => 1)',
  '__.chain().map((d) => d, {})',
  '__.filter(() => true, 1)',
])('a call without what it needs is refused at once: %s', async (call) => {
  await expect(run(target, `function () { ${call}; }`)).rejects.toMatchObject({ code: 'SCRIPT_FAILED', subStatus: 400 });
});

test('the spatial functions answer as those of queries do', async () => {
  const source = `function () {
    var s = __.spatial, at = (x, y) => ({ type: 'Point', coordinates: [x, y] });
    var square = { type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] };
    __.response.setBody([Math.round(s.distance(at(0, 0), at(0, 1))), s.within(at(0.5, 0.5), square), s.intersects(at(3, 3), square), s.isValid(at(0, 100)), s.isValidDetailed(square)]);
  }`;
  expect((await run(target, source)).body).toEqual([110574, true, false, false, { valid: true }]);
  await expect(run(target, 'function () { __.spatial.distance({}); }')).rejects.toMatchObject({ subStatus: 400 });
});
