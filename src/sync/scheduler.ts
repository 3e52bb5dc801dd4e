import type { CancelTimer, Runtime } from '../core/runtime.ts';
import { backoffDelayMs } from './backoff.ts';
import type { SyncSchedule } from './sync-options.ts';
import type { SyncReport } from './sync-report.ts';

/** A schedule with every default filled in. */
export type FilledSchedule = { readonly [Name in keyof SyncSchedule]-?: NonNullable<SyncSchedule[Name]> };

/** Fills the defaults of a schedule in. */
export function fillSchedule(schedule: SyncSchedule): FilledSchedule {
  return {
    intervalMs: schedule.intervalMs ?? 30_000,
    debounceMs: schedule.debounceMs ?? 200,
    jitter: schedule.jitter ?? 0.2,
    minBackoffMs: schedule.minBackoffMs ?? 1000,
    maxBackoffMs: schedule.maxBackoffMs ?? 300_000,
  };
}

/**
 * Decides when to run: at an interval, soon after a local change, and after a failure with growing waits.
 *
 * There is one timer. A local change brings the next run forward, except after a failure: then it neither hastens nor delays the retry.
 */
export class Scheduler {
  readonly #runtime: Runtime;
  readonly #run: () => Promise<SyncReport>;
  #schedule: FilledSchedule | undefined;
  #cancel: CancelTimer = () => undefined;
  #dueMs = Infinity;
  #failures = 0;
  #running = false;
  #changed = false;

  /** @param run runs once; resolves with the report whatever happens */
  constructor(runtime: Runtime, run: () => Promise<SyncReport>) {
    this.#runtime = runtime;
    this.#run = run;
  }

  get active(): boolean {
    return this.#schedule !== undefined;
  }

  /** Starts with a run at once, also when it already runs by an earlier schedule. */
  start(schedule: SyncSchedule): void {
    this.#schedule = fillSchedule(schedule);
    this.#failures = 0;
    this.#wake(0);
  }

  /** Sets no timer any more; a run under way goes on. */
  stop(): void {
    this.#schedule = undefined;
    this.#cancel();
    this.#dueMs = Infinity;
  }

  /** Takes note of a local change. */
  changed(): void {
    this.#changed = true;
    if (this.#schedule !== undefined && this.#failures === 0 && !this.#running) {
      this.#wake(this.#schedule.debounceMs);
    }
  }

  /** Sets the timer, unless it rings earlier anyway. */
  #wake(delayMs: number): void {
    const dueMs = this.#runtime.monotonicMs() + delayMs;
    if (dueMs < this.#dueMs) {
      this.#cancel();
      this.#dueMs = dueMs;
      this.#cancel = this.#runtime.setTimer(delayMs, () => {
        this.#dueMs = Infinity;
        void this.#turn();
      });
    }
  }

  async #turn(): Promise<void> {
    if (this.#running) {
      return;
    }
    this.#running = true;
    this.#changed = false;
    let report: SyncReport | undefined;
    try {
      report = await this.#run();
    } finally {
      this.#running = false;
      this.#next(report);
    }
  }

  #next(report: SyncReport | undefined): void {
    const schedule = this.#schedule;
    if (schedule === undefined) {
      return;
    }
    if (report?.outcome === 'complete') {
      this.#failures = 0;
      const delayMs = this.#changed ? schedule.debounceMs : schedule.intervalMs * (1 - schedule.jitter * this.#runtime.random());
      this.#wake(delayMs);
    } else {
      this.#failures += 1;
      this.#wake(backoffDelayMs(schedule, this.#failures, this.#runtime, report?.error?.retryAfterMs));
    }
  }
}
