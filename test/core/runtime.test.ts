import { describe, expect, test } from 'vitest';
import { randomUuid, sleep, systemRuntime, toHex } from '../../src/core/runtime.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

describe('sleep', () => {
  test('resolves after its delay', async () => {
    const runtime = new SimulatedRuntime();
    let done = false;
    void sleep(runtime, 50).then(() => {
      done = true;
    });
    await runtime.advance(49);
    expect(done).toBe(false);
    await runtime.advance(1);
    expect(done).toBe(true);
  });

  test('rejects with the reason of the signal, before and while it sleeps, and leaves no timer', async () => {
    const runtime = new SimulatedRuntime();
    const reason = new Error('stop');
    await expect(sleep(runtime, 50, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = sleep(runtime, 50, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(runtime.pendingTimers).toBe(0);
  });
});

describe('systemRuntime', () => {
  test('time goes forward and chance is chance', async () => {
    const before = systemRuntime.monotonicMs();
    await sleep(systemRuntime, 2);
    await systemRuntime.yieldTask();
    expect(systemRuntime.monotonicMs()).toBeGreaterThan(before);
    expect(Math.abs(systemRuntime.nowMs() - Date.now())).toBeLessThan(1000);
    expect(systemRuntime.random()).toBeLessThan(1);
    expect(toHex(systemRuntime.randomBytes(16))).not.toBe(toHex(systemRuntime.randomBytes(16)));
  });

  test('a timer cancelled does not fire', async () => {
    systemRuntime.setTimer(1, () => expect.unreachable())();
    await sleep(systemRuntime, 5);
  });
});

test('a UUID has the form of version 4 and comes from the runtime', () => {
  const uuid = randomUuid(new SimulatedRuntime({ seed: 1 }));
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(randomUuid(new SimulatedRuntime({ seed: 1 }))).toBe(uuid);
  expect(randomUuid(new SimulatedRuntime({ seed: 2 }))).not.toBe(uuid);
});
