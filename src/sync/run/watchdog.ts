import { PerigeeError } from '../../core/errors.ts';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';

/** Ends work that makes no progress for too long. One piece of work at a time. */
export class Watchdog {
  readonly #runtime: Runtime;
  readonly #timeoutMs: number;
  #stalledAtMs = 0;

  /** @param timeoutMs 0 for never */
  constructor(runtime: Runtime, timeoutMs: number) {
    this.#runtime = runtime;
    this.#timeoutMs = timeoutMs;
  }

  /** Takes note of progress, or of a wait of so long that begins and is meant. */
  progressed(waitMs: number = 0): void {
    this.#stalledAtMs = this.#runtime.monotonicMs() + waitMs + this.#timeoutMs;
  }

  /** Does work whose signal aborts when the one given does, and with SYNC_STALLED when there was no progress for too long. */
  async watch<R>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    if (this.#timeoutMs === 0) {
      return work(signal);
    }
    const stalled = new AbortController();
    let cancel: CancelTimer;
    const look = (): void => {
      const leftMs = this.#stalledAtMs - this.#runtime.monotonicMs();
      if (leftMs > 0) {
        cancel = this.#runtime.setTimer(leftMs, look);
        return;
      }
      stalled.abort(
        new PerigeeError(
          'SYNC_STALLED',
          `The run made no progress for ${this.#timeoutMs} ms and was ended. The next one goes on where it stopped.`,
        ),
      );
    };
    this.progressed();
    cancel = this.#runtime.setTimer(this.#timeoutMs, look);
    try {
      return await work(AbortSignal.any([signal, stalled.signal]));
    } finally {
      cancel();
    }
  }
}
