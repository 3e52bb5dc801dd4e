import { expect, test } from 'vitest';
import { FAULTS } from './faults.ts';
import { runGateways } from './run-gateways.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_130);

test('two gateways on one PostgreSQL stay correct through kills, cuts and open transactions', { timeout: 240_000 }, async () => {
  const result = await runGateways({ seed: SEED, program: 'source', clients: 6, seconds: 0, pauseMs: 600, holdMs: 700 });
  console.log(
    `seed ${SEED}: ${result.calls} calls, ${result.acknowledged} writes acknowledged, ${result.unknown} without an answer; ${result.changes} changes and ${result.versions} versions followed`,
  );
  expect(result.problems).toEqual([]);
  expect(Object.keys(result.faults).toSorted()).toEqual(FAULTS.toSorted());
  expect(result.acknowledged).toBeGreaterThan(100);
  expect(Math.min(result.changes, result.versions, result.refused)).toBeGreaterThan(10);
});
