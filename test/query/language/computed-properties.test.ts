import { describe, expect, test } from 'vitest';
import type { ComputedProperty } from '../../../src/store/container-definition.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { OPENERS, withContainer } from './open-stores.ts';

const computedProperties: readonly ComputedProperty[] = [
  { name: 'lower', query: 'SELECT VALUE LOWER(c.name) FROM c' },
  { name: 'twice', query: 'SELECT VALUE root.n * 2 FROM root' },
  { name: 'all', query: 'SELECT VALUE ARRAY_CONCAT(c.tags, [c.name]) FROM c' },
  { name: 'shape', query: 'SELECT VALUE {"n": c.n, "tags": c.tags} FROM c' },
  { name: 'chain', query: 'SELECT VALUE c.lower FROM c' },
];
const documents = [
  { name: 'Bo', n: 2, tags: ['x', 'y'], pk: 'p' },
  { name: 'AL', n: 1, tags: [], lower: 'persisted', pk: 'q' },
  { name: 7, tags: ['x'], twice: 99, pk: 'p' },
];

describe.each(Object.keys(OPENERS))('computed properties on %s', (name) => {
  test.each<[string, readonly unknown[]]>([
    ['SELECT VALUE c.lower FROM c', ['bo', 'al']],
    ['SELECT c.lower, c.twice FROM c', [{ lower: 'bo', twice: 4 }, { lower: 'al', twice: 2 }, {}]],
    ['SELECT VALUE c["lower"] FROM c WHERE c["lower"] = "al"', ['al']],
    ['SELECT VALUE c.id FROM c WHERE c.lower = "persisted"', []],
    ['SELECT VALUE c.id FROM c WHERE c.twice = 99', []],
    ['SELECT VALUE c.id FROM c WHERE IS_DEFINED(c.lower)', ['0', '1']],
    ['SELECT VALUE c.id FROM c WHERE c.twice > 2 OR c.lower = "al"', ['0', '1']],
    ['SELECT VALUE c.id FROM c ORDER BY c.lower', ['2', '1', '0']],
    ['SELECT VALUE c.id FROM c ORDER BY c.twice DESC', ['0', '1', '2']],
    ['SELECT TOP 1 VALUE c.id FROM c WHERE IS_STRING(c.lower) ORDER BY c.lower', ['1']],
    ['SELECT c.twice, COUNT(1) AS k FROM c GROUP BY c.twice', [{ twice: 4, k: 1 }, { twice: 2, k: 1 }, { k: 1 }]],
    ['SELECT VALUE SUM(c.twice) FROM c', [6]],
    ['SELECT VALUE MAX(c.lower) FROM c', ['bo']],
    ['SELECT VALUE t FROM c JOIN t IN c.all', ['x', 'y', 'Bo', 'AL', 'x', 7]],
    ['SELECT VALUE t FROM t IN c.all WHERE t = "x"', ['x', 'x']],
    ['SELECT VALUE t FROM c.shape.tags t', [['x', 'y'], [], ['x']]],
    ['SELECT VALUE c.shape.n FROM c', [2, 1]],
    ['SELECT VALUE c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.all WHERE t = 7)', ['2']],
    ['SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.all, "Bo")', ['0']],
    ['SELECT DISTINCT VALUE c.lower FROM c WHERE c.n > 0', ['bo', 'al']],
    ['SELECT VALUE x.lower FROM (SELECT VALUE c FROM c) x', ['persisted']],
    ['SELECT VALUE c.chain FROM c', ['persisted']],
  ])('%s', (query, expected) =>
    withContainer(name, { computedProperties }, documents, async (store) => {
      expect(await store.query<unknown>(query).toArray()).toEqual(expected);
    }),
  );

  test('SELECT * and whole documents show what is stored only', () =>
    withContainer(name, { computedProperties }, documents, async (store) => {
      for (const query of ['SELECT * FROM c', 'SELECT VALUE c FROM c']) {
        const rows = await store.query(query).toArray();
        expect(rows.map((row) => [row['lower'], row['twice'], row['all']])).toEqual([
          [undefined, undefined, undefined],
          ['persisted', undefined, undefined],
          [undefined, 99, undefined],
        ]);
      }
      expect((await store.read('1', 'q'))?.document['lower']).toBe('persisted');
    }));

  test('a new definition counts from the next query on', () =>
    withContainer(name, { computedProperties }, documents, async (store, backend) => {
      const query = 'SELECT VALUE c.twice FROM c WHERE c.twice > 0';
      expect(await store.query(query).toArray()).toEqual([4, 2]);
      await backend.replaceContainer('d', {
        id: 'c',
        partitionKey: '/pk',
        computedProperties: [{ name: 'twice', query: 'SELECT VALUE c.n + 100 FROM c' }],
      });
      const again = await backend.container('d', 'c');
      expect(await again.query(query).toArray()).toEqual([102, 101]);
    }));
});

