import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { learnLowerBound, learnOffset, type ClockOffset } from '../../src/sync/state/clock-offset.ts';

const unknown: ClockOffset = { offsetMs: 0, known: false };

describe('learning the server clock from answers', () => {
  test('an offset that the answer allows stays as it is', () => {
    const known: ClockOffset = { offsetMs: 120, known: true };
    expect(learnOffset(known, { ts: 1000, sentAtMs: 1_000_100, receivedAtMs: 1_000_300 })).toBe(known);
  });

  test('a device that runs an hour fast is found out by one write', () => {
    const hour = 3_600_000;
    const learned = learnOffset(unknown, { ts: 5000, sentAtMs: 5_000_400 + hour, receivedAtMs: 5_000_450 + hour });
    expect(learned.known).toBe(true);
    expect(Math.abs(learned.offsetMs + hour)).toBeLessThanOrEqual(1000);
  });

  test('the answer says nothing when the device clock went backwards while it was under way', () => {
    expect(learnOffset(unknown, { ts: 5000, sentAtMs: 9_000_000, receivedAtMs: 1_000 })).toBe(unknown);
  });

  test('a document read bounds the offset from below only', () => {
    expect(learnLowerBound(unknown, 5000, 4_000_000)).toEqual({ offsetMs: 1_000_000, known: false });
    expect(learnLowerBound(unknown, 5000, 9_000_000)).toBe(unknown);
  });

  test('whatever the true offset and the delay, what is learned is off by at most a second and the delay', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e10, max: 1e10 }),
        fc.integer({ min: 2e10, max: 3e12 }),
        fc.nat(5000),
        fc.nat(5000),
        fc.integer({ min: -1e10, max: 1e10 }),
        (trueOffset, serverMs, before, after, believed) => {
          const sample = {
            ts: Math.floor(serverMs / 1000),
            sentAtMs: serverMs - trueOffset - before,
            receivedAtMs: serverMs - trueOffset + after,
          };
          const learned = learnOffset({ offsetMs: believed, known: true }, sample);
          expect(Math.abs(learned.offsetMs - trueOffset)).toBeLessThanOrEqual(1000 + before + after);
          expect(learnOffset(learned, sample)).toEqual(learned);
        },
      ),
    );
  });
});
