import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { systemRuntime, type Runtime } from '../../../src/core/runtime.ts';
import { arraySource, pagesOf } from './array-source.ts';

const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 150);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261129);

const document: fc.Arbitrary<JsonObject> = fc.record({
  n: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom('a', 'b', null, true)),
  t: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 }),
});

/** Queries over the documents, and the same over them with a loop of one round, which takes the way of loops. */
const QUERIES: readonly string[] = [
  'SELECT * FROM c',
  'SELECT VALUE c.n FROM c WHERE c.n >= 2',
  'SELECT c.n FROM c WHERE c.n = "a" OR c.n < 5',
  'SELECT VALUE c FROM c OFFSET 3 LIMIT 5',
  'SELECT TOP 4 VALUE c.n FROM c WHERE c.n != 1',
  'SELECT * FROM c ORDER BY c.n',
  'SELECT * FROM c ORDER BY c.n DESC, c.t',
  'SELECT TOP 3 VALUE c.n FROM c WHERE c.n < 5 ORDER BY c.n DESC',
  'SELECT VALUE c.t FROM c ORDER BY c.n OFFSET 2 LIMIT 6',
  'SELECT DISTINCT VALUE c.n FROM c ORDER BY c.n DESC',
  'SELECT DISTINCT VALUE c.n FROM c',
  'SELECT COUNT(1) AS n, SUM(c.n) AS total, MAX(c.n) AS most FROM c WHERE c.n < 5',
  'SELECT c.n, COUNT(1) AS count FROM c GROUP BY c.n',
];

/** A clock by which it is time to let others run at each look, so that a run pauses wherever it may. */
function restlessRuntime(): Runtime & { readonly pauses: () => number } {
  let nowMs = 0;
  let pauses = 0;
  return {
    ...systemRuntime,
    monotonicMs: () => (nowMs += 100),
    yieldTask: () => {
      pauses += 1;
      return Promise.resolve();
    },
    pauses: () => pauses,
  };
}

/** A text so long that the clock is asked at each step. */
const restless = (text: string): string => text + ' '.repeat(1000);

describe(`pauses, pages and loops (PERIGEE_FUZZ_SEED=${seed})`, () => {
  test('change nothing of what a query gives and is charged for', async () => {
    let pauses = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...QUERIES),
        fc.array(document, { maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 8 }),
        async (text, documents, batchSize, maxItemCount) => {
          const run = async (query: string, batch: number, runtime: Runtime): Promise<readonly unknown[]> =>
            (await pagesOf(query, arraySource(documents, batch), { maxItemCount, runtime })).map(({ continuation, ...page }) => ({
              ...page,
              hasMore: continuation !== undefined,
            }));
          const runtime = restlessRuntime();
          const expected = await run(text, batchSize, systemRuntime);
          expect(await run(restless(text), batchSize, runtime)).toEqual(expected);
          expect(
            await run(
              text.replace('FROM c', 'FROM c JOIN one IN (SELECT VALUE [1])').replace('SELECT * ', 'SELECT VALUE c '),
              batchSize,
              runtime,
            ),
          ).toEqual(expected);
          pauses += runtime.pauses();
        },
      ),
      { seed, numRuns },
    );
    expect(pauses).toBeGreaterThan(numRuns);
  });

  test('pages put together are the whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...QUERIES),
        fc.array(document, { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        async (text, documents, maxItemCount) => {
          const all = async (items: number): Promise<readonly JsonValue[]> =>
            (await pagesOf(text, arraySource(documents, 7), { maxItemCount: items })).flatMap((page) => page.items);
          expect(await all(maxItemCount)).toEqual(await all(1000));
        },
      ),
      { seed, numRuns },
    );
  });
});
