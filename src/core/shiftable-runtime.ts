import { PerigeeError } from './errors.ts';
import { systemRuntime, type CancelTimer, type Runtime } from './runtime.ts';

/** The end of the year 9999, behind which dates of ISO 8601 have another form. */
const MAX_MS = 253_402_300_799_999;

/**
 * A runtime whose wall clock can be moved forward while everything else goes on: documents reach the end of their time to live, and tokens expire,
 * without anybody waiting.
 *
 * Timers and the monotonic clock do not notice, as with a host whose clock is set. The clock never goes back, because what stores have written would
 * then lie in the future.
 *
 * @example
 * ```ts
 * import { ShiftableRuntime } from 'perigee';
 * import { openMemoryBackend } from 'perigee/memory';
 *
 * const runtime = new ShiftableRuntime();
 * const backend = openMemoryBackend({ runtime });
 * await backend.createDatabase('app');
 * await backend.createContainer('app', { id: 'sessions', partitionKey: '/user', defaultTtl: 3600 });
 * const sessions = await backend.container('app', 'sessions');
 * await sessions.create({ id: '1', user: 'ada' });
 * runtime.shift(3_600_000);
 * console.log(await sessions.read('1', 'ada')); // -> undefined
 * await backend.close();
 * ```
 */
export class ShiftableRuntime implements Runtime {
  /** The runtime that this one stands on, with its unmoved clock. */
  readonly base: Runtime;
  #shiftedMs = 0;

  /** @param base where everything but the shift comes from; the host unless said otherwise */
  constructor(base: Runtime = systemRuntime) {
    this.base = base;
  }

  /** How far the clock is ahead of the one beneath, in milliseconds. */
  get shiftedMs(): number {
    return this.#shiftedMs;
  }

  /** Moves the wall clock forward. @throws INVALID_OPTION for a duration below 0, or one that leads beyond the year 9999 */
  shift(durationMs: number): void {
    if (!(durationMs >= 0 && this.nowMs() + durationMs <= MAX_MS)) {
      throw new PerigeeError('INVALID_OPTION', 'A clock is moved forward, by a number of milliseconds that ends before the year 10000.');
    }
    this.#shiftedMs += durationMs;
  }

  nowMs(): number {
    return this.base.nowMs() + this.#shiftedMs;
  }

  monotonicMs(): number {
    return this.base.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.base.setTimer(delayMs, callback);
  }

  yieldTask(): Promise<void> {
    return this.base.yieldTask();
  }

  random(): number {
    return this.base.random();
  }

  randomBytes(length: number): Uint8Array {
    return this.base.randomBytes(length);
  }
}
