import { PerigeeError } from './errors.ts';
import type { Runtime } from './runtime.ts';

/**
 * A stamp of a hybrid logical clock: wall time in milliseconds, a counter for events within one millisecond, and the device that made it.
 *
 * Stamps have a total order: time, then counter, then device id by code unit. Two devices never make the same stamp.
 *
 * @see Kulkarni et al., "Logical Physical Clocks and Consistent Snapshots in Globally Distributed Databases", 2014
 */
export interface HlcStamp {
  readonly timeMs: number;
  readonly counter: number;
  readonly device: string;
}

const MAX_COUNTER = 0xffff;
const DEVICE_PATTERN = /^[A-Za-z0-9_-]{1,64}$/u;

/** Negative, zero or positive as `left` is before, the same as, or after `right`. */
export function compareStamps(left: HlcStamp, right: HlcStamp): number {
  return (
    left.timeMs - right.timeMs || left.counter - right.counter || (left.device < right.device ? -1 : left.device > right.device ? 1 : 0)
  );
}

/** A stamp as text of fixed-width fields: text order is stamp order. */
export function formatStamp(stamp: HlcStamp): string {
  return `${stamp.timeMs.toString(16).padStart(12, '0')}-${stamp.counter.toString(16).padStart(4, '0')}-${stamp.device}`;
}

/** Reads what {@link formatStamp} wrote; `undefined` for any other text, so that a foreign stamp is never half believed. */
export function parseStamp(text: string): HlcStamp | undefined {
  const match = /^([0-9a-f]{12})-([0-9a-f]{4})-([A-Za-z0-9_-]{1,64})$/u.exec(text);
  if (match === null) {
    return undefined;
  }
  return {
    timeMs: Number.parseInt(match[1] as string, 16),
    counter: Number.parseInt(match[2] as string, 16),
    device: match[3] as string,
  };
}

/**
 * A hybrid logical clock: stamps follow wall time but never repeat and never go backwards, also when the wall clock does.
 *
 * The owner persists {@link last} with the data it stamps and passes it back on start. `offsetMs` is learned server time minus device time.
 *
 * @example
 * ```ts
 * import { HybridLogicalClock, compareStamps, systemRuntime } from 'perigee';
 *
 * const clock = new HybridLogicalClock(systemRuntime, 'phone-1');
 * const first = clock.next();
 * const second = clock.next();
 * console.log(compareStamps(first, second) < 0); // -> true
 * ```
 */
export class HybridLogicalClock {
  readonly device: string;
  readonly #runtime: Runtime;
  #timeMs: number;
  #counter: number;
  #offsetMs: number;

  constructor(
    runtime: Runtime,
    device: string,
    restore: { timeMs: number; counter: number; offsetMs?: number } = { timeMs: 0, counter: 0 },
  ) {
    if (!DEVICE_PATTERN.test(device)) {
      throw new PerigeeError('INVALID_OPTION', 'A device id has 1 to 64 characters out of A-Z, a-z, 0-9, "_" and "-".');
    }
    this.device = device;
    this.#runtime = runtime;
    this.#timeMs = restore.timeMs;
    this.#counter = restore.counter;
    this.#offsetMs = restore.offsetMs ?? 0;
  }

  /** The newest stamp made or seen. */
  get last(): HlcStamp {
    return { timeMs: this.#timeMs, counter: this.#counter, device: this.device };
  }

  /** Server time minus device time, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  set offsetMs(value: number) {
    this.#offsetMs = value;
  }

  /** Device time corrected by {@link offsetMs}. */
  correctedNowMs(): number {
    return Math.max(0, Math.floor(this.#runtime.nowMs() + this.#offsetMs));
  }

  /** A new stamp, after every stamp made or seen before. */
  next(): HlcStamp {
    this.#advance(this.correctedNowMs());
    return this.last;
  }

  /**
   * Takes note of a stamp from elsewhere, so that later stamps come after it.
   *
   * A stamp more than `maxDriftMs` ahead of corrected time counts as that far ahead only, so one device with a wild clock cannot drag all
   * others along.
   */
  observe(stamp: HlcStamp, maxDriftMs: number): void {
    const limitMs = this.correctedNowMs() + maxDriftMs;
    const timeMs = Math.min(stamp.timeMs, limitMs);
    const counter = timeMs === stamp.timeMs ? stamp.counter : MAX_COUNTER;
    if (timeMs > this.#timeMs || (timeMs === this.#timeMs && counter > this.#counter)) {
      this.#timeMs = timeMs;
      this.#counter = counter;
    }
  }

  #advance(nowMs: number): void {
    if (nowMs > this.#timeMs) {
      this.#timeMs = nowMs;
      this.#counter = 0;
    } else if (this.#counter < MAX_COUNTER) {
      this.#counter += 1;
    } else {
      this.#timeMs += 1;
      this.#counter = 0;
    }
  }
}
