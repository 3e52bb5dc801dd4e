import { type Container, type CosmosClientOptions, type JSONValue, PartitionKeyDefinitionVersion, type SqlQuerySpec } from '@azure/cosmos';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareValues } from '../../src/core/json-order.ts';
import type { JsonValue } from '../../src/core/json.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { serve } from './served.ts';
import { splitRanges } from './split-ranges.ts';

interface Item {
  readonly id: string;
  readonly pk: string;
  /** Different for each item. */
  readonly u: number;
  readonly n?: number;
  readonly s: string;
  readonly b: boolean;
  readonly t?: string;
  readonly o: { readonly x: number };
  readonly tags: readonly string[];
}

/** Sixty items in eight partition keys, some without a number or a text. */
const ITEMS: readonly Item[] = Array.from({ length: 60 }, (_, index) => ({
  id: `i${index}`,
  pk: `p${index % 8}`,
  u: (index * 37) % 60,
  ...(index % 5 === 0 ? {} : { n: (index * 7) % 11 }),
  s: 'alpha beta gamma delta'.split(' ')[index % 4] as string,
  b: index % 3 === 0,
  ...(index % 4 === 1 ? {} : { t: `t${index % 6}` }),
  o: { x: index % 2 },
  tags: index % 3 === 0 ? [] : ['red', `tag${index % 2}`],
}));

interface Scene {
  readonly container: Container;
  readonly store: DocumentStore;
  /** Texts that were sent to single ranges. */
  readonly sent: string[];
}

async function scene(items: readonly object[] = ITEMS): Promise<Scene> {
  const sent: string[] = [];
  const served = await serve();
  const options = { plugins: [splitRanges((text) => sent.push(text))] } as Partial<CosmosClientOptions>;
  const { database } = await served.client(options).databases.create({ id: 'app' });
  const { container } = await database.containers.create({
    id: 'items',
    partitionKey: { paths: ['/pk'], version: PartitionKeyDefinitionVersion.V2 },
  });
  const store = await served.backend.container('app', 'items');
  await store.bulk(items.map((document) => ({ type: 'create', document: document as never })));
  return { container, store, sent };
}

type Row = JsonValue | undefined;

async function merged(container: Container, query: SqlQuerySpec, options: object = {}): Promise<Row[]> {
  return (await container.items.query<JsonValue>(query, options).fetchAll()).resources;
}

/** Without what the SDK sets to undefined: an aggregate that has no value is no member of the row. */
function plain(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row !== undefined).map((row) => JSON.parse(JSON.stringify(row)) as JsonValue);
}

const sorted = (rows: readonly Row[]): Row[] => rows.toSorted(compareValues);

/** What was said of a query: how its rows are to be compared. */
interface Case extends SqlQuerySpec {
  readonly query: string;
  readonly order: 'exact' | 'any' | 'some';
}

/** Compares the SDK's merge of what the ranges answer with what the store answers. */
async function check({ container, store }: Scene, { query, parameters = [], order }: Case, options: object): Promise<void> {
  const direct = await store.query<JsonValue>({ query, parameters: parameters as never }).toArray();
  const rows = plain(await merged(container, { query, parameters: parameters as { name: string; value: JSONValue }[] }, options));
  if (order === 'exact') {
    expect(rows, query).toEqual(direct);
  } else if (order === 'any') {
    expect(sorted(rows), query).toEqual(sorted(direct));
  } else {
    // Which rows are counted is open; how many is not, nor where they come from.
    const all = await store.query<JsonValue>(query.replace(/TOP (?:\d+|@t) |OFFSET .*$/gu, '')).toArray();
    expect(rows.length, query).toBe(direct.length);
    expect(
      rows.every((row) => all.some((one) => compareValues(one, row) === 0)),
      query,
    ).toBe(true);
  }
}

