import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { analyzerOf } from '../../../src/query/functions/full-text/analyzer.ts';
import { bm25 } from '../../../src/query/functions/full-text/bm25.ts';
import { vectorDistance } from '../../../src/query/functions/vector/vector-distance.ts';
import type { Backend } from '../../../src/store/backend.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';

interface Item extends JsonObject {
  readonly id: string;
  readonly k: string;
  readonly n: number;
  readonly t?: string | number;
  readonly v?: readonly number[];
}

const EXTRA: JsonObject = {
  vectorEmbeddingPolicy: { vectorEmbeddings: [{ path: '/v', dataType: 'float32', dimensions: 2, distanceFunction: 'euclidean' }] },
};

async function stores(items: readonly Item[]): Promise<readonly DocumentStore[]> {
  const backends: Backend[] = [openMemoryBackend(), await openSqliteBackend({ path: ':memory:' })];
  const opened: DocumentStore[] = [];
  for (const backend of backends) {
    onTestFinished(() => backend.close());
    await backend.createDatabase('d');
    await backend.createContainer('d', { id: 'c', partitionKey: '/k', extra: EXTRA });
    const store = await backend.container('d', 'c');
    await store.bulk(items.map((document) => ({ type: 'create', document })));
    opened.push(store);
  }
  return opened;
}

const word = fc.constantFrom('river', 'lake', 'swim', 'bread', 'the', 'running');
const text = fc.oneof(
  { weight: 6, arbitrary: fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, 7) },
);
const vector = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 })) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, [1], [1, 2, 3]) },
);
const items = fc
  .array(fc.record({ k: fc.constantFrom('a', 'b'), t: text, v: vector }), { maxLength: 12 })
  .map((rows) =>
    rows.map(({ k, t, v }, n): Item => ({ id: String(n), k, n, ...(t === undefined ? {} : { t }), ...(v === undefined ? {} : { v }) })),
  );

type Score = { readonly terms: readonly string[] } | { readonly to: readonly number[] };

const score: fc.Arbitrary<Score> = fc.oneof(
  fc.record({ terms: fc.array(fc.constantFrom('river', 'lakes', 'swim', 'river lake', 'the'), { minLength: 1, maxLength: 3 }) }),
  fc.record({ to: fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 })) }),
);

function textOf(given: Score): string {
  return 'to' in given
    ? `VectorDistance(c.v, ${JSON.stringify(given.to)})`
    : `FullTextScore(c.t, ${given.terms.map((term) => JSON.stringify(term)).join(', ')})`;
}

function occurrences(words: readonly string[], term: string): number {
  const wanted = analyzerOf()(term);
  return wanted.length === 0 ? 0 : words.filter((_, at) => wanted.every((one, offset) => words[at + offset] === one)).length;
}

/** How badly each item fits: the least comes first. */
function penalties(all: readonly Item[], given: Score): (item: Item) => number {
  if ('to' in given) {
    return ({ v }) => (v === undefined ? undefined : vectorDistance(v, given.to, 'euclidean')) ?? Infinity;
  }
  const texts = all.flatMap(({ t }) => (typeof t === 'string' ? [analyzerOf()(t)] : []));
  const statistics = {
    documentCount: all.length,
    totalWordCount: texts.reduce((total, words) => total + words.length, 0),
    hitCounts: given.terms.map((term) => texts.filter((words) => occurrences(words, term) > 0).length),
  };
  return ({ t }) => {
    const words = typeof t === 'string' ? analyzerOf()(t) : undefined;
    return words === undefined
      ? Infinity
      : -bm25(
          given.terms.map((term) => occurrences(words, term)),
          words.length,
          statistics,
        );
  };
}

/** ORDER BY RANK once more, over arrays. */
function ranked(all: readonly Item[], chosen: readonly Item[], scores: readonly Score[], weights: readonly number[]): readonly number[] {
  const sums = new Map<Item, number>(chosen.map((item) => [item, 0]));
  for (const [index, given] of scores.entries()) {
    const penalty = penalties(all, given);
    const distinct = [...new Set(chosen.map((item) => penalty(item) + 0))].toSorted((left, right) => left - right);
    for (const item of chosen) {
      const rank = distinct.indexOf(penalty(item) + 0) + 1;
      sums.set(item, (sums.get(item) ?? 0) + (weights[index] ?? 1) / (60 + rank));
    }
  }
  return chosen.toSorted((left, right) => (sums.get(right) ?? 0) - (sums.get(left) ?? 0) || left.n - right.n).map(({ n }) => n);
}

async function pagesOf(store: DocumentStore, query: string, maxItemCount: number, partitionKey?: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  let continuation: string | undefined;
  do {
    const page = await store.query(query, { maxItemCount, continuation, partitionKey }).nextPage();
    found.push(...(page?.items ?? []));
    continuation = page?.continuation;
  } while (continuation !== undefined);
  return found;
}

