import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import { openForcedPostgres, openFreshPostgres } from '../../../support/open-postgres.ts';
import { createAll, outcomeOf } from '../../indexed-queries.ts';

const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / 33);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261130);

const POLICY: JsonObject = {
  includedPaths: ['/*', '/tags/[]/?', '/items/[]/sku/?', '/items/[]/size/?', '/o/list/[]/?', '/rank/?', '/lower/[]/?'].map((path) => ({
    path,
  })),
  excludedPaths: [],
};
/** It hides an array that some documents have under the same name. */
const COMPUTED = [{ name: 'lower', query: 'SELECT VALUE ARRAY_CONCAT(c.tags, ["computed"]) FROM c' }];

const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<JsonValue>('a', 'b', 'c', '', 'A', 'é', '1') },
  { weight: 3, arbitrary: fc.constantFrom<JsonValue>(1, 0, -0, 2.5, 1e21, 9007199254740992, 5e-324) },
  { weight: 2, arbitrary: fc.constantFrom<JsonValue>(null, true, false) },
  { weight: 1, arbitrary: fc.constantFrom<JsonValue>('x\u0000y', 'w'.repeat(3000), '__proto__') },
);
const item: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ sku: scalar, size: scalar }, { requiredKeys: [] }) as fc.Arbitrary<JsonObject> },
  { weight: 1, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.record({ sku: fc.record({ a: scalar }), more: scalar }) as fc.Arbitrary<JsonObject> },
);
const tags: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 6, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(item, { maxLength: 3 }) },
  { weight: 2, arbitrary: scalar },
  { weight: 1, arbitrary: fc.record({ a: scalar }) as fc.Arbitrary<JsonObject> },
);
const body: fc.Arbitrary<JsonObject> = fc.record(
  {
    tags,
    items: fc.oneof(fc.array(item, { maxLength: 3 }), item),
    o: fc.record({ list: tags }),
    rank: fc.integer({ min: 0, max: 4 }),
    lower: tags,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

const literal: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: scalar.filter((one) => typeof one !== 'string' || one.length < 100).map((one) => JSON.stringify(one)) },
  { weight: 3, arbitrary: fc.constantFrom('@p0', '@p1') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'undefined',
      '{"sku": "a"}',
      '{"sku": 1, "size": null}',
      '["a"]',
      '{}',
      '[]',
      '9007199254740993',
      '-1.5',
      'c.rank',
    ),
  },
);
const array = fc.constantFrom(
  'c.tags',
  'c.tags',
  'c.tags',
  'c.tags',
  'c.o.list',
  'c.items',
  'c.items',
  'c.items',
  'c.lower',
  'c.missing',
  'c.tags[0]',
);
const element = fc.oneof(
  fc.tuple(fc.constantFrom('t', 't', 't.sku', 't.size', 't["sku"].a'), literal).map(([t, v]) => `${t} = ${v}`),
  fc.tuple(fc.constantFrom('t', 't.sku'), literal, literal).map(([t, v, w]) => `${t} IN (${v}, ${w})`),
  fc.tuple(literal, literal).map(([v, w]) => `(t = ${v} OR ${w} = t.sku)`),
  fc.tuple(literal, literal).map(([v, w]) => `t.sku = ${v} AND t.size != ${w}`),
  literal.map((v) => `t != ${v}`),
);
const exists = fc.oneof(
  fc
    .tuple(fc.constantFrom('VALUE t', 'VALUE 1', 't.sku', 'VALUE COUNT(1)', 'TOP 1 VALUE t'), array, element)
    .map(([what, a, e]) => `EXISTS(SELECT ${what} FROM t IN ${a} WHERE ${e})`),
  fc.tuple(array, array, element).map(([a, b, e]) => `EXISTS(SELECT VALUE t FROM t IN ${a} JOIN u IN ${b} WHERE ${e} AND u != t)`),
  fc.tuple(array, element).map(([a, e]) => `EXISTS(SELECT VALUE u FROM (SELECT VALUE t FROM t IN ${a} WHERE ${e}) AS u)`),
);
const call = fc.oneof(
  fc.tuple(array, literal).map(([a, v]) => `ARRAY_CONTAINS(${a}, ${v})`),
  fc.tuple(array, literal, fc.constantFrom('true', 'false', '@p0')).map((parts) => `ARRAY_CONTAINS(${parts.join(', ')})`),
  fc
    .tuple(fc.constantFrom('ARRAY_CONTAINS_ANY', 'ARRAY_CONTAINS_ALL'), array, literal, literal)
    .map(([f, ...rest]) => `${f}(${rest.join(', ')})`),
);
const part = fc.oneof(
  { weight: 3, arbitrary: call },
  { weight: 3, arbitrary: exists },
  { weight: 1, arbitrary: fc.constantFrom('c.rank = 2', 'c.rank > 1') },
);
const where = fc.oneof(
  { weight: 4, arbitrary: part },
  { weight: 3, arbitrary: fc.tuple(part, fc.constantFrom('AND', 'OR', 'AND NOT'), part).map(([a, o, b]) => `${a} ${o} (${b})`) },
  { weight: 1, arbitrary: fc.tuple(part, part, part).map(([a, b, d]) => `(${a} OR ${b}) AND ${d}`) },
  { weight: 1, arbitrary: part.map((one) => `NOT (${one})`) },
);
const query: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(where, fc.constantFrom('', '', ' ORDER BY c.rank', ' ORDER BY c.rank DESC'))
      .map(([w, order]) => `SELECT * FROM c WHERE ${w}${order}`),
  },
  { weight: 1, arbitrary: where.map((w) => `SELECT VALUE COUNT(1) FROM c WHERE ${w}`) },
  { weight: 1, arbitrary: where.map((w) => `SELECT c.rank, COUNT(1) AS n FROM c WHERE ${w} GROUP BY c.rank`) },
  { weight: 3, arbitrary: fc.tuple(array, element).map(([a, e]) => `SELECT c.id, t FROM c JOIN t IN ${a} WHERE ${e}`) },
  {
    weight: 1,
    arbitrary: fc.tuple(array, element, part).map(([a, e, p]) => `SELECT VALUE COUNT(1) FROM c JOIN t IN ${a} WHERE ${e} AND ${p}`),
  },
  { weight: 1, arbitrary: element.map((e) => `SELECT VALUE t FROM t IN c.tags WHERE ${e}`) },
  {
    weight: 1,
    arbitrary: fc.tuple(array, element).map(([a, e]) => `SELECT c.id, u FROM c JOIN (SELECT VALUE t FROM t IN ${a} WHERE ${e}) AS u`),
  },
  { weight: 1, arbitrary: where.map((w) => `SELECT VALUE d.id FROM (SELECT * FROM c WHERE ${w}) AS d`) },
);