/** Queries in our words, of each kind that the service leaves to clients. */
const CASES: readonly Case[] = (
  [
    ['any', 'SELECT * FROM c WHERE c.n > 3'],
    ['any', 'SELECT VALUE c.id FROM c JOIN t IN c.tags WHERE t = "red"'],
    ['exact', 'SELECT * FROM c ORDER BY c.u'],
    ['exact', 'SELECT c.id, c.o.x AS x, c.u FROM c WHERE c.b ORDER BY c.u DESC'],
    ['exact', 'SELECT VALUE c.t FROM c ORDER BY c.u'],
    ['exact', 'SELECT TOP 4 VALUE c.t FROM c ORDER BY c.u DESC'],
    ['exact', 'SELECT VALUE c.u FROM c ORDER BY c.u OFFSET 7 LIMIT 9'],
    ['exact', 'SELECT VALUE c.u FROM c WHERE c.b ORDER BY c.u OFFSET 100 LIMIT 9'],
    ['exact', 'SELECT TOP 0 * FROM c ORDER BY c.u'],
    ['exact', 'SELECT c.s, c.u FROM c ORDER BY c.s DESC, c.u'],
    ['exact', 'SELECT c.n, c.u FROM c WHERE IS_DEFINED(c.n) ORDER BY c.n, c.u DESC'],
    ['some', 'SELECT TOP 5 * FROM c'],
    ['some', 'SELECT VALUE c.id FROM c OFFSET 3 LIMIT 8'],
    ['some', 'SELECT VALUE c.id FROM c OFFSET 55 LIMIT 8'],
    ['any', 'SELECT DISTINCT c.s FROM c'],
    ['any', 'SELECT DISTINCT c.s, c.b FROM c WHERE c.u < 40'],
    ['any', 'SELECT DISTINCT VALUE {"x": c.o.x, "s": c.s} FROM c'],
    ['any', 'SELECT DISTINCT VALUE t FROM c JOIN t IN c.tags'],
    ['some', 'SELECT DISTINCT TOP 2 c.s FROM c'],
    ['some', 'SELECT DISTINCT c.s FROM c OFFSET 1 LIMIT 2'],
    ['exact', 'SELECT DISTINCT VALUE c.s FROM c ORDER BY c.s'],
    ['exact', 'SELECT DISTINCT c.s FROM c ORDER BY c.s DESC'],
    ['exact', 'SELECT DISTINCT TOP 3 VALUE c.s FROM c ORDER BY c.s'],
    ['exact', 'SELECT DISTINCT VALUE c.s FROM c ORDER BY c.s OFFSET 1 LIMIT 2'],
    ['exact', 'SELECT DISTINCT c.s, c.b FROM c ORDER BY c.s, c.b'],
    ['exact', 'SELECT VALUE COUNT(1) FROM c'],
    ['exact', 'SELECT VALUE COUNT(c.n) FROM c WHERE c.pk = "p3"'],
    ['exact', 'SELECT VALUE COUNT(1) FROM c WHERE c.pk = "p3" AND c.pk = "p4"'],
    ['exact', 'SELECT VALUE COUNTIF(c.b) FROM c'],
    ['exact', 'SELECT VALUE SUM(c.n) FROM c'],
    ['exact', 'SELECT VALUE SUM(c.n) FROM c WHERE c.n > 100'],
    ['exact', 'SELECT VALUE SUM(c.s) FROM c'],
    ['exact', 'SELECT VALUE AVG(c.n * 2 + 1) FROM c WHERE c.b OR c.n > 4'],
    ['exact', 'SELECT VALUE AVG(c.n) FROM c WHERE c.n > 100'],
    ['exact', 'SELECT VALUE MIN(c.n) FROM c'],
    ['exact', 'SELECT VALUE MAX(c.s) FROM c WHERE c.u < 3'],
    ['exact', 'SELECT VALUE MIN(c.s) FROM c WHERE false'],
    ['exact', 'SELECT VALUE MAX(t) FROM c JOIN t IN c.tags ORDER BY t'],
    ['exact', 'SELECT TOP 1 VALUE COUNT(1) FROM c'],
    ['exact', 'SELECT COUNT(1), SUM(c.n) AS total, MIN(c.n) AS low, MAX(c.s) AS high, AVG(c.n) AS mean FROM c'],
    ['exact', 'SELECT COUNT(1) AS n, AVG(c.n) AS mean FROM c WHERE false'],
    ['any', 'SELECT c.s, COUNT(1) AS n FROM c GROUP BY c.s'],
    ['any', 'SELECT COUNT(1) AS n, c.t FROM c GROUP BY c.t'],
    [
      'any',
      'SELECT c.s AS kind, c.o.x, SUM(c.n), AVG(c.u) AS mean, MIN(c.u) AS low, MAX(c.u) AS high FROM c WHERE c.u > 5 GROUP BY c.s, c.o.x',
    ],
    ['any', 'SELECT UPPER(c.s) AS loud, COUNTIF(c.b) AS yes FROM c GROUP BY UPPER(c.s)'],
    ['any', 'SELECT VALUE c.s FROM c GROUP BY c.s'],
    ['any', 'SELECT VALUE MAX(c.u) FROM c GROUP BY c.s'],
    ['some', 'SELECT TOP 2 c.s, MAX(c.u) AS high FROM c GROUP BY c.s'],
    ['some', 'SELECT VALUE c.s FROM c GROUP BY c.s OFFSET 1 LIMIT 10'],
    ['any', 'SELECT VALUE 1'],
    ['some', 'SELECT TOP 3 VALUE 1'],
  ] as const
).map(([order, query]) => ({ order, query }));

