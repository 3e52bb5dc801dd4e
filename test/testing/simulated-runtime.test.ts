import { describe, expect, test } from 'vitest';
import { sleep, systemRuntime } from '../../src/core/runtime.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

describe('SimulatedRuntime', () => {
  test('the clocks stand still until they are moved', async () => {
    const runtime = new SimulatedRuntime({ startMs: 5000 });
    expect(runtime.nowMs()).toBe(5000);
    expect(runtime.monotonicMs()).toBe(0);
    await runtime.advance(250);
    expect(runtime.nowMs()).toBe(5250);
    expect(runtime.monotonicMs()).toBe(250);
  });

  test('timers fire at their own time, in the order of their times and then of their creation', async () => {
    const runtime = new SimulatedRuntime({ startMs: 0 });
    const fired: string[] = [];
    const at = (name: string, delayMs: number): void => {
      runtime.setTimer(delayMs, () => fired.push(`${name}@${runtime.nowMs()}`));
    };
    at('c', 30);
    at('a', 10);
    at('b', 10);
    at('late', 31);
    await runtime.advance(30);
    expect(fired).toEqual(['a@10', 'b@10', 'c@30']);
    expect(runtime.pendingTimers).toBe(1);
  });

  test('a timer set by a timer fires within the same advance when it is due', async () => {
    const runtime = new SimulatedRuntime({ startMs: 0 });
    const times: number[] = [];
    const tick = (): void => {
      times.push(runtime.nowMs());
      runtime.setTimer(10, tick);
    };
    runtime.setTimer(10, tick);
    await runtime.advance(35);
    expect(times).toEqual([10, 20, 30]);
    expect(runtime.nowMs()).toBe(35);
  });

  test('a cancelled timer does not fire, and cancelling twice is allowed', async () => {
    const runtime = new SimulatedRuntime();
    const cancel = runtime.setTimer(1, () => expect.unreachable());
    cancel();
    cancel();
    expect(runtime.pendingTimers).toBe(0);
    await runtime.advance(10);
  });

  test('promises that wait for a timer settle before the clock moves on', async () => {
    const runtime = new SimulatedRuntime({ startMs: 0 });
    const seen: number[] = [];
    const worker = (async () => {
      for (let round = 0; round < 3; round += 1) {
        await sleep(runtime, 100);
        seen.push(runtime.nowMs());
      }
    })();
    await runtime.advance(300);
    await worker;
    expect(seen).toEqual([100, 200, 300]);
  });

  test('the wall clock jumps both ways without moving timers', async () => {
    const runtime = new SimulatedRuntime({ startMs: 1000 });
    let fired = false;
    runtime.setTimer(50, () => {
      fired = true;
    });
    runtime.setNowMs(10);
    expect(runtime.nowMs()).toBe(10);
    expect(runtime.monotonicMs()).toBe(0);
    await runtime.advance(49);
    expect(fired).toBe(false);
    await runtime.advance(1);
    expect(fired).toBe(true);
    expect(runtime.nowMs()).toBe(60);
  });

  test('equal seeds give equal numbers, other seeds others', () => {
    const draw = (seed: number | string): unknown[] => {
      const runtime = new SimulatedRuntime({ seed });
      return [runtime.random(), Array.from(runtime.randomBytes(8)), runtime.random()];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw('device-1')).toEqual(draw('device-1'));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw('device-1')).not.toEqual(draw('device-2'));
  });

  test('random numbers lie in [0, 1) and fill it evenly', () => {
    const runtime = new SimulatedRuntime({ seed: 3 });
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw += 1) {
      const value = runtime.random();
      expect(value >= 0 && value < 1).toBe(true);
      buckets[Math.floor(value * 10)] = (buckets[Math.floor(value * 10)] as number) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1150);
  });

  test('runUntilSettled drives timers as far as the work needs and waits for real input and output', async () => {
    const runtime = new SimulatedRuntime({ startMs: 0 });
    const work = (async () => {
      await sleep(runtime, 5000);
      await new Promise<void>((resolve) => void systemRuntime.setTimer(5, resolve));
      await sleep(runtime, 700);
      return runtime.nowMs();
    })();
    // A real timer keeps the process alive while only unreferenced ones wait.
    const alive = setInterval(() => undefined, 50);
    await expect(runtime.runUntilSettled(work)).resolves.toBe(5700);
    clearInterval(alive);
  });

  test('runUntilSettled gives up after its limit', async () => {
    const runtime = new SimulatedRuntime({ seed: 'stuck' });
    const forever = (async () => {
      for (;;) {
        await sleep(runtime, 1000);
      }
    })();
    await expect(runtime.runUntilSettled(forever, 10_000)).rejects.toThrow(/seed "stuck"/);
  });
});
