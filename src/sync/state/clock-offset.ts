/** Server time minus device time, as far as answers have shown it. */
export interface ClockOffset {
  /** In milliseconds; 0 while nothing is known. */
  readonly offsetMs: number;
  /** Whether an answer has bounded it from both sides. */
  readonly known: boolean;
}

/** What a write's answer says of the server's clock: it read `ts` (whole seconds) at some moment between sending and receiving. */
export interface ClockSample {
  readonly ts: number;
  /** Device time at sending, in milliseconds. */
  readonly sentAtMs: number;
  /** Device time at receiving, in milliseconds. */
  readonly receivedAtMs: number;
}

/** The nearest value to `value` in [low, high]. */
function nearest(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/**
 * Learns from the answer to a write.
 *
 * Server time lay in [ts * 1000, ts * 1000 + 999] while device time lay between sending and receiving; that bounds the offset from both sides.
 * An offset within the bounds stays, so that it does not wander with each answer; any other moves to the nearer bound. A sample whose device
 * clock went backwards says nothing.
 */
export function learnOffset(current: ClockOffset, sample: ClockSample): ClockOffset {
  const low = sample.ts * 1000 - sample.receivedAtMs;
  const high = sample.ts * 1000 + 999 - sample.sentAtMs;
  if (sample.receivedAtMs < sample.sentAtMs) {
    return current;
  }
  const offsetMs = nearest(current.offsetMs, low, high);
  return offsetMs === current.offsetMs && current.known ? current : { offsetMs, known: true };
}

/**
 * Learns from a document that was read: the server's clock had already reached its `_ts`. That bounds the offset from below only, so a slow
 * device is found out and a fast one is not.
 */
export function learnLowerBound(current: ClockOffset, ts: number, receivedAtMs: number): ClockOffset {
  const low = ts * 1000 - receivedAtMs;
  return current.offsetMs >= low ? current : { offsetMs: low, known: current.known };
}