describe('what the SDK merges from the answers of several ranges is what the store answers', () => {
  test('in queries of every kind', async () => {
    const stage = await scene();
    for (const each of CASES) {
      await check(stage, each, { maxItemCount: 4 });
      await check(stage, each, { maxItemCount: 4, forceQueryPlan: true });
    }
    expect(new Set(stage.sent.filter((text) => text.includes('AS payload'))).size).toBeGreaterThanOrEqual(20);
    const first = stage.sent.filter((text) => text === stage.sent[0]);
    expect(first.length).toBeGreaterThanOrEqual(5);
    expect(stage.sent.filter((text) => text.includes('{documentdb'))).toEqual([]);
  }, 120_000);

  test('also where no document is', async () => {
    const stage = await scene([]);
    for (const each of CASES) {
      await check(stage, each, {});
    }
  });

  test('in lists, whose order is that of the ranges', async () => {
    const { container, store } = await scene();
    for (const query of ['SELECT VALUE MAKELIST(c.u) FROM c', 'SELECT VALUE MAKESET(c.n) FROM c']) {
      const [direct] = (await store.query<JsonValue>(query).toArray()) as [JsonValue[]];
      const [list] = (await merged(container, { query })) as [JsonValue[]];
      expect(sorted(list)).toEqual(sorted(direct));
    }
  });

  test('with parameters wherever values may be', async () => {
    const stage = await scene();
    const parameters = [
      { name: '@n', value: 3 },
      { name: '@s', value: ['alpha', 'delta'] },
      { name: '@t', value: 5 },
      { name: '@o', value: 2 },
      { name: '@pk', value: 'p1' },
    ];
    for (const [order, query] of [
      ['exact', 'SELECT TOP @t c.id, c.u + @n AS more FROM c WHERE ARRAY_CONTAINS(@s, c.s) ORDER BY c.u DESC'],
      ['exact', 'SELECT VALUE c.u FROM c WHERE c.n >= @n ORDER BY c.u OFFSET @o LIMIT @t'],
      ['some', 'SELECT TOP @t * FROM c'],
      ['exact', 'SELECT VALUE SUM(c.n * @n) FROM c WHERE c.s IN (@s[0], @s[1])'],
      ['any', 'SELECT c.s, COUNTIF(c.n > @n) AS many FROM c GROUP BY c.s'],
      ['exact', 'SELECT VALUE c.u FROM c WHERE c.pk = @pk ORDER BY c.u OFFSET @o LIMIT @t'],
      ['exact', 'SELECT DISTINCT VALUE c.s FROM c WHERE c.n != @n ORDER BY c.s'],
    ] as const) {
      await check(stage, { query, parameters, order }, {});
    }
  });

  const filter = fc.constantFrom(
    '',
    ' WHERE c.b',
    ' WHERE c.n > 4 OR c.s = "beta"',
    ' WHERE c.pk IN ("p1", "p2", "p7")',
    ' WHERE NOT IS_DEFINED(c.t)',
  );
  const call = fc.constantFrom(
    'COUNT(1)',
    'COUNT(c.n)',
    'SUM(c.n)',
    'AVG(c.u)',
    'MIN(c.u)',
    'MAX(c.n)',
    'COUNTIF(c.b)',
    'MAX(LENGTH(c.s))',
  );
  const key = fc.constantFrom('c.s', 'c.b', 'c.t', 'c.o.x', 'c.n % 2', 'CONCAT(c.s, "!")');
  const grouped = fc
    .tuple(fc.uniqueArray(call, { minLength: 1, maxLength: 4 }), fc.uniqueArray(key, { maxLength: 2 }), filter)
    .map(([calls, keys, where]): Case => {
      const columns = [...keys.map((one, index) => `${one} AS k${index}`), ...calls.map((one, index) => `${one} AS a${index}`)];
      return { order: 'any', query: `SELECT ${columns.join(', ')} FROM c${where}${keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : ''}` };
    });
  const projection = fc.constantFrom('*', 'VALUE c.t', 'VALUE c.u', 'c.id, c.t', 'c.o', 'VALUE [c.n, c.s]', 'c.u ?? c.n AS either');
  const direction = fc.constantFrom('', ' ASC', ' DESC');
  const ordered = fc
    .tuple(projection, filter, fc.constantFrom('', 'c.s', 'c.b', 'c.o.x', 'c.pk'), direction, direction, fc.nat(20), fc.nat(70), fc.nat(2))
    .map(([select, where, first, one, other, count, skip, how]): Case => {
      const keys = `${first === '' ? '' : `${first}${one}, `}c.u${other}`;
      const [top, paging] = [
        ['', ''],
        [`TOP ${count} `, ''],
        ['', ` OFFSET ${skip} LIMIT ${count}`],
      ][how] as [string, string];
      return { order: 'exact', query: `SELECT ${top}${select} FROM c${where} ORDER BY ${keys}${paging}` };
    });

  test('in generated queries', { timeout: 60_000 }, async () => {
    const stage = await scene();
    await fc.assert(
      fc.asyncProperty(fc.oneof(grouped, ordered), fc.constantFrom(3, 10, 100), async (each, maxItemCount) => {
        await check(stage, each, { maxItemCount });
      }),
      { seed: 11, numRuns: 120 },
    );
  });
});

