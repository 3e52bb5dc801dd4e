import { throwIfAborted } from '../../core/errors.ts';

interface Waiting {
  readonly start: () => void;
}

/** Lets one task at a time through, in the order of asking. */
export class WriterQueue {
  readonly #waiting = new Set<Waiting>();
  #busy = false;

  /** Enters without waiting, if nobody is in. */
  tryEnter(): boolean {
    if (this.#busy) {
      return false;
    }
    this.#busy = true;
    return true;
  }

  /** Lets the next one in. */
  leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next.start();
      return;
    }
    this.#busy = false;
  }

  /** Waits for its turn, runs `work`, and leaves. A signal ends the waiting, not the work. @throws the signal's reason */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    if (!this.tryEnter()) {
      await this.#turn(signal);
    }
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiting);
        reject(signal?.reason as Error);
      };
      const waiting: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
