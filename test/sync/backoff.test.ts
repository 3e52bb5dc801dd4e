import { expect, test } from 'vitest';
import { backoffDelayMs } from '../../src/sync/run/backoff.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

const options = { minBackoffMs: 1000, maxBackoffMs: 60_000, jitter: 0 };

test('the wait doubles with each failure up to the longest', () => {
  const runtime = new SimulatedRuntime();
  expect([1, 2, 3, 4, 7, 100].map((failures) => backoffDelayMs(options, failures, runtime, undefined))).toEqual([
    1000, 2000, 4000, 8000, 60_000, 60_000,
  ]);
});

test('chance shortens the wait, never below what the server asked for', () => {
  const runtime = new SimulatedRuntime({ seed: 7 });
  for (let round = 0; round < 50; round += 1) {
    const delay = backoffDelayMs({ ...options, jitter: 0.5 }, 1, runtime, undefined);
    expect(delay).toBeGreaterThanOrEqual(500);
    expect(delay).toBeLessThanOrEqual(1000);
    expect(backoffDelayMs({ ...options, jitter: 0.5 }, 1, runtime, 30_000)).toBe(30_000);
  }
});
