import { compareStamps, formatStamp, HybridLogicalClock, parseStamp, type HlcStamp } from '../../core/hybrid-logical-clock.ts';
import type { Runtime } from '../../core/runtime.ts';
import { all, run, type Program } from '../../stores/sqlite/driver.ts';
import { learnLowerBound, learnOffset, type ClockOffset, type ClockSample } from './clock-offset.ts';
import { readMeta, writeMeta } from './meta.ts';

/** What a stored clock looks like. */
function parseOffset(text: string | undefined): ClockOffset {
  const match = /^(-?\d{1,15})(!?)$/u.exec(text ?? '');
  return match === null ? { offsetMs: 0, known: false } : { offsetMs: Number(match[1]), known: match[2] === '!' };
}

/**
 * The clock of a device: a hybrid logical clock that follows server time as far as answers have shown it, kept in the device's file.
 *
 * Stamps of one file never repeat and never go back, with one exception: once the device's clock turns out to have been ahead of the server's,
 * the clock is set back, and pending stamps that lie ahead of server time with it. Nobody has seen those but as clamped values.
 */
export class SyncClock {
  readonly #runtime: Runtime;
  readonly #device: string;
  readonly #toleranceMs: number;
  #hlc: HybridLogicalClock;
  #offset: ClockOffset;

  private constructor(runtime: Runtime, device: string, toleranceMs: number, offset: ClockOffset, last: HlcStamp | undefined) {
    this.#runtime = runtime;
    this.#device = device;
    this.#toleranceMs = toleranceMs;
    this.#offset = offset;
    this.#hlc = new HybridLogicalClock(runtime, device, {
      timeMs: last?.timeMs ?? 0,
      counter: last?.counter ?? 0,
      offsetMs: offset.offsetMs,
    });
  }

  /** Restores the clock: the newest stamp saved or pending. */
  static *load(runtime: Runtime, device: string, toleranceMs: number): Program<SyncClock> {
    const newest = (yield* all<{ stamp: string | null }>('SELECT max(stamp) AS stamp FROM sync_outbox'))[0]?.stamp ?? '';
    const saved = (yield* readMeta('hlc')) ?? '';
    const last = parseStamp(newest > saved ? newest : saved);
    return new SyncClock(runtime, device, toleranceMs, parseOffset(yield* readMeta('clock_offset')), last);
  }

  get offset(): ClockOffset {
    return this.#offset;
  }

  /** Server time as well as it is known, in milliseconds. */
  serverNowMs(): number {
    return this.#hlc.correctedNowMs();
  }

  /** A stamp after every stamp made or seen before. */
  next(): HlcStamp {
    return this.#hlc.next();
  }

  /** Takes note of a remote stamp, so that later local writes come after it. */
  observe(stamp: HlcStamp): void {
    this.#hlc.observe(stamp, this.#toleranceMs);
  }

  /** Takes over what other processes on the file have learned and made. */
  *refresh(): Program<void> {
    const saved = yield* readMeta('clock_offset');
    if (saved !== undefined) {
      this.#follow(parseOffset(saved));
    }
    const newest = parseStamp((yield* readMeta('hlc')) ?? '');
    if (newest !== undefined) {
      this.observe(newest);
    }
  }

  /** Writes the newest stamp down, in the transaction under way. */
  *save(): Program<void> {
    yield* writeMeta('hlc', formatStamp(this.#hlc.last));
  }

  /** Learns from the answer to a write. Gives the program that has to follow, if anything is new. */
  learn(sample: ClockSample): (() => Program<void>) | undefined {
    return this.#adopt(learnOffset(this.#offset, sample));
  }

  /** Learns from the newest `_ts` of documents read. Gives the program that has to follow, if anything is new. */
  learnLowerBound(ts: number, receivedAtMs: number): (() => Program<void>) | undefined {
    return this.#adopt(learnLowerBound(this.#offset, ts, receivedAtMs));
  }

  #adopt(next: ClockOffset): (() => Program<void>) | undefined {
    const before = this.#offset;
    if (next === before) {
      return undefined;
    }
    this.#follow(next);
    return () => this.#correct(next, next.offsetMs - before.offsetMs, !before.known);
  }

  /** Goes by an offset from now on, and sets the clock back where it is found to have been ahead. */
  #follow(next: ClockOffset): void {
    this.#offset = next;
    this.#hlc.offsetMs = next.offsetMs;
    const last = this.#hlc.last;
    if (last.timeMs > this.serverNowMs() + this.#toleranceMs) {
      this.#hlc = new HybridLogicalClock(this.#runtime, this.#device, {
        timeMs: this.serverNowMs(),
        counter: 0,
        offsetMs: next.offsetMs,
      });
    }
  }

  /**
   * Writes the offset down and moves pending stamps by what was learned: all of them as long as nothing was known of the server's clock, later
   * only those ahead of server time. Both were certainly made by a wrong clock; of others nobody knows whether the clock was set before or after.
   */
  *#correct(offset: ClockOffset, byMs: number, everything: boolean): Program<void> {
    // A write of this process may have taken over the one that is stored meanwhile.
    this.#follow(offset);
    yield* writeMeta('clock_offset', `${offset.offsetMs}${offset.known ? '!' : ''}`);
    const limitMs = this.serverNowMs();
    const rows = yield* all<{ scope: number; id: string; stamp: string }>('SELECT scope, id, stamp FROM sync_outbox');
    for (const { scope, id, stamp } of rows) {
      const parsed = parseStamp(stamp);
      if (parsed === undefined || !(everything || parsed.timeMs > limitMs)) {
        continue;
      }
      const moved = { ...parsed, timeMs: Math.max(0, Math.min(parsed.timeMs + byMs, limitMs)) };
      if (compareStamps(moved, parsed) !== 0) {
        yield* run('UPDATE sync_outbox SET stamp = ? WHERE scope = ? AND id = ?', formatStamp(moved), scope, id);
      }
    }
    yield* this.save();
  }
}
