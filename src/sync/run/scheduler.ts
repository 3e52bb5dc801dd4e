import type { Unsubscribe } from '../../core/emitter.ts';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';
import { backoffDelayMs } from './backoff.ts';
import type { Connectivity } from './connectivity.ts';
import type { SyncSchedule } from '../sync-options.ts';
import type { SyncReport } from '../sync-report.ts';

/** A schedule with every default filled in. */
export type FilledSchedule = {
  readonly [Name in Exclude<keyof SyncSchedule, 'connectivity'>]-?: NonNullable<SyncSchedule[Name]>;
} & { readonly connectivity: Connectivity | undefined };

/** Fills the defaults of a schedule in. */
export function fillSchedule(schedule: SyncSchedule): FilledSchedule {
  return {
    intervalMs: schedule.intervalMs ?? 30_000,
    debounceMs: schedule.debounceMs ?? 200,
    jitter: schedule.jitter ?? 0.2,
    minBackoffMs: schedule.minBackoffMs ?? 1000,
    maxBackoffMs: schedule.maxBackoffMs ?? 300_000,
    pollIntervalMs: schedule.pollIntervalMs ?? 2000,
    connectivity: schedule.connectivity,
  };
}

/** What a scheduler works with. */
export interface SchedulerParts {
  readonly runtime: Runtime;
  /** Runs once; resolves with the report whatever happens. */
  readonly run: () => Promise<SyncReport>;
  /** Whether other processes have left something to send; does not reject. `undefined` where there can be none. */
  readonly lookForOthers: (() => Promise<boolean>) | undefined;
  /** Told when there is no connection, and when there is one again. */
  readonly onConnection: (isOnline: boolean) => void;
}

/** Whether a run that failed has exchanged something: the next one need not wait as long as after one that met a wall. */
function hasMoved({ pushed, pulled, deletedLocally }: SyncReport): boolean {
  return pushed + pulled + deletedLocally > 0;
}

/**
 * Decides when to run: at an interval, soon after a local change of this or another process, at once when a connection is back, and after a failure
 * with growing waits. Without a connection it does not run.
 *
 * There is one timer for runs. A local change brings the next run forward, except after a failure: then it neither hastens nor delays the retry.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #runtime: Runtime;
  #schedule: FilledSchedule | undefined;
  #cancel: CancelTimer = () => undefined;
  #cancelPoll: CancelTimer = () => undefined;
  #unsubscribe: Unsubscribe = () => undefined;
  #dueMs = Infinity;
  #failures = 0;
  #running = false;
  #changed = false;
  /** A connection came back during the run. */
  #reconnected = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#runtime = parts.runtime;
  }

  get active(): boolean {
    return this.#schedule !== undefined;
  }

  /** Starts with a run at once, also when it already runs by an earlier schedule. */
  start(schedule: SyncSchedule): void {
    this.stop();
    const filled = fillSchedule(schedule);
    this.#schedule = filled;
    this.#failures = 0;
    this.#unsubscribe = filled.connectivity?.onChange(() => this.#connectionChanged()) ?? (() => undefined);
    this.#poll(filled);
    this.#connectionChanged();
  }

  /** Sets no timer any more; a run under way goes on. */
  stop(): void {
    this.#schedule = undefined;
    this.#unsubscribe();
    this.#unsubscribe = () => undefined;
    this.#cancelPoll();
    this.#sleep();
  }

  /** Takes note of a local change. */
  changed(): void {
    this.#changed = true;
    if (this.#schedule !== undefined && this.#failures === 0 && !this.#running) {
      this.#wake(this.#schedule.debounceMs);
    }
  }

  get #isOnline(): boolean {
    return this.#schedule?.connectivity?.isOnline() ?? true;
  }

  #connectionChanged(): void {
    const { connectivity } = this.#schedule as FilledSchedule;
    if (connectivity !== undefined) {
      this.#parts.onConnection(this.#isOnline);
    }
    if (!this.#isOnline) {
      this.#sleep();
      return;
    }
    this.#failures = 0;
    this.#reconnected = this.#running;
    this.#wake(0);
  }

  /** Looks for what other processes have left to send, again and again. */
  #poll(schedule: FilledSchedule): void {
    const { lookForOthers } = this.#parts;
    if (lookForOthers === undefined || schedule.pollIntervalMs === 0) {
      return;
    }
    this.#cancelPoll = this.#runtime.setTimer(schedule.pollIntervalMs, () => {
      void lookForOthers().then((found) => {
        if (this.#schedule !== schedule) {
          return;
        }
        if (found) {
          this.changed();
        }
        this.#poll(schedule);
      });
    });
  }

  #sleep(): void {
    this.#cancel();
    this.#dueMs = Infinity;
  }

  /** Sets the timer, unless it rings earlier anyway, or there is no connection. */
  #wake(delayMs: number): void {
    const dueMs = this.#runtime.monotonicMs() + delayMs;
    if (dueMs < this.#dueMs && this.#isOnline) {
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
    this.#reconnected = false;
    let report: SyncReport | undefined;
    try {
      report = await this.#parts.run();
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
    } else if (this.#reconnected) {
      this.#wake(0);
    } else if (report?.error?.code === 'SYNC_BUSY') {
      // Another process runs, which is no failure; should it be killed, this one is there soon.
      this.#wake(backoffDelayMs(schedule, 1, this.#runtime, undefined));
    } else {
      this.#failures = report !== undefined && hasMoved(report) ? 1 : this.#failures + 1;
      this.#wake(backoffDelayMs(schedule, this.#failures, this.#runtime, report?.error?.retryAfterMs));
    }
  }
}