describe(`queries over indexes of arrays (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const backends: Backend[] = [];
  const counts = { array: 0, other: 0, rows: 0 };
  let containers = 0;

  beforeAll(async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    backends.push(openMemoryBackend({ runtime }), await openForcedPostgres('-c enable_seqscan=off -c enable_indexscan=off', { runtime }));
    await Promise.all(backends.map((backend) => backend.createDatabase('test')));
  });
  afterAll(() => Promise.all(backends.map((backend) => backend.close())));

  async function storesWith(bodies: readonly JsonObject[]): Promise<readonly DocumentStore[]> {
    containers += 1;
    return Promise.all(
      backends.map(async (backend) => {
        const id = `c${containers}`;
        await backend.createContainer('test', { id, partitionKey: '/pk', indexingPolicy: POLICY, computedProperties: COMPUTED });
        const store = await backend.container('test', id);
        await createAll(store, bodies);
        return store;
      }),
    );
  }

  test('give what the evaluator gives, in its order, whatever the size of the pages', { timeout: 900_000 }, async () => {
    const aQuery = fc.record({
      text: query,
      values: fc.record({ '@p0': scalar, '@p1': fc.oneof(scalar, item) }),
      maxItemCount: fc.constantFrom(1, 3, 100),
      partitionKey: fc.constantFrom<JsonValue>('all', 'all', 'all', 'p1'),
    });
    const documents = fc.array(body, { minLength: 1, maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(documents, fc.array(aQuery, { minLength: 20, maxLength: 20 }), async (bodies, queries) => {
        const [memory, postgres] = (await storesWith(bodies)) as readonly [DocumentStore, DocumentStore];
        for (const one of queries) {
          const expected = await outcomeOf(memory, one);
          counts.rows += expected.startsWith('[{') ? 1 : 0;
          const found = await outcomeOf(postgres, one);
          if (found !== expected) {
            expect(found, JSON.stringify(one)).toBe(expected);
          }
          if (!expected.startsWith('QUERY')) {
            const parameters = Object.entries(one.values).map(([name, given]) => ({ name, value: given }));
            const { indexes } = await postgres.explain({ query: one.text, parameters });
            counts[indexes.some((index) => index.endsWith('/[]')) ? 'array' : 'other'] += 1;
          }
        }
        await Promise.all(backends.map((backend) => backend.deleteContainer('test', `c${containers}`)));
      }),
      { seed, numRuns },
    );
    expect(counts.array / (counts.array + counts.other), JSON.stringify(counts)).toBeGreaterThan(0.2);
    expect(counts.rows, JSON.stringify(counts)).toBeGreaterThan(numRuns);
  });
});

describe('an index of an array', () => {
  test.each<readonly [text: string, index: string, rows: number]>([
    ['SELECT * FROM c WHERE ARRAY_CONTAINS(c.tags, "t7")', '/tags/[]', 10],
    ['SELECT * FROM c WHERE ARRAY_CONTAINS(c.tags, @v)', '/tags/[]', 10],
    ['SELECT * FROM c WHERE ARRAY_CONTAINS_ANY(c.tags, "t7", "t8")', '/tags/[]', 20],
    ['SELECT * FROM c WHERE ARRAY_CONTAINS(c.items, {"sku": "s7"}, true)', '/items/[]', 10],
    ['SELECT * FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = "t7")', '/tags/[]', 10],
    ['SELECT * FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.items WHERE t.sku = "s7" AND t.size > 1)', '/items/[]', 10],
    ['SELECT c.id, t FROM c JOIN t IN c.tags WHERE t IN ("t7", "t8")', '/tags/[]', 20],
    ['SELECT VALUE COUNT(1) FROM c JOIN t IN c.tags WHERE t = "t7"', '/tags/[]', 1],
    ['SELECT VALUE t FROM t IN c.tags WHERE t = "t7"', '/tags/[]', 10],
  ])('leads PostgreSQL to the documents: %s', async (text, index, rows) => {
    const store = await (filled ??= fill());
    const input = { query: text, parameters: [{ name: '@v', value: 't7' }] };
    const { access, indexes, itemsReturned, documentsScanned, measured } = await store.explain(input, { analyze: true });
    expect({ access, indexes, itemsReturned }).toEqual({ access: 'index', indexes: [index], itemsReturned: rows });
    expect(documentsScanned).toBeLessThanOrEqual(20);
    expect(measured?.documentsRead).toBeLessThanOrEqual(20);
  });

  test('is not read where it says nothing, or where most documents pass', async () => {
    const store = await (filled ??= fill());
    for (const text of [
      'SELECT * FROM c WHERE ARRAY_CONTAINS(c.tags, "all")',
      'SELECT * FROM c WHERE NOT ARRAY_CONTAINS(c.tags, "t7")',
      'SELECT * FROM c WHERE ARRAY_CONTAINS(c.tags, "t7") OR c.n > 3',
      'SELECT * FROM c WHERE EXISTS(SELECT VALUE COUNT(1) FROM t IN c.tags WHERE t = "t7")',
      'SELECT * FROM c WHERE ARRAY_CONTAINS(c.other, "t7")',
    ]) {
      expect([text, (await store.explain(text)).indexes]).toEqual([text, []]);
    }
  });

  let filled: Promise<DocumentStore> | undefined;
  let backend: Awaited<ReturnType<typeof openFreshPostgres>> | undefined;
  afterAll(() => backend?.close());

  /** 2,000 documents; the indexes are made afterwards, and PostgreSQL knows how their values are spread. */
  async function fill(): Promise<DocumentStore> {
    backend = await openFreshPostgres();
    await backend.createDatabase('test');
    await backend.createContainer('test', { id: 'items', partitionKey: '/pk' });
    const store = await backend.container('test', 'items');
    await store.bulk(
      Array.from({ length: 2000 }, (_, n) => ({
        type: 'create' as const,
        document: {
          id: `d${n}`,
          pk: 'p',
          n,
          tags: [`t${n % 200}`, 'all'],
          items: [{ sku: `s${n % 200}`, size: 2 }],
          fill: 'x'.repeat(100),
        },
      })),
    );
    await backend.replaceContainer('test', { id: 'items', partitionKey: '/pk', indexingPolicy: POLICY });
    await backend.indexesReady();
    expect((await backend.indexStatus()).map(({ index, kind }) => `${kind} ${index}`)).toEqual([
      'range /rank',
      'array /tags/[]',
      'array /items/[]',
      'array /o/list/[]',
      'array /lower/[]',
    ]);
    return store;
  }
});