describe('definitions that are refused', () => {
  const query = 'SELECT VALUE c.a FROM c';
  test.each<[string, unknown, string]>([
    ['21 of them', Array.from({ length: 21 }, (_, index) => ({ name: `p${index}`, query })), 'at most 20'],
    ['no name', [{ query }], 'name'],
    ['an empty name', [{ name: '', query }], 'name'],
    ['the name of a system property', [{ name: '_ts', query }], '"_ts"'],
    [
      'two of one name',
      [
        { name: 'a', query },
        { name: 'a', query },
      ],
      'same name',
    ],
    ['no query', [{ name: 'a' }], 'no query'],
    ...(
      [
        ['text that does not parse', 'SELECT VALUE FROM c', 'does not read'],
        ['a name that resolves to nothing', 'SELECT VALUE x.a FROM c', 'does not read'],
        ['SELECT of a list', 'SELECT c.a FROM c', 'VALUE'],
        ['SELECT *', 'SELECT * FROM c', 'VALUE'],
        ['no FROM', 'SELECT VALUE 1', 'no FROM'],
        ['a FROM over a path', 'SELECT VALUE x FROM c.x', 'a FROM'],
        ['a FROM over elements', 'SELECT VALUE x FROM x IN c', 'a FROM'],
        ['a FROM over a subquery', 'SELECT VALUE x FROM (SELECT VALUE c FROM c) x', 'a FROM'],
        ['JOIN', 'SELECT VALUE t FROM c JOIN t IN c.tags', 'JOIN'],
        ['WHERE', 'SELECT VALUE c.a FROM c WHERE true', 'WHERE'],
        ['GROUP BY', 'SELECT VALUE c.a FROM c GROUP BY c.a', 'GROUP BY'],
        ['ORDER BY', 'SELECT VALUE c.a FROM c ORDER BY c.a', 'ORDER BY'],
        ['TOP', 'SELECT TOP 1 VALUE c.a FROM c', 'TOP'],
        ['DISTINCT', 'SELECT DISTINCT VALUE c.a FROM c', 'DISTINCT'],
        ['OFFSET LIMIT', 'SELECT VALUE c.a FROM c OFFSET 0 LIMIT 1', 'OFFSET'],
        ['EXISTS', 'SELECT VALUE EXISTS(SELECT VALUE 1 FROM t IN c.t) FROM c', 'subquery'],
        ['an aggregate', 'SELECT VALUE COUNT(1) FROM c', 'aggregate'],
        ['a user-defined function', 'SELECT VALUE udf.f(c.a) FROM c', 'user-defined'],
        ['a parameter', 'SELECT VALUE @a FROM c', 'parameter'],
        ['the clock', 'SELECT VALUE CONCAT(c.a, GETCURRENTDATETIME()) FROM c', 'GETCURRENTDATETIME'],
        ['the clock of the query', 'SELECT VALUE GETCURRENTTICKSSTATIC() FROM c', 'GETCURRENTTICKSSTATIC'],
        ['chance', 'SELECT VALUE c.a ?? (1 + RAND()) FROM c', 'RAND'],
      ] as const
    ).map(([what, text, named]): [string, unknown, string] => [what, [{ name: 'a', query: text }], named]),
  ])('%s', async (_what, computed, named) => {
    const backend = openMemoryBackend();
    await backend.createDatabase('d');
    const creation = backend.createContainer('d', { id: 'c', partitionKey: '/pk', computedProperties: computed as never });
    await expect(creation).rejects.toMatchObject({ code: 'INVALID_CONTAINER', message: expect.stringContaining(named) });
    expect(await backend.readContainer('d', 'c')).toBeUndefined();
    await backend.close();
  });
});
