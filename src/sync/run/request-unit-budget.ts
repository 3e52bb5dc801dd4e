import type { Runtime } from '../../core/runtime.ts';

const MINUTE_MS = 60_000;
/** What may be spent at once after a rest: more would let a minute take twice its budget. */
const BURST_MS = 10_000;

/**
 * Request units that may be spent in a minute, as a bucket that fills steadily. What a request costs is known from its answer only, so a request may be
 * made while the bucket is not below zero, and whatever it takes too much is waited for before the next one.
 */
export class RequestUnitBudget {
  readonly #runtime: Runtime;
  readonly #unitsPerMs: number;
  #left: number;
  #atMs: number;

  constructor(runtime: Runtime, unitsPerMinute: number) {
    this.#runtime = runtime;
    this.#unitsPerMs = unitsPerMinute / MINUTE_MS;
    this.#left = this.#unitsPerMs * BURST_MS;
    this.#atMs = runtime.monotonicMs();
  }

  /** How long until a request may be made; 0 for now. */
  waitMs(): number {
    this.#fill();
    return this.#left >= 0 ? 0 : Math.ceil(-this.#left / this.#unitsPerMs);
  }

  /** Takes what a request has cost. */
  spend(requestUnits: number): void {
    this.#fill();
    this.#left -= requestUnits;
  }

  #fill(): void {
    const nowMs = this.#runtime.monotonicMs();
    this.#left = Math.min(this.#unitsPerMs * BURST_MS, this.#left + (nowMs - this.#atMs) * this.#unitsPerMs);
    this.#atMs = nowMs;
  }
}
