import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { arbitraryFilterText } from './arbitrary-condition.ts';
import { arbitraryBody, arbitraryValue } from './arbitrary-document.ts';
import { FilterHarness } from './filter-harness.ts';

const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

describe(`filters in SQLite and in the evaluator (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const harness = new FilterHarness();
  afterAll(() => harness.close());

  test('an exact filter keeps the same documents, any other keeps them too', () => {
    const counts = { exact: 0, superset: 0, none: 0, invalid: 0, hits: 0 };
    fc.assert(
      fc.property(
        arbitraryFilterText,
        fc.array(arbitraryBody, { minLength: 1, maxLength: 12, size: 'max' }),
        fc.tuple(arbitraryValue, arbitraryValue, arbitraryValue),
        (text, bodies, [p0, p1, p2]) => {
          let outcome;
          try {
            outcome = harness.run(text, { '@p0': p0, '@p1': p1, '@p2': p2 }, bodies);
          } catch (error) {
            if (isPerigeeError(error, 'QUERY_INVALID') || isPerigeeError(error, 'QUERY_SYNTAX')) {
              counts.invalid += 1;
              return;
            }
            throw error;
          }
          const { expected, kept, keepsOdd, filter } = outcome;
          expect(keepsOdd, filter?.sql).toBe(true);
          counts[filter === undefined ? 'none' : filter.exact ? 'exact' : 'superset'] += 1;
          counts.hits += expected.length > 0 ? 1 : 0;
          if (filter?.exact === true) {
            expect(kept, filter.sql).toEqual(expected);
          } else {
            expect(kept, filter?.sql).toEqual(expect.arrayContaining([...expected]));
          }
        },
      ),
      { seed, numRuns },
    );
    // The comparison would say nothing if hardly anything were compiled, or hardly anything matched.
    const detail = JSON.stringify(counts);
    expect(counts.exact / numRuns, detail).toBeGreaterThan(0.3);
    expect(counts.hits / numRuns, detail).toBeGreaterThan(0.2);
    expect(counts.invalid / numRuns, detail).toBeLessThan(0.1);
  }, 600_000);
});
