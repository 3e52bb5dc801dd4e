import { PerigeeError, throwIfAborted } from '../core/errors.ts';

/**
 * Counts the calls under way on something that can be closed: refuses calls after the close has begun, lets a close wait for those before it,
 * and ends a call early for its caller when the signal aborts.
 */
export class CallTracker {
  readonly #name: string;
  #active = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** @throws CLOSED */
  assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new PerigeeError('CLOSED', `The ${this.#name} is closed. Open it again.`);
    }
  }

  /** Runs a call. @throws CLOSED, the signal's reason, and what `work` throws */
  run<R>(signal: AbortSignal | undefined, work: () => Promise<R> | R): Promise<R> {
    return this.runFor(signal, work, itself);
  }

  /** {@link run}, and gives what is made of the result: without a promise in between, for calls that are short. */
  async runFor<R, G>(signal: AbortSignal | undefined, work: () => Promise<R> | R, give: (result: R) => G): Promise<G> {
    this.assertOpen();
    throwIfAborted(signal);
    this.#active += 1;
    if (signal === undefined) {
      try {
        return give(await work());
      } finally {
        this.#leave();
      }
    }
    return abortable(this.#settle(work, give), signal);
  }

  /** Refuses new calls, waits for those under way, then runs `release` once; later calls wait for the same end. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#idle().then(release);
    return this.#closing;
  }

  async #settle<R, G>(work: () => Promise<R> | R, give: (result: R) => G): Promise<G> {
    try {
      return give(await work());
    } finally {
      this.#leave();
    }
  }

  #idle(): Promise<void> {
    return this.#active === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#onIdle = resolve;
        });
  }

  #leave(): void {
    this.#active -= 1;
    if (this.#active === 0) {
      this.#onIdle?.();
    }
  }
}

function itself<R>(result: R): R {
  return result;
}

/** Settles as `pending`, or rejects with the signal's reason as soon as it aborts; `pending` then goes on unobserved. */
export function abortable<R>(pending: Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      onAbort();
    }
    signal.addEventListener('abort', onAbort, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