describe('ORDER BY RANK', () => {
  test('orders as its definition does, on each store, page by page', { timeout: 30_000 }, async () => {
    const weights = fc.option(fc.tuple(fc.constantFrom(1, 2, -1, 0.5), fc.constantFrom(1, 3)), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        items,
        fc.array(score, { minLength: 1, maxLength: 2 }),
        weights,
        fc.boolean(),
        fc.integer({ min: 1, max: 5 }),
        async (all, scores, given, filtered, size) => {
          const fused = scores.length > 1;
          const by = fused
            ? `RRF(${[...scores.map(textOf), ...(given === undefined ? [] : [JSON.stringify(given)])].join(', ')})`
            : textOf(scores[0] as Score);
          const chosen = filtered ? all.filter(({ n }) => n > 2) : all;
          const expected = ranked(all, chosen, scores, fused ? (given ?? []) : []);
          const query = `SELECT VALUE c.n FROM c ${filtered ? 'WHERE c.n > 2 ' : ''}ORDER BY RANK ${by}`;
          for (const store of await stores(all)) {
            expect(await pagesOf(store, query, size), query).toEqual(expected);
            expect(await pagesOf(store, `${query} OFFSET 1 LIMIT 3`, size), query).toEqual(expected.slice(1, 4));
          }
        },
      ),
      { seed: 41, numRuns: 100 },
    );
  });

  test('counts the texts of other partitions, and of what the filter leaves out', async () => {
    const all: Item[] = [
      { id: '0', k: 'a', n: 0, t: 'lake' },
      { id: '1', k: 'a', n: 1, t: 'river' },
      ...Array.from({ length: 8 }, (_, index): Item => ({ id: `${index + 2}`, k: 'b', n: index + 2, t: 'lake bread' })),
    ];
    for (const store of await stores(all)) {
      const query = "SELECT VALUE c.n FROM c WHERE c.n < 2 ORDER BY RANK FullTextScore(c.t, 'lake', 'river')";
      expect(await pagesOf(store, query, 10, ['a'])).toEqual([1, 0]);
    }
  });

  test('leaves out rows without a value, which still have a rank', async () => {
    const all: Item[] = [
      { id: '0', k: 'a', n: 0, t: 'swim', v: [3, 3] },
      { id: '1', k: 'a', n: 1, t: 'swim swim', v: [2, 2] },
      { id: '2', k: 'b', n: 2, t: 'bread', v: [0, 0] },
    ];
    for (const store of await stores(all)) {
      const query =
        "SELECT VALUE c.n > 0 ? c.n : undefined FROM c ORDER BY RANK RRF(FullTextScore(c.t, 'swim'), VectorDistance(c.v, [0, 0]))";
      expect(await pagesOf(store, query, 1)).toEqual([1, 2]);
    }
  });

  test('refuses a parameter that holds no term', async () => {
    for (const store of await stores([])) {
      const failing = store
        .query({ query: 'SELECT * FROM c ORDER BY RANK FullTextScore(c.t, @t)', parameters: [{ name: '@t', value: 7 }] })
        .toArray();
      await expect(failing).rejects.toMatchObject({ code: 'QUERY_INVALID', details: { errors: [{ code: 'SC2241' }] } });
    }
  });

  test('refuses the continuation of another kind of query', async () => {
    const all = [1, 2, 3].map((n): Item => ({ id: String(n), k: 'a', n, t: 'swim', v: [n, n] }));
    for (const store of await stores(all)) {
      const query = "SELECT * FROM c ORDER BY RANK RRF(FullTextScore(c.t, 'swim'), VectorDistance(c.v, [0, 0]))";
      const continuation = (await store.query('SELECT * FROM c', { maxItemCount: 1 }).nextPage())?.continuation;
      expect(continuation).toBeDefined();
      await expect(store.query(query, { continuation }).nextPage()).rejects.toMatchObject({ code: 'INVALID_CONTINUATION' });
    }
  });
});

describe('ORDER BY VECTORDISTANCE', () => {
  test('has what is most alike first, by the policy, the options or the direction given, and what has no distance last', async () => {
    const all: Item[] = [
      { id: '0', k: 'a', n: 0 },
      { id: '1', k: 'a', n: 1, v: [4, 0] },
      { id: '2', k: 'b', n: 2, v: [1, 1] },
      { id: '3', k: 'b', n: 3, v: [1, 0, 0] },
    ];
    for (const store of await stores(all)) {
      for (const [by, expected] of [
        ['VectorDistance(c.v, [1, 0])', [2, 1, 0, 3]],
        ['VectorDistance(c.v, [1, 0]) DESC', [1, 2, 0, 3]],
        ["VectorDistance(c.v, [1, 0], true, {distanceFunction: 'cosine'})", [1, 2, 0, 3]],
        [
          "VectorDistance(c.v, [1, 0], false, {'distanceFunction': 'DotProduct', 'dataType': 'Float32', searchListSizeMultiplier: 10}) ASC",
          [2, 1, 0, 3],
        ],
      ] as const) {
        expect(await pagesOf(store, `SELECT VALUE c.n FROM c ORDER BY ${by}`, 1), by).toEqual(expected);
      }
    }
  });

  test('orders by vectors that no policy knows as by any expression: undefined first, or last where directions are turned around', async () => {
    const items = [{ id: '0' }, { id: '1', free: [4, 0] }, { id: '2', free: [1, 1] }].map((item) => ({
      ...item,
      k: 'a',
      n: Number(item.id),
    }));
    for (const store of await stores(items)) {
      const by = (rest: string): string => `SELECT VALUE c.n FROM c ORDER BY VectorDistance(c.free, [1, 0], true${rest}`;
      expect(await pagesOf(store, by(", {distanceFunction: 'euclidean'})"), 1)).toEqual([0, 2, 1]);
      expect(await pagesOf(store, by(", {distanceFunction: 'euclidean'}) DESC"), 1)).toEqual([1, 2, 0]);
      expect(await pagesOf(store, by(')'), 1)).toEqual([1, 2, 0]);
    }
  });

  test('refuses options that come as a parameter and do not fit', async () => {
    for (const store of await stores([])) {
      const query = 'SELECT * FROM c ORDER BY VectorDistance(c.v, [1], true, @o)';
      const failing = store.query({ query, parameters: [{ name: '@o', value: { searchListSizeMultiplier: 0 } }] }).toArray();
      await expect(failing).rejects.toMatchObject({ code: 'QUERY_INVALID', details: { errors: [{ code: 'SC2213' }] } });
    }
  });
});
