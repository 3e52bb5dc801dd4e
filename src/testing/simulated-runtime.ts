import { systemRuntime, type CancelTimer, type Runtime } from '../core/runtime.ts';
import { seededRandom, type RandomWords } from '../core/seeded-random.ts';

/** Settings of a {@link SimulatedRuntime}. */
export interface SimulatedRuntimeOptions {
  /** Equal seeds give equal random numbers. 1 unless said otherwise. */
  readonly seed?: number | string | undefined;
  /** Wall-clock time at the start, in milliseconds since 1970; 2025-01-01T00:00:00Z unless said otherwise. */
  readonly startMs?: number | undefined;
  /** Lets real input and output proceed; the host's own unless said otherwise. */
  readonly yieldTask?: (() => Promise<void>) | undefined;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
  cancelled: boolean;
}

const DEFAULT_START_MS = 1735689600000;
const DEFAULT_LIMIT_MS = 24 * 60 * 60 * 1000;
/** How often a settle yields: a promise chain over a worker or a socket needs more than one turn of the event loop. */
const SETTLE_TURNS = 3;

/**
 * A runtime whose clock stands still until it is told to move, and whose random numbers come from a seed.
 *
 * Real input and output still proceed beneath it, so a real SQLite file works; only time and chance are simulated.
 *
 * @example
 * ```ts
 * import { SimulatedRuntime } from 'perigee/testing';
 *
 * const runtime = new SimulatedRuntime({ seed: 7 });
 * runtime.setTimer(60_000, () => console.log('a minute has passed')); // -> a minute has passed
 * await runtime.advance(60_000);
 * ```
 */
export class SimulatedRuntime implements Runtime {
  /** The seed, to be printed when a run fails. */
  readonly seed: number | string;
  readonly #words: RandomWords;
  readonly #yieldTask: () => Promise<void>;
  /** By due time, then by creation. */
  readonly #timers: Timer[] = [];
  #monotonicMs = 0;
  #wallOffsetMs: number;

  constructor(options: SimulatedRuntimeOptions = {}) {
    this.seed = options.seed ?? 1;
    this.#words = seededRandom(this.seed);
    this.#wallOffsetMs = options.startMs ?? DEFAULT_START_MS;
    this.#yieldTask = options.yieldTask ?? (() => systemRuntime.yieldTask());
  }

  nowMs(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  /** Sets the wall clock, forwards or backwards. Timers and the monotonic clock do not notice. */
  setNowMs(nowMs: number): void {
    this.#wallOffsetMs = nowMs - this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer: Timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), callback, cancelled: false };
    let at = this.#timers.length;
    while (at > 0 && (this.#timers[at - 1] as Timer).dueMs > timer.dueMs) {
      at -= 1;
    }
    this.#timers.splice(at, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  yieldTask(): Promise<void> {
    return this.#yieldTask();
  }

  random(): number {
    return ((this.#words() >>> 6) * 0x8000000 + (this.#words() >>> 5)) / 0x20000000000000;
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#words() >>> 24);
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#timers.filter((timer) => !timer.cancelled).length;
  }

  /** Lets promises settle and input and output proceed for a few turns of the event loop; the clock stands still. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) {
      await this.#yieldTask();
    }
  }

  /**
   * Moves the clock forward and runs the timers that fall due on the way, each at its own time, in the order of their times; promises settle
   * after each. Rejects with what a timer's callback throws.
   */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#monotonicMs + durationMs;
    await this.settle();
    while (this.#fireNext(endMs)) {
      await this.settle();
    }
    this.#monotonicMs = endMs;
  }

  /**
   * Moves the clock from timer to timer until `work` settles, and settles as it does.
   *
   * Rejects when `work` has not settled after `limitMs` of simulated time, a day unless said otherwise: it then waits for something that no
   * timer will bring.
   */
  async runUntilSettled<R>(work: Promise<R>, limitMs: number = DEFAULT_LIMIT_MS): Promise<R> {
    const endMs = this.#monotonicMs + limitMs;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    work.then(mark, mark);
    await this.settle();
    // Without any timer, real input or output is under way: wait for it.
    while (!settled && (this.#fireNext(endMs) || this.pendingTimers === 0)) {
      await this.settle();
    }
    if (!settled) {
      throw new Error(`The work has not settled after ${limitMs} ms of simulated time (seed ${JSON.stringify(this.seed)}).`);
    }
    return work;
  }

  /** Fires the next timer due by `endMs`; `false` when there is none. */
  #fireNext(endMs: number): boolean {
    for (let timer = this.#timers[0]; timer !== undefined && timer.dueMs <= endMs; timer = this.#timers[0]) {
      this.#timers.shift();
      if (!timer.cancelled) {
        this.#monotonicMs = Math.max(this.#monotonicMs, timer.dueMs);
        timer.callback();
        return true;
      }
    }
    return false;
  }
}
