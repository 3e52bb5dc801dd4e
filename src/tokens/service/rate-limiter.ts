import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';

/** How often something may happen. */
export interface RateLimit {
  readonly perMinute: number;
  /** How many at once after a rest; as many as a minute allows unless said otherwise. */
  readonly burst?: number | undefined;
}

/** Limits of a {@link RateLimiter}. */
export interface RateLimits {
  /** For each caller; 120 a minute unless said otherwise. */
  readonly perCaller?: RateLimit | undefined;
  /** For all together; 6,000 a minute, 1,000 at once, unless said otherwise. */
  readonly total?: RateLimit | undefined;
}

interface Bucket {
  left: number;
  atMs: number;
}

const MINUTE_MS = 60_000;
/** Callers remembered; one who comes back after having been forgotten finds a full bucket. The total holds whatever is forgotten. */
const MAX_CALLERS = 10_000;

class Limit {
  readonly burst: number;
  readonly #perMs: number;

  constructor(name: string, { perMinute, burst = perMinute }: RateLimit) {
    for (const value of [perMinute, burst]) {
      if (typeof value !== 'number' || !(value >= 1 && value <= 1e9)) {
        throw new PerigeeError('INVALID_OPTION', `${name} has perMinute and burst from 1 to 1,000,000,000.`);
      }
    }
    this.burst = burst;
    this.#perMs = perMinute / MINUTE_MS;
  }

  refill(bucket: Bucket, nowMs: number): void {
    bucket.left = Math.min(this.burst, bucket.left + (nowMs - bucket.atMs) * this.#perMs);
    bucket.atMs = nowMs;
  }

  /** How long until one is left. */
  waitMs(bucket: Bucket): number {
    return bucket.left >= 1 ? 0 : Math.ceil((1 - bucket.left) / this.#perMs);
  }
}

/** Token buckets, one for each caller and one for all. A refused request takes nothing. */
export class RateLimiter {
  readonly #runtime: Runtime;
  readonly #perCaller: Limit;
  readonly #total: Limit;
  readonly #all: Bucket;
  /** Least recent first. */
  readonly #callers = new Map<string, Bucket>();

  /** @throws INVALID_OPTION */
  constructor(limits: RateLimits, runtime: Runtime) {
    this.#runtime = runtime;
    this.#perCaller = new Limit('rateLimit.perCaller', limits.perCaller ?? { perMinute: 120 });
    this.#total = new Limit('rateLimit.total', limits.total ?? { perMinute: 6000, burst: 1000 });
    this.#all = { left: this.#total.burst, atMs: runtime.monotonicMs() };
  }

  /** How many callers are remembered. */
  get size(): number {
    return this.#callers.size;
  }

  /** @throws THROTTLED */
  take(caller: string): void {
    const nowMs = this.#runtime.monotonicMs();
    const bucket = this.#callers.get(caller) ?? { left: this.#perCaller.burst, atMs: nowMs };
    this.#callers.delete(caller);
    this.#callers.set(caller, bucket);
    if (this.#callers.size > MAX_CALLERS) {
      this.#callers.delete(this.#callers.keys().next().value as string);
    }
    this.#perCaller.refill(bucket, nowMs);
    this.#total.refill(this.#all, nowMs);
    const ownMs = this.#perCaller.waitMs(bucket);
    const retryAfterMs = Math.max(ownMs, this.#total.waitMs(this.#all));
    if (retryAfterMs > 0) {
      const who = ownMs > 0 ? 'This caller has' : 'All callers together have';
      throw new PerigeeError('THROTTLED', `${who} asked for more tokens than allowed. Wait \`retryAfterMs\`.`, {
        retryAfterMs,
        subStatus: 0,
      });
    }
    bucket.left -= 1;
    this.#all.left -= 1;
  }
}
