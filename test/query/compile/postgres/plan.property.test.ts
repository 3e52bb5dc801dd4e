import type { SqlPlan } from '../../../../src/query/compile/common/sql-plan.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { equalValues } from '../../../../src/core/json-order.ts';
import { isPerigeeError } from '../../../../src/core/errors.ts';
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '../../../../src/core/json.ts';
import { docExpression, isOddText } from '../../../../src/query/compile/postgres/odd-documents.ts';
import { compilePostgresPlan } from '../../../../src/query/compile/postgres/postgres-plan.ts';
import { prepareQuery } from '../../../../src/query/prepare-query.ts';
import type { Backend } from '../../../../src/store/backend.ts';
import type { DocumentStore } from '../../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../../../src/testing/simulated-runtime.ts';
import { arbitrarySimpleText } from '../arbitrary-condition.ts';
import { arbitraryBody, arbitraryValue } from '../arbitrary-document.ts';
import { arbitraryQueryText } from '../arbitrary-query-text.ts';
import { storeRegressions } from '../store-regressions.ts';
import { COLUMNS, PostgresHarness } from './postgres-harness.ts';

const QUERIES = 10;
const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / QUERIES);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

let harness: PostgresHarness;
let memory: Backend;
let containers = 0;
beforeAll(async () => {
  harness = await PostgresHarness.open();
  memory = openMemoryBackend({ runtime: new SimulatedRuntime({ seed: 1 }) });
  await memory.createDatabase('test');
}, 120_000);
afterAll(async () => {
  await harness.close();
  await memory.close();
});

/** The documents in both, the place of each in `place`. */
async function fill(bodies: readonly JsonObject[]): Promise<DocumentStore> {
  await harness.fill(bodies.map((body, index) => ({ ...body, id: `d${index}`, place: index })));
  containers += 1;
  await memory.createContainer('test', { id: `c${containers}`, partitionKey: '/pk' });
  const store = await memory.container('test', `c${containers}`);
  let ts = 0;
  for (const document of harness.documents) {
    ({ ts } = await store.create(document as JsonObject & { readonly id: string }));
  }
  // The clock stands still meanwhile.
  await harness.rows('UPDATE documents SET ts = ?::bigint', [ts]);
  return store;
}

function planOf(text: string, values: Readonly<Record<string, JsonValue>>): SqlPlan {
  const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
  return compilePostgresPlan(prepareQuery(text), parameters, { columns: COLUMNS });
}

async function itemsOf(store: DocumentStore, text: string, values: Readonly<Record<string, JsonValue>>): Promise<readonly JsonValue[]> {
  const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
  return store.query<JsonValue>({ query: text, parameters }).toArray();
}

const parameterValues = fc.record({ '@p0': arbitraryValue, '@p1': arbitraryValue, '@p2': arbitraryValue });
const documentList = fc.array(arbitraryBody, { minLength: 1, maxLength: 30, size: 'max' });

