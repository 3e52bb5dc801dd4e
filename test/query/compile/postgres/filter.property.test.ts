import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../../src/core/errors.ts';
import type { JsonValue } from '../../../../src/core/json.ts';
import { arbitraryFilterText } from '../arbitrary-condition.ts';
import { arbitraryBody, arbitraryText, arbitraryValue } from '../arbitrary-document.ts';
import { PostgresHarness } from './postgres-harness.ts';

/** Documents, some with an `id` of their own: two of them may have the same one, as in two partitions. */
const documents = fc.array(
  fc.tuple(arbitraryBody, fc.option(arbitraryText, { nil: undefined })).map(([body, id]) => (id === undefined ? body : { ...body, id })),
  { minLength: 1, maxLength: 24, size: 'max' },
);
/** Conditions that run over the same documents. */
const CONDITIONS = 10;
const numRuns = Math.ceil(Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400) / CONDITIONS);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

describe(`filters in PostgreSQL and in the evaluator (PERIGEE_FUZZ_SEED=${seed})`, () => {
  let harness: PostgresHarness;
  beforeAll(async () => {
    harness = await PostgresHarness.open();
  }, 120_000);
  afterAll(async () => harness.close());

  const counts = { exact: 0, superset: 0, none: 0, invalid: 0, hits: 0 };

  async function compare(text: string, values: Readonly<Record<string, JsonValue>>): Promise<void> {
    let outcome;
    try {
      outcome = await harness.filter(text, values);
    } catch (error) {
      if (isPerigeeError(error, 'QUERY_INVALID') || isPerigeeError(error, 'QUERY_SYNTAX')) {
        counts.invalid += 1;
        return;
      }
      throw new Error(text, { cause: error });
    }
    const { expected, kept, keepsOdd, filter } = outcome;
    const detail = `${text} ${JSON.stringify(values)}\n${filter?.sql}\n${JSON.stringify(filter?.parameters)}`;
    expect(keepsOdd, detail).toBe(true);
    counts[filter === undefined ? 'none' : filter.exact ? 'exact' : 'superset'] += 1;
    counts.hits += expected.length > 0 ? 1 : 0;
    if (filter?.exact === true) {
      expect(kept, detail).toEqual(expected);
    } else {
      expect(kept, detail).toEqual(expect.arrayContaining([...expected]));
    }
  }

  test('an exact filter keeps the same documents, any other keeps them too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryFilterText, { minLength: CONDITIONS, maxLength: CONDITIONS }),
        documents,
        fc.tuple(arbitraryValue, arbitraryValue, arbitraryValue),
        async (texts, bodies, [p0, p1, p2]) => {
          await harness.fill(bodies);
          for (const text of texts) {
            await compare(text, { '@p0': p0, '@p1': p1, '@p2': p2 });
          }
        },
      ),
      { seed, numRuns },
    );
    // The comparison would say nothing if hardly anything were compiled, or hardly anything matched.
    const total = counts.exact + counts.superset + counts.none + counts.invalid;
    const detail = JSON.stringify(counts);
    expect(counts.exact / total, detail).toBeGreaterThan(0.3);
    expect(counts.hits / total, detail).toBeGreaterThan(0.2);
    expect(counts.invalid / total, detail).toBeLessThan(0.1);
  }, 900_000);
});
