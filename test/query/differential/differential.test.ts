import { expect, test } from 'vitest';
import { differentialRegressions } from './regressions.ts';
import { Differential, runDifferential } from './run-differential.ts';

const pairs = Number(process.env['PERIGEE_DIFFERENTIAL_PAIRS'] ?? 3000);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

test(`any query gives on SQLite and PostgreSQL what the evaluator gives, with and without indexes (PERIGEE_FUZZ_SEED=${seed})`, async () => {
  const counts = await runDifferential(pairs, seed);
  const total = counts.rows + counts.empty + counts.refused;
  expect(counts.pairs).toBeGreaterThanOrEqual(pairs);
  expect(counts.rows / total, JSON.stringify(counts)).toBeGreaterThan(0.3);
  expect(counts.refused / total, JSON.stringify(counts)).toBeLessThan(0.35);
}, 900_000);

test('differences that were found stay mended', async () => {
  const differential = await Differential.open();
  for (const { documents, text, values = {} } of differentialRegressions) {
    for (const maxItemCount of [1, 100]) {
      await differential.compare(documents, [{ text, values, maxItemCount }]);
    }
  }
  expect(differential.counts.pairs).toBe(differentialRegressions.length * 8);
  await differential.close();
});
