import { expect, test } from 'vitest';
import { ShiftableRuntime } from '../../src/core/shiftable-runtime.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

test('a shift moves the wall clock forward and nothing else', async () => {
  const base = new SimulatedRuntime({ seed: 1, startMs: 1000 });
  const runtime = new ShiftableRuntime(base);
  const fired: number[] = [];
  runtime.setTimer(50, () => fired.push(runtime.nowMs()));
  runtime.shift(86_400_000);
  expect([runtime.nowMs(), runtime.monotonicMs(), runtime.shiftedMs, base.nowMs()]).toEqual([86_401_000, 0, 86_400_000, 1000]);
  await base.advance(49);
  expect(fired).toEqual([]);
  await base.advance(1);
  expect(fired).toEqual([86_401_050]);
  for (const durationMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e15]) {
    expect(() => runtime.shift(durationMs)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  }
  expect(runtime.shiftedMs).toBe(86_400_000);
});
