import type { Runtime } from '../../core/runtime.ts';

/** How waiting grows after failures. */
export interface BackoffOptions {
  /** Wait after the first failure, in milliseconds. */
  readonly minBackoffMs: number;
  /** Longest wait, in milliseconds. */
  readonly maxBackoffMs: number;
  /** Share of a wait that chance may take away, from 0 (none) to 1 (all of it). */
  readonly jitter: number;
}

/**
 * The wait before the next attempt: doubled with each failure in a row up to the longest, then shortened by chance, so that devices that failed
 * together do not return together. What the server asked for is a lower bound and is never shortened.
 *
 * @param failures failures in a row, from 1
 */
export function backoffDelayMs(options: BackoffOptions, failures: number, runtime: Runtime, retryAfterMs: number | undefined): number {
  const doubled = options.minBackoffMs * 2 ** Math.min(Math.max(failures, 1) - 1, 40);
  const delayMs = Math.min(doubled, options.maxBackoffMs) * (1 - options.jitter * runtime.random());
  return Math.max(Math.round(delayMs), retryAfterMs ?? 0);
}
