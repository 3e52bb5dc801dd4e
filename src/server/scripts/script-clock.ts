import type { Runtime } from '../../core/runtime.ts';
import { ACCEPTING_SHARE } from './script-options.ts';
import type { ScriptTime } from './script-protocol.ts';

/** The time that the scripts of one request have: it runs while they do and while what they ask for is done, not while they wait for others. */
export class ScriptClock {
  readonly #runtime: Runtime;
  readonly #wallClock: Runtime;
  readonly #budgetMs: number;
  #usedMs = 0;
  #sinceMs: number | undefined;

  /** @param wallClock tells scripts the time of day. */
  constructor(budgetMs: number, runtime: Runtime, wallClock: Runtime) {
    this.#budgetMs = budgetMs;
    this.#runtime = runtime;
    this.#wallClock = wallClock;
  }

  /** Lets the time run. */
  start(): void {
    this.#sinceMs ??= this.#runtime.monotonicMs();
  }

  /** Stops the time. */
  stop(): void {
    this.#usedMs = this.#used();
    this.#sinceMs = undefined;
  }

  get remainingMs(): number {
    return this.#budgetMs - this.#used();
  }

  /** What the thread is told; nothing in it is below 0. */
  get time(): ScriptTime {
    const used = this.#used();
    return {
      remainingMs: Math.max(this.#budgetMs - used, 0),
      acceptingMs: Math.max(this.#budgetMs * ACCEPTING_SHARE - used, 0),
      nowMs: this.#wallClock.nowMs(),
    };
  }

  #used(): number {
    return this.#usedMs + (this.#sinceMs === undefined ? 0 : this.#runtime.monotonicMs() - this.#sinceMs);
  }
}
