import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import type { Backend } from '../../src/store/backend.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { epkAt, spaceOf } from '../../src/store/hash-space.ts';
import type { EpkRange, QueryInput, QueryOptions } from '../../src/store/queries.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { openFreshPostgres } from '../support/open-postgres.ts';
import { arbitraryValue } from '../query/compile/arbitrary-document.ts';
import { arbitraryLanguage } from '../query/differential/arbitrary-language.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 23);
const DOCUMENTS = 120;
/** `hidden` is in no index; SQLite builds one for `n`, `kind` and the pair of them. */
const POLICY: JsonObject = {
  includedPaths: [{ path: '/*' }, { path: '/n/?' }, { path: '/kind/?' }, { path: '/tags/[]/?' }],
  excludedPaths: [{ path: '/hidden/*' }],
  compositeIndexes: [[{ path: '/kind' }, { path: '/n', order: 'descending' }]],
};

function documentOf(n: number): JsonObject & { readonly id: string } {
  const rest = n % 3 === 0 ? {} : { s: `text ${n}`, a: n % 4 };
  return { id: `d${n}`, pk: `p${n % 7}`, n: (n * 37) % DOCUMENTS, kind: `k${n % 5}`, tags: ['x', n % 2], hidden: n % 3, ...rest };
}

let backends: readonly Backend[];
let memory: DocumentStore;
let sqlite: DocumentStore;
let postgres: DocumentStore;
let containers = 0;

async function filled(backend: Backend, count: number): Promise<DocumentStore> {
  containers += 1;
  const id = `c${containers}`;
  await backend.createContainer('test', { id, partitionKey: '/pk', indexingPolicy: POLICY });
  const store = await backend.container('test', id);
  await store.bulk(Array.from({ length: count }, (_, n) => ({ type: 'create' as const, document: documentOf(n) })));
  return store;
}

beforeAll(async () => {
  const runtime = new SimulatedRuntime({ seed: 1 });
  backends = [openMemoryBackend({ runtime }), await openSqliteBackend({ path: ':memory:', runtime }), await openFreshPostgres({ runtime })];
  await Promise.all(backends.map((backend) => backend.createDatabase('test')));
  [memory, sqlite, postgres] = (await Promise.all(backends.map((backend) => filled(backend, DOCUMENTS)))) as [
    DocumentStore,
    DocumentStore,
    DocumentStore,
  ];
});
afterAll(() => Promise.all(backends.map((backend) => backend.close())));

interface Charge {
  readonly units: number;
  readonly pages: number;
  readonly items: number;
}

/** What a query costs until its last page. */
async function chargeOf(store: DocumentStore, query: QueryInput, options: QueryOptions = {}): Promise<Charge> {
  let [units, pages, items] = [0, 0, 0];
  for await (const page of store.query(query, options).pages()) {
    expect(page.requestUnits).toBeGreaterThan(0);
    units += page.requestUnits;
    pages += 1;
    items += page.items.length;
  }
  return { units, pages, items };
}

/** Each page is rounded to a hundredth, and costs one at least. */
function expectSame(found: Charge, expected: Charge): void {
  expect(found.items).toBe(expected.items);
  expect(Math.abs(found.units - expected.units)).toBeLessThanOrEqual(0.01 * (found.pages + expected.pages) + 1e-9);
}

/** The hash space in equal ranges. */
function ranges(count: number): readonly EpkRange[] {
  const definition = { paths: ['/pk'], kind: 'Hash', version: 2 } as const;
  const edges = Array.from({ length: count - 1 }, (_, at) => epkAt((spaceOf(definition) * BigInt(at + 1)) / BigInt(count), definition));
  const all = ['', ...edges, 'FF'];
  return all.slice(0, -1).map((min, at) => ({ min, max: all[at + 1] as string }));
}

const STREAMED = [
  'SELECT * FROM c',
  'SELECT c.id, c.n FROM c WHERE c.n < 60',
  'SELECT VALUE c.n FROM c WHERE c.kind = "k1" AND c.n > 100',
  'SELECT VALUE c.id FROM c WHERE c.hidden = 1',
  'SELECT * FROM c WHERE LOWER(c.s) = "text 7" OR c.hidden = 2',
  'SELECT c.id, t FROM c JOIN t IN c.tags WHERE t != 0',
  'SELECT VALUE c.a FROM c WHERE c.kind IN ("k1", "k2") AND ABS(c.n) < 100',
  'SELECT * FROM c WHERE c.pk = "p3"',
];
const WHOLE = [
  'SELECT VALUE c.id FROM c ORDER BY c.n',
  'SELECT * FROM c WHERE c.kind = "k2" ORDER BY c.n DESC',
  'SELECT * FROM c WHERE c.hidden = 2 ORDER BY c.n',
  'SELECT TOP 30 c.id FROM c ORDER BY c.kind, c.n DESC',
  'SELECT VALUE c.id FROM c ORDER BY c.n OFFSET 50 LIMIT 50',
  'SELECT VALUE c.id FROM c ORDER BY c.n OFFSET 1000 LIMIT 50',
  'SELECT DISTINCT c.kind, c.a FROM c',
  'SELECT DISTINCT VALUE c.a FROM c ORDER BY c.a',
  'SELECT c.kind, COUNT(1) AS n FROM c WHERE c.n < 90 GROUP BY c.kind',
  'SELECT VALUE COUNT(1) FROM c WHERE c.n < 90',
  'SELECT VALUE SUM(c.n) FROM c WHERE c.hidden = 0',
  'SELECT TOP 7 * FROM c WHERE c.hidden = 0',
  'SELECT * FROM c OFFSET 20 LIMIT 30',
  'SELECT VALUE 1',
];

