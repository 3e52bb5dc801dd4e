import { throwIfAborted } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';

/** How often the clock is asked where a step is short. */
const CHECK_EVERY = 64;
/** The longest time without letting others run, as far as single rows allow. */
const MAX_BUSY_MS = 8;
/** Also a clock that stands still lets others run. */
const MAX_BUSY_STEPS = 16_384;

/** Makes a long computation step aside for the rest of the program, and end soon after an abort. */
export class Pacer {
  readonly #runtime: Runtime;
  readonly #signal: AbortSignal | undefined;
  readonly #checkEvery: number;
  #steps = 0;
  #since: number;

  /** @param hasLongSteps whether a single step may take as long as asking the clock many times over, so that it is asked after each. */
  constructor(runtime: Runtime, signal: AbortSignal | undefined, hasLongSteps = false) {
    this.#runtime = runtime;
    this.#signal = signal;
    this.#checkEvery = hasLongSteps ? 1 : CHECK_EVERY;
    this.#since = runtime.monotonicMs();
  }

  /** Counts a step; true when it is time to {@link pause}. */
  isDue(): boolean {
    this.#steps += 1;
    if (this.#steps % this.#checkEvery !== 0) {
      return false;
    }
    return this.#steps >= MAX_BUSY_STEPS || this.#runtime.monotonicMs() - this.#since >= MAX_BUSY_MS;
  }

  /** Lets others run. @throws the signal's reason */
  async pause(): Promise<void> {
    await this.#runtime.yieldTask();
    this.check();
    this.#steps = 0;
    this.#since = this.#runtime.monotonicMs();
  }

  /** @throws the signal's reason */
  check(): void {
    throwIfAborted(this.#signal);
  }
}