describe(`plans of PostgreSQL (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const key = fc.constantFrom('c.a', 'c.n', 'c.s', 'c.b', 'c.o.a', 'c.list[0]', 'c["a b"]', 'c.id', 'c["it\'s"]', 'c["q\\"q"]', 'c["\\n"]');
  const order = fc.array(fc.tuple(key, fc.constantFrom('', ' DESC')), { minLength: 1, maxLength: 3 });

  test('ORDER BY puts documents in the order of the language, but for those whose place it does not tell', async () => {
    const counts = { ordered: 0, told: 0, documents: 0 };
    await fc.assert(
      fc.asyncProperty(
        documentList,
        fc.array(fc.tuple(order, fc.option(arbitrarySimpleText, { nil: 'true' })), { minLength: QUERIES, maxLength: QUERIES }),
        async (bodies, queries) => {
          const store = await fill(bodies);
          for (const [keys, where] of queries) {
            const text = `SELECT VALUE c.place FROM c WHERE ${where} ORDER BY ${keys.map((parts) => parts.join('')).join(', ')}`;
            const { orderBy, filter, whereIsExact } = planOf(text, {});
            if (orderBy === undefined) {
              continue;
            }
            counts.ordered += 1;
            const expected = await itemsOf(store, text, {});
            const rows = await harness.rows(
              `SELECT ordinal FROM documents WHERE (${orderBy.unless.sql}) IS NOT TRUE AND ${filter?.sql ?? 'TRUE'} ORDER BY ${orderBy.sql}`,
              [...orderBy.unless.parameters, ...(filter?.parameters ?? []), ...orderBy.parameters],
            );
            const told = await harness.rows(
              `SELECT ordinal FROM documents WHERE (${orderBy.unless.sql}) IS NOT TRUE`,
              orderBy.unless.parameters,
            );
            const toldPlaces = told.map(([ordinal]) => Number(ordinal));
            const kept = rows.map(([ordinal]) => Number(ordinal));
            const wanted = expected.filter((place) => toldPlaces.includes(place as number));
            expect(whereIsExact ? kept : kept.filter((place) => expected.includes(place)), `${text} ${orderBy.sql}`).toEqual(wanted);
            counts.told += toldPlaces.length;
            counts.documents += bodies.length;
            if (orderBy.exact) {
              const odd = harness.documents.filter((document) => isOddText(JSON.stringify(document)));
              expect(toldPlaces.length).toBe(bodies.length - odd.length);
            }
          }
        },
      ),
      { seed, numRuns },
    );
    expect(counts.ordered, JSON.stringify(counts)).toBeGreaterThan(numRuns * 5);
    expect(counts.told / counts.documents, JSON.stringify(counts)).toBeGreaterThan(0.3);
  }, 600_000);

  /** Compares what the plan of a query counts, and cuts out, with what the query gives on memory. */
  async function compare(
    store: DocumentStore,
    text: string,
    values: Readonly<Record<string, JsonValue>>,
  ): Promise<'counts' | 'properties' | 'none'> {
    const { aggregates, projection } = planOf(text, values);
    if (aggregates !== undefined) {
      const expected = await itemsOf(store, text, values);
      const merger = aggregates.merger();
      for (const half of [0, 1]) {
        const rows = await harness.rows(
          `SELECT ${aggregates.columns.join(', ')} FROM documents WHERE ordinal % 2 = ${half} AND ${aggregates.filter?.sql ?? 'TRUE'}`,
          [...aggregates.parameters, ...(aggregates.filter?.parameters ?? [])],
        );
        merger.add(rows[0] as readonly string[]);
      }
      expect(merger.result() ?? expected, `${text} ${aggregates.columns.join(', ')}`).toEqual(expected);
      const odd = harness.documents.some((document) => isOddText(JSON.stringify(document)));
      expect(odd || merger.result() !== undefined).toBe(true);
      return 'counts';
    }
    if (projection === undefined || projection.columns.length === 0) {
      return 'none';
    }
    const rows = await harness.rows(`SELECT doc IS NULL, ${projection.columns.join(', ')} FROM documents ORDER BY ordinal`, []);
    for (const [index, [isOdd, ...cells]] of rows.entries()) {
      for (const [column, path] of projection.paths.entries()) {
        let value: JsonValue | undefined = harness.documents[index] as JsonObject;
        for (const name of path) {
          value = isJsonObject(value) ? getOwn(value, name) : undefined;
        }
        const cell = cells[column];
        const actual = typeof cell === 'string' ? JSON.stringify(JSON.parse(cell)) : undefined;
        expect(actual, projection.columns[column]).toBe(isOdd === true ? undefined : JSON.stringify(value));
      }
    }
    return 'properties';
  }

  test('counts are those of the language, and properties are cut out as they were written', async () => {
    const counts = { counts: 0, properties: 0, none: 0, invalid: 0 };
    const count = fc
      .tuple(fc.constantFrom('1', 'c.a', 'c.n', 'c.list[0]', 'c.o', 'c.s || "x"', 'c.n + 1'), arbitrarySimpleText)
      .map(([argument, where]) => `SELECT COUNT(${argument}) AS n, COUNT(1) AS m FROM c WHERE ${where}`);
    const texts = fc.oneof(arbitraryQueryText, count);
    await fc.assert(
      fc.asyncProperty(
        documentList,
        fc.array(fc.tuple(texts, parameterValues), { minLength: QUERIES, maxLength: QUERIES }),
        async (bodies, queries) => {
          const store = await fill(bodies);
          for (const [text, values] of queries) {
            try {
              counts[await compare(store, text, values)] += 1;
            } catch (error) {
              if (!isPerigeeError(error) || !error.code.startsWith('QUERY_')) {
                throw error;
              }
              counts.invalid += 1;
            }
          }
        },
      ),
      { seed, numRuns },
    );
    const detail = JSON.stringify(counts);
    expect(counts.counts, detail).toBeGreaterThan(numRuns);
    expect(counts.properties, detail).toBeGreaterThan(numRuns);
  }, 600_000);

  test.each(storeRegressions.map((regression) => [regression.what, regression] as const))('%s', async (_, { text, values, documents }) => {
    await compare(await fill(documents), text, values ?? {});
  });

  test('odd documents are told alike by the text in both, and all others are what they were in jsonb', async () => {
    const unit = fc.constantFrom(
      '\\',
      'u',
      '0',
      '00',
      'd',
      'ud',
      'u0000',
      '"',
      'x',
      '\u0000',
      '\u0001',
      '\u001f',
      '\u007f',
      'é',
      '😀',
      '\ud800',
      '\udc00',
      '\uffff',
    );
    const text = fc.string({ unit, maxLength: 6 });
    const value = fc.oneof(
      arbitraryValue,
      text,
      fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true })), { maxKeys: 3 }),
    );
    const counts = { odd: 0, others: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 30 }), async (values) => {
        const bodies = values.map((member) => JSON.stringify({ x: member }));
        const rows = await harness.rows(`SELECT ${docExpression('body')} FROM unnest(?::text[]) AS b(body)`, [bodies]);
        for (const [index, [doc]] of rows.entries()) {
          const body = bodies[index] as string;
          expect(doc === null, body).toBe(isOddText(body));
          counts[doc === null ? 'odd' : 'others'] += 1;
          expect(doc === null || equalValues(doc as JsonValue, JSON.parse(body) as JsonValue), body).toBe(true);
        }
      }),
      { seed, numRuns: numRuns * 3 },
    );
    expect(Math.min(counts.odd, counts.others), JSON.stringify(counts)).toBeGreaterThan(numRuns);
  });

  test('the order of the digits of doubles is their order, and equal digits are equal doubles', async () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(double, double), { minLength: 50, maxLength: 200 }), async (pairs) => {
        const all = pairs.flatMap(([one, other]) => [
          [one, other],
          [one, one],
          [one, one * (1 + Number.EPSILON)],
        ]);
        const text = (column: number): readonly string[] =>
          all.map((pair) => JSON.stringify(Number.isFinite(pair[column]) ? pair[column] : 0));
        const rows = await harness.rows(
          'SELECT a < b, a = b, a::float8::text, b::float8::text FROM unnest(?::jsonb[], ?::jsonb[]) AS p(a, b)',
          [text(0), text(1)],
        );
        for (const [index, [less, equal, one, other]] of rows.entries()) {
          const [left, right] = [Number(text(0)[index]), Number(text(1)[index])];
          expect([less, equal, Number(one), Number(other)]).toEqual([left < right, left === right, left, right]);
        }
      }),
      { seed, numRuns: Math.ceil(numRuns / 4) },
    );
  });
});
