import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { ShiftableRuntime } from '../../core/shiftable-runtime.ts';
import { parseMoment } from './parse-moment.ts';

/** The time that documents of a server have. */
export interface ClockReport {
  /** In ISO 8601. */
  readonly now: string;
  /** In milliseconds since 1970. */
  readonly nowMs: number;
  /** How far it is ahead of the clock of the host, in milliseconds. */
  readonly shiftedMs: number;
  readonly isMovable: boolean;
}

const WANTED = 'The body is {"advanceMs": number} or {"to": "a date with its zone"}.';

/** Moves the time of a backend, and that of the server's tokens with it. */
export class AdminClock {
  readonly #clock: Runtime;
  readonly #others: readonly ShiftableRuntime[];

  /** @param runtimes further clocks that move together with the backend's */
  constructor(backendRuntime: Runtime, runtimes: readonly Runtime[]) {
    this.#clock = backendRuntime;
    this.#others = Array.from(new Set(runtimes)).filter(
      (runtime): runtime is ShiftableRuntime => runtime instanceof ShiftableRuntime && runtime !== backendRuntime,
    );
  }

  report(): ClockReport {
    const nowMs = Math.floor(this.#clock.nowMs());
    const isMovable = this.#clock instanceof ShiftableRuntime;
    return { now: new Date(nowMs).toISOString(), nowMs, shiftedMs: isMovable ? this.#clock.shiftedMs : 0, isMovable };
  }

  /** Moves the clock as the body of a request says. @throws NOT_SUPPORTED where the backend's clock cannot be moved, BAD_REQUEST */
  move(body: unknown): ClockReport {
    const clock = this.#clock;
    if (!(clock instanceof ShiftableRuntime)) {
      throw new PerigeeError(
        'NOT_SUPPORTED',
        'The clock of the served store cannot be moved. Open the backend with a ShiftableRuntime, as perigee serve does.',
      );
    }
    const durationMs = this.#durationMs(body);
    clock.shift(durationMs);
    this.#others.forEach((other) => other.shift(durationMs));
    return this.report();
  }

  #durationMs(body: unknown): number {
    if (!isJsonObject(body) || Object.keys(body).length !== 1) {
      throw new PerigeeError('BAD_REQUEST', WANTED);
    }
    const { advanceMs, to } = body;
    const target = typeof to === 'string' ? parseMoment(to) : undefined;
    const durationMs = typeof advanceMs === 'number' ? advanceMs : target === undefined ? Number.NaN : target - this.#clock.nowMs();
    if (Number.isNaN(durationMs)) {
      throw new PerigeeError('BAD_REQUEST', WANTED);
    }
    if (durationMs < 0) {
      throw new PerigeeError('BAD_REQUEST', 'The clock moves forward only: what was written would lie in the future otherwise.');
    }
    return durationMs;
  }
}
