import type { ServerResponse } from 'node:http';
import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { ClientGoneError } from '../body-reader.ts';

/** How many requests are carried out at a time, and how many more may wait how long. */
export interface AdmissionLimits {
  readonly maxRequests: number;
  readonly maxQueuedRequests: number;
  readonly queueTimeoutMs: number;
}

/** Is told of every change. */
export interface AdmissionObserver {
  /** Requests in work and in the queue are more, or fewer, by so many. */
  changed(working: number, queued: number): void;
  refused(reason: 'queue_full' | 'timeout'): void;
}

/** Who is refused comes again after this, or up to twice as much: all at once they would only be refused again. */
const RETRY_AFTER_MS = 1000;

/** As much of a response as tells that nobody waits for it any more. */
type Answer = Pick<ServerResponse, 'once' | 'off' | 'destroyed'>;

const GONE = 'The client went away while its request waited.';

interface Waiter {
  readonly admit: () => void;
}

/**
 * How many requests a server carries out at a time. Others wait in the order in which they came, and those that there is no room for are refused with
 * 429, which clients repeat by themselves: a queue without an end would only make all of them late.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #runtime: Runtime;
  readonly #observer: AdmissionObserver | undefined;
  readonly #queue = new Set<Waiter>();
  #working = 0;
  #refused = 0;

  constructor(limits: AdmissionLimits, runtime: Runtime, observer: AdmissionObserver | undefined) {
    this.#limits = limits;
    this.#runtime = runtime;
    this.#observer = observer;
  }

  get status(): { readonly working: number; readonly queued: number; readonly refused: number } {
    return { working: this.#working, queued: this.#queue.size, refused: this.#refused };
  }

  /** Whether the next request would be refused. */
  get isFull(): boolean {
    return this.#working >= this.#limits.maxRequests && this.#queue.size >= this.#limits.maxQueuedRequests;
  }

  /** Before anything is done for a request. @throws THROTTLED where it would be refused */
  check(): void {
    if (this.isFull) {
      throw this.#refusal('queue_full');
    }
  }

  /**
   * Lets a request in; `undefined` where there is room at once. Whoever is in calls {@link leave}.
   *
   * @throws THROTTLED when the queue is full, and after the longest wait; ClientGoneError
   */
  enter(response: Answer): Promise<void> | undefined {
    if (this.#working < this.#limits.maxRequests) {
      this.#change(1, 0);
      return undefined;
    }
    if (response.destroyed) {
      return Promise.reject(new ClientGoneError(GONE));
    }
    return this.isFull ? Promise.reject(this.#refusal('queue_full')) : this.#wait(response);
  }

  leave(): void {
    const [next] = this.#queue;
    if (next === undefined) {
      this.#change(-1, 0);
    } else {
      next.admit();
    }
  }

  #wait(response: Answer): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel();
        response.off('close', onGone);
        this.#queue.delete(waiter);
        this.#change(0, -1);
      };
      // The place of the one that left.
      const waiter: Waiter = {
        admit: () => {
          end();
          resolve();
        },
      };
      const onGone = (): void => {
        end();
        reject(new ClientGoneError(GONE));
      };
      const cancel = this.#runtime.setTimer(this.#limits.queueTimeoutMs, () => {
        end();
        reject(this.#refusal('timeout'));
      });
      response.once('close', onGone);
      this.#queue.add(waiter);
      this.#change(0, 1);
    });
  }

  #change(working: number, queued: number): void {
    this.#working += working;
    this.#observer?.changed(working, queued);
  }

  #refusal(reason: 'queue_full' | 'timeout'): PerigeeError {
    this.#refused += 1;
    this.#observer?.refused(reason);
    return new PerigeeError('THROTTLED', 'The server has more requests than it can carry out. Wait and try again.', {
      retryAfterMs: RETRY_AFTER_MS * (1 + this.#runtime.random()),
    });
  }
}
