import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareStamps, formatStamp, HybridLogicalClock, parseStamp, type HlcStamp } from '../../src/core/hybrid-logical-clock.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

const stamps = fc.record<HlcStamp>({
  timeMs: fc.integer({ min: 0, max: 2 ** 47 }),
  counter: fc.integer({ min: 0, max: 0xffff }),
  device: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
});

describe('HybridLogicalClock', () => {
  test('stamps rise whatever the wall clock and the stamps of others do', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('next' as const) }),
      fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -100_000, max: 100_000 }) }),
      fc.record({ kind: fc.constant('observe' as const), ms: fc.integer({ min: -50_000, max: 500_000 }), counter: fc.nat(0xffff) }),
      fc.record({ kind: fc.constant('offset' as const), ms: fc.integer({ min: -100_000, max: 100_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const runtime = new SimulatedRuntime();
        const clock = new HybridLogicalClock(runtime, 'phone');
        let last = clock.next();
        for (const one of steps) {
          if (one.kind === 'jump') {
            runtime.setNowMs(runtime.nowMs() + one.ms);
          } else if (one.kind === 'offset') {
            clock.offsetMs = one.ms;
          } else if (one.kind === 'observe') {
            clock.observe({ timeMs: runtime.nowMs() + one.ms, counter: one.counter, device: 'other' }, 60_000);
          }
          const next = clock.next();
          expect(compareStamps(last, next)).toBeLessThan(0);
          expect(formatStamp(last) < formatStamp(next)).toBe(true);
          last = next;
        }
      }),
      { numRuns: 200 },
    );
  });

  test('many stamps within one millisecond go on in the next when the counter is used up', () => {
    const runtime = new SimulatedRuntime({ startMs: 1000 });
    const clock = new HybridLogicalClock(runtime, 'd', { timeMs: 1000, counter: 0xfffe });
    expect([clock.next(), clock.next(), clock.next()].map(({ timeMs, counter }) => [timeMs, counter])).toEqual([
      [1000, 0xffff],
      [1001, 0],
      [1001, 1],
    ]);
  });

  test('a stamp seen makes later ones come after it, but only as far as the drift allowed', () => {
    const runtime = new SimulatedRuntime({ startMs: 1_000_000 });
    const clock = new HybridLogicalClock(runtime, 'd');
    const seen: HlcStamp = { timeMs: 1_030_000, counter: 7, device: 'x' };
    clock.observe(seen, 60_000);
    expect(compareStamps(seen, clock.next())).toBeLessThan(0);
    clock.observe({ timeMs: 9_000_000, counter: 0, device: 'wild' }, 60_000);
    expect(clock.next().timeMs).toBeLessThanOrEqual(1_060_001);
  });

  test('a clock restored from its last stamp goes on behind it, also when the wall clock went back', () => {
    const runtime = new SimulatedRuntime({ startMs: 5000 });
    const first = new HybridLogicalClock(runtime, 'd').next();
    runtime.setNowMs(1000);
    const restored = new HybridLogicalClock(runtime, 'd', first);
    expect(compareStamps(first, restored.next())).toBeLessThan(0);
  });

  test('a device id that would break the text form is refused', () => {
    for (const device of ['', 'a b', 'é', 'x'.repeat(65), 'a/b']) {
      expect(() => new HybridLogicalClock(new SimulatedRuntime(), device)).toThrow(/device id/);
    }
  });
});

describe('stamps', () => {
  test('come back from their text, whose order is theirs', () => {
    fc.assert(
      fc.property(stamps, stamps, (a, b) => {
        expect(parseStamp(formatStamp(a))).toEqual(a);
        const [left, right] = [formatStamp(a), formatStamp(b)];
        expect(Math.sign(compareStamps(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });

  test('any other text is no stamp', () => {
    for (const text of ['', '0-0-x', '000000000001-0000-', '00000000000G-0000-x', '000000000001-0000-x y', 'x000000000001-0000-x']) {
      expect(parseStamp(text)).toBeUndefined();
    }
  });
});
