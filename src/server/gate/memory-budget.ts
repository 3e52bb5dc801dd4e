import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';

/** How long a request waits for memory before it is told to come again. */
const MAX_WAIT_MS = 5000;
const RETRY_AFTER_MS = 1000;

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * The memory that bodies of requests and answers may take together.
 *
 * A request reserves what its body may need before it is read, so that requests which are half there never wait for each other. Answers are
 * charged when they are written; until clients have taken them, new requests wait.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #runtime: Runtime;
  readonly #waiting: Waiter[] = [];
  #usedBytes = 0;

  constructor(maxBytes: number, runtime: Runtime) {
    this.#maxBytes = maxBytes;
    this.#runtime = runtime;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Reserves memory in the order of calls; `undefined` where it is there at once.
   *
   * @throws THROTTLED after five seconds without
   */
  reserve(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#usedBytes += bytes;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        admit: () => {
          cancel();
          this.#usedBytes += bytes;
          resolve();
        },
      };
      const cancel = this.#runtime.setTimer(MAX_WAIT_MS, () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(
          new PerigeeError('THROTTLED', 'Too many requests and answers are under way for the memory of the server.', {
            retryAfterMs: RETRY_AFTER_MS,
          }),
        );
        this.#admitNext();
      });
      this.#waiting.push(waiter);
    });
  }

  /** Takes memory without asking: an answer that exists is written. */
  charge(bytes: number): void {
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#admitNext();
  }

  #admitNext(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.admit();
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#maxBytes;
  }
}