describe('the tokens of the SDK', () => {
  /** Many rows sort alike, within a partition key and across them. */
  const rows = Array.from({ length: 90 }, (_, index) => ({
    id: `r${index}`,
    pk: `p${index % 9}`,
    n: index % 4,
    s: index % 7 < 5 ? 'same' : `${'long'.repeat(80)}${index % 3}`,
    u: index,
  }));

  /** Reads page by page, each with a client that knows nothing but the token of the page before. */
  async function resumed({ container }: Scene, query: string, maxItemCount: number): Promise<Row[]> {
    const found: Row[] = [];
    let continuationToken: string | undefined;
    do {
      const options = { maxItemCount, enableQueryControl: true, forceQueryPlan: true };
      const iterator = container.items.query<JsonValue>(
        query,
        continuationToken === undefined ? options : { ...options, continuationToken },
      );
      const page = await iterator.fetchNext();
      found.push(...((page.resources as JsonValue[] | undefined) ?? []));
      // Behind TOP and LIMIT there is a token as well.
      continuationToken = iterator.hasMoreResults() ? page.continuationToken : undefined;
    } while (continuationToken !== undefined);
    return found;
  }

  test.each([
    ['exact', 'SELECT VALUE c.u FROM c ORDER BY c.u'],
    ['exact', 'SELECT VALUE c.u FROM c ORDER BY c.u DESC'],
    ['any', 'SELECT VALUE c.u FROM c ORDER BY c.n'],
    ['any', 'SELECT VALUE c.u FROM c ORDER BY c.n DESC'],
    ['any', 'SELECT VALUE c.u FROM c WHERE c.u > 10 ORDER BY c.s DESC'],
    ['any', 'SELECT c.u, c.s FROM c WHERE c.u != 4 ORDER BY c.s'],
    ['exact', 'SELECT TOP 33 VALUE c.u FROM c ORDER BY c.u DESC'],
    ['exact', 'SELECT VALUE c.u FROM c ORDER BY c.u OFFSET 11 LIMIT 40'],
    ['exact', 'SELECT DISTINCT VALUE c.id FROM c ORDER BY c.id'],
    ['any', 'SELECT VALUE c.u FROM c WHERE c.n = 2'],
  ] as const)('go on where they were issued, %s order: %s', async (order, query) => {
    // Several sort keys are none of these: the SDK asks for rows that are behind the last one by each of them. Nor is DISTINCT that
    // leaves rows out: the SDK then takes the sort keys of another row into the token.
    const stage = await scene(rows);
    const direct = await stage.store.query<JsonValue>(query).toArray();
    for (const size of [7, 20]) {
      const found = await resumed(stage, query, size);
      expect(order === 'exact' ? found : sorted(found)).toEqual(order === 'exact' ? direct : sorted(direct));
    }
  });
});

describe('what the SDK does with the plan of a query, and the server does not', () => {
  test('values that JavaScript takes for false are lost behind DISTINCT', async () => {
    const { container, store } = await scene([0, 1, false, '', null].map((v, index) => ({ id: `${index}`, pk: 'a', v })));
    const query = 'SELECT DISTINCT VALUE c.v FROM c';
    expect(await store.query(query).toArray()).toEqual([0, 1, false, '', null]);
    expect(await merged(container, { query })).toEqual([1]);
  });

  test('values of different types cannot be ordered, but those of one range are as they come', async () => {
    const { container, store } = await scene([1, 'a', null].map((v, index) => ({ id: `${index}`, pk: 'a', v })));
    const query = 'SELECT VALUE c.v FROM c ORDER BY c.v';
    expect(await merged(container, { query })).toEqual(await store.query(query).toArray());
    await store.bulk(
      [null, 2].flatMap((v) => ['b', 'c', 'd', 'e'].map((pk) => ({ type: 'create', document: { id: `${v}`, pk, v } as never }))),
    );
    await expect(merged(container, { query })).rejects.toThrow('object');
    expect(await merged(container, { query }, { partitionKey: 'b' })).toEqual([null, 2]);
  });
});