describe('the charge of a query', () => {
  test.each([...STREAMED, ...WHOLE])('is that of memory on SQLite and PostgreSQL, in pages of any size: %s', async (query) => {
    const whole = await chargeOf(memory, query, { maxItemCount: 1000 });
    for (const store of [memory, sqlite, postgres]) {
      for (const maxItemCount of [1000, 50, 7]) {
        expectSame(await chargeOf(store, query, { maxItemCount }), whole);
      }
      for (const partitionKey of ['p2', 'none']) {
        expectSame(await chargeOf(store, query, { maxItemCount: 7, partitionKey }), await chargeOf(memory, query, { partitionKey }));
      }
    }
  });

  test.each(STREAMED)('is the same asked by ranges as at once: %s', async (query) => {
    const whole = await chargeOf(memory, query, { maxItemCount: 1000 });
    for (const store of [memory, sqlite, postgres]) {
      for (const [count, maxItemCount] of [
        [2, 1000],
        [5, 7],
      ] as const) {
        const parts = await Promise.all(ranges(count).map((range) => chargeOf(store, query, { range, maxItemCount })));
        const sum = (of: (part: Charge) => number): number => parts.reduce((total, part) => total + of(part), 0);
        expectSame({ units: sum(({ units }) => units), pages: sum(({ pages }) => pages), items: sum(({ items }) => items) }, whole);
      }
    }
  });

  test('does not change with the indexes that SQLite has built by then', async () => {
    const [, backend] = backends as [Backend, Backend];
    const store = await filled(backend, DOCUMENTS);
    for (const query of [...STREAMED, ...WHOLE]) {
      const first = await chargeOf(store, query, { maxItemCount: 20 });
      expect(await chargeOf(store, query, { maxItemCount: 20 })).toEqual(first);
      expectSame(first, await chargeOf(sqlite, query, { maxItemCount: 20 }));
    }
  });

  test('grows with what is there to read and to return', async () => {
    const [backend] = backends as [Backend];
    const small = await filled(backend, DOCUMENTS / 4);
    for (const query of STREAMED) {
      const [less, more] = [await chargeOf(small, query), await chargeOf(memory, query)];
      expect(more.units).toBeGreaterThan(less.units);
    }
    const scan = await chargeOf(memory, 'SELECT VALUE c.id FROM c WHERE c.hidden = 9');
    const seek = await chargeOf(memory, 'SELECT VALUE c.id FROM c WHERE c.n = -1');
    expect([scan.units, seek.units]).toEqual([3.5, 2.3]);
    // 2.3 for the query, 1.2 for the documents, 0.02 for the item and 0.01 for its bytes.
    expect((await chargeOf(sqlite, 'SELECT VALUE COUNT(1) FROM c')).units).toBe(3.53);
  });

  test('is that of memory on SQLite and PostgreSQL for random queries', async () => {
    const values = fc.record({ '@p0': arbitraryValue, '@p1': arbitraryValue, '@p2': arbitraryValue });
    await fc.assert(
      fc.asyncProperty(arbitraryLanguage, values, fc.constantFrom(3, 1000), async (query, given, maxItemCount) => {
        const parameters = Object.entries(given).map(([name, value]): { name: string; value: JsonValue } => ({ name, value }));
        const outcome = async (store: DocumentStore): Promise<Charge | string> => {
          try {
            return await chargeOf(store, { query, parameters }, { maxItemCount });
          } catch (error) {
            if (isPerigeeError(error)) {
              return error.code;
            }
            throw error;
          }
        };
        const expected = await outcome(memory);
        for (const store of [sqlite, postgres]) {
          const found = await outcome(store);
          if (typeof expected === 'string' || typeof found === 'string') {
            expect(found).toBe(expected);
          } else {
            expectSame(found, expected);
          }
        }
      }),
      { seed, numRuns: Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 100) },
    );
  });
});
