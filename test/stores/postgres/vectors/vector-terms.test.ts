import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.ts';
import { vectorDistance } from '../../../../src/query/functions/vector/vector-distance.ts';
import { statementOf, type Reading } from '../../../../src/stores/postgres/scan-scope.ts';
import { nearestStatement, type NearestRead } from '../../../../src/stores/postgres/vectors/nearest-read.ts';
import { findVectorExtension } from '../../../../src/stores/postgres/vectors/vector-extension.ts';
import { vectorFunction } from '../../../../src/stores/postgres/vectors/vector-function.ts';
import { vectorTerms, type VectorKey, type VectorTerms } from '../../../../src/stores/postgres/vectors/vector-index.ts';

const PREFIX = 'cat';
const EXTENSION = { schema: 'ext', version: [0, 8] } as const;
const DIMENSIONS = 3;

let db: PGlite;

function termsOf(key: Partial<VectorKey> = {}): VectorTerms {
  return vectorTerms({ path: ['v'], dimensions: DIMENSIONS, distance: 'euclidean', ...key }, EXTENSION, PREFIX) as VectorTerms;
}

/** One table for all tests: a transaction that is undone takes away what one has added. */
async function undone<T>(work: () => Promise<T>): Promise<T> {
  await db.exec('BEGIN');
  try {
    return await work();
  } finally {
    await db.exec('ROLLBACK');
  }
}

beforeAll(async () => {
  db = await PGlite.create({ extensions: { vector } });
  await db.exec(`CREATE SCHEMA ext; CREATE EXTENSION vector SCHEMA ext; CREATE SCHEMA ${PREFIX}; ${vectorFunction(PREFIX).join(';')};
    CREATE TABLE documents (ordinal bigint PRIMARY KEY, doc jsonb)`);
  for (const [at, distance] of (['cosine', 'dotproduct', 'euclidean'] as const).entries()) {
    await db.exec(`CREATE INDEX c1_x${at} ON documents ${termsOf({ distance }).method}`);
  }
}, 60_000);

afterAll(() => db.close());

/** One document for each value; its ordinal is its place. */
async function insert(values: readonly JsonValue[]): Promise<void> {
  await db.query(
    `INSERT INTO documents SELECT place - 1, jsonb_build_object('v', value) FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS v(value, place)`,
    [JSON.stringify(values)],
  );
}

/** What the index takes: so many numbers. */
function isTaken(value: JsonValue): boolean {
  return Array.isArray(value) && value.length === DIMENSIONS && value.every((one) => typeof one === 'number');
}

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, 1e15, 999_999_999_999_999, 1e-45, 5e-324, 1.797e308, 0.1),
);
const anyElement = fc.oneof({ weight: 9, arbitrary: anyNumber }, { weight: 1, arbitrary: fc.jsonValue() });
const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.array(anyElement, { minLength: DIMENSIONS, maxLength: DIMENSIONS }) },
  { weight: 1, arbitrary: fc.array(anyNumber, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
) as fc.Arbitrary<JsonValue>;

describe('the vector of a document, by the extension of PGlite', () => {
  test('is found where it lies', async () => {
    const found = await findVectorExtension(async ({ text }) => (await db.query(text)).rows as never);
    expect(found?.schema).toBe('ext');
  });

  test('is there for so many numbers, bounded where they are beyond 15 digits, and no index refuses anything else', async () => {
    const { vector: expression, isWhole } = termsOf();
    const bounded = (one: number): number => (Math.abs(one) < 1e15 ? one : Math.sign(one) * 999_999_999_999_999);
    await fc.assert(
      fc.asyncProperty(fc.array(anyValue, { minLength: 1, maxLength: 20 }), async (values) => {
        // `jsonb` has no place for these; such documents are odd and have no `doc`.
        const told = values.filter((value) => !/\\u0000|\\ud/u.test(JSON.stringify(value)));
        await undone(async () => {
          await insert(told);
          const { rows } = await db.query<{ vector: string | null; whole: boolean | null }>(
            `SELECT ${expression}::text AS vector, ${isWhole} AS whole FROM documents ORDER BY ordinal`,
          );
          for (const [at, { vector: found, whole }] of rows.entries()) {
            const value = told[at] as JsonValue;
            if (isTaken(value)) {
              const plain = (numbers: readonly number[]): readonly number[] => numbers.map((one) => Math.fround(one) + 0);
              expect(plain(JSON.parse(found as string) as number[])).toEqual(plain((value as number[]).map(bounded)));
              expect(whole).toBe((value as number[]).every((one) => Math.abs(one) < 1e15));
            } else {
              expect([found, whole]).toEqual([null, null]);
            }
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  test.each(['cosine', 'dotproduct', 'euclidean'] as const)('leads to the nearest by %s in the order of the index', async (distance) => {
    const terms = termsOf({ distance });
    const target = [1, -0.5, 2];
    const nearest = { terms, target, candidates: 5 } as unknown as NearestRead;
    const reading = { documents: 'documents', condition: { sql: 'doc IS NOT NULL', parameters: [] } } as unknown as Reading;
    const { text, values } = statementOf(nearestStatement(nearest, reading));
    await undone(async () => {
      const vectors = Array.from({ length: 200 }, (_, n) => [Math.sin(n), Math.cos(3 * n), Math.sin(7 * n)]);
      await insert([...vectors, 'none', [1, 2]]);
      const sign = distance === 'euclidean' ? 1 : -1;
      const scores = vectors.map((one, at) => ({ at, score: sign * (vectorDistance(one, target, distance) as number) }));
      const best = scores.toSorted((a, b) => a.score - b.score).slice(0, 5);
      const placesOf = async (): Promise<number[]> =>
        (await db.query<{ place: number }>(text, values as unknown[])).rows.map(({ place }) => Number(place)).sort((a, b) => a - b);
      const wanted = best.map(({ at }) => at).sort((a, b) => a - b);
      await db.exec('SET LOCAL enable_indexscan = off');
      expect(await placesOf()).toEqual(wanted);
      await db.exec(
        'SET LOCAL enable_indexscan = on; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL hnsw.ef_search = 1000',
      );
      const plan = await db.query(`EXPLAIN ${text}`, values as unknown[]);
      expect(JSON.stringify(plan.rows)).toContain(`c1_x${['cosine', 'dotproduct', 'euclidean'].indexOf(distance)}`);
      expect(await placesOf()).toEqual(wanted);
    });
  });
});

test('an extension has the indexes of its version', async () => {
  const at = (version: string): ReturnType<typeof findVectorExtension> =>
    findVectorExtension(() => Promise.resolve([{ schema: 'ext', version }] as never));
  expect(await at('0.4.4')).toBeUndefined();
  expect(await at('unknown')).toBeUndefined();
  const [old, half] = [await at('0.5.1'), await at('0.7.0')];
  const wide = { path: ['v'], dimensions: 3072, distance: 'cosine' } as const;
  expect(old && vectorTerms({ ...wide, dimensions: 2000 }, old, PREFIX)?.method).toContain('vector_cosine_ops');
  expect(old && vectorTerms(wide, old, PREFIX)).toBeUndefined();
  expect(half && vectorTerms(wide, half, PREFIX)?.method).toContain('halfvec_cosine_ops');
  expect(half && vectorTerms({ ...wide, dimensions: 4001 }, half, PREFIX)).toBeUndefined();
  expect(half && vectorTerms({ ...wide, path: ['_ts'] }, half, PREFIX)).toBeUndefined();
});
