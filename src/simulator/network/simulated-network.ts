import { PerigeeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/error-codes.ts';

/** A request between being sent and being answered. */
export interface Flight {
  readonly number: number;
  /** Name of the device that sent it. */
  readonly from: string;
  /** What it asks, for the trace. */
  readonly label: string;
  readonly state: 'sent' | 'answered' | 'given-up';
}

interface OpenFlight {
  readonly number: number;
  readonly from: string;
  readonly label: string;
  state: Flight['state'];
  /** Carries the request out at the remote. */
  readonly apply: () => Promise<unknown>;
  settle: (() => void) | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The error of a request that the simulation lets fail. */
export function simulatedError(code: ErrorCode, retryAfterMs?: number): PerigeeError {
  return new PerigeeError(code, `The simulated line gives ${code}.`, { retryAfterMs });
}

/**
 * All requests that are under way. Nothing moves by itself: the simulation decides which request reaches the remote, which answer comes back, and which
 * of both is lost.
 */
export class SimulatedNetwork {
  readonly #flights: OpenFlight[] = [];
  readonly #cut = new Set<string>();
  /** Whether every request is carried out and answered at once. */
  isIdeal = false;
  #number = 0;

  /** Requests that can be carried out, answered, or lost. */
  get flights(): readonly Flight[] {
    return this.#flights;
  }

  /** Cuts a device off: its requests fail at once. */
  cut(device: string): void {
    this.#cut.add(device);
  }

  /** Connects a device again. */
  mend(device: string): void {
    this.#cut.delete(device);
  }

  isCut(device: string): boolean {
    return this.#cut.has(device);
  }

  /** Sends a request; resolves or rejects when the simulation says so, or the signal does. */
  async send<R>(from: string, label: string, apply: () => Promise<R>, signal: AbortSignal | undefined): Promise<R> {
    signal?.throwIfAborted();
    if (this.isIdeal) {
      return apply();
    }
    if (this.#cut.has(from)) {
      throw simulatedError('UNREACHABLE');
    }
    return new Promise<R>((resolve, reject) => {
      this.#number += 1;
      const onAbort = (): void => {
        reject(signal?.reason as Error);
        // What was sent may still arrive.
        flight.state = flight.state === 'sent' ? 'given-up' : flight.state;
      };
      const ending =
        <T>(end: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort);
          end(value);
        };
      const flight: OpenFlight = {
        number: this.#number,
        from,
        label,
        state: 'sent',
        apply,
        settle: undefined,
        resolve: ending((answer: unknown) => resolve(answer as R)),
        reject: ending(reject),
      };
      this.#flights.push(flight);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets the remote carry a request out; the answer is then on its way. One that its sender gave up is carried out and forgotten. */
  async deliver({ number }: Flight): Promise<void> {
    const flight = this.#find(number);
    const isAwaited = flight.state === 'sent';
    try {
      const answer = await flight.apply();
      flight.settle = () => flight.resolve(answer);
    } catch (error) {
      flight.settle = () => flight.reject(error);
    }
    flight.state = 'answered';
    if (!isAwaited) {
      this.#forget(flight);
    }
  }

  /** Lets the remote carry a request out once more than it was sent; the further answer goes nowhere. */
  async duplicate({ number }: Flight): Promise<void> {
    try {
      await this.#find(number).apply();
    } catch {
      // Nobody hears of it.
    }
  }

  /** Lets an answer arrive. */
  answer({ number }: Flight): void {
    const flight = this.#find(number);
    this.#forget(flight);
    flight.settle?.();
  }

  /** Loses a request, or its answer: the sender sees an error. */
  lose({ number }: Flight, code: ErrorCode, retryAfterMs?: number): void {
    const flight = this.#find(number);
    this.#forget(flight);
    flight.reject(simulatedError(code, retryAfterMs));
  }

  /** The sender gives up waiting, while the request is still on its way. */
  giveUp({ number }: Flight): void {
    const flight = this.#find(number);
    flight.state = 'given-up';
    flight.reject(simulatedError('TIMEOUT'));
  }

  /** The remote goes down: whatever is under way is gone, and who waits sees an error. */
  breakAll(): void {
    for (const flight of this.#flights.splice(0)) {
      flight.reject(simulatedError('CONNECTION_LOST'));
    }
  }

  #find(number: number): OpenFlight {
    const flight = this.#flights.find((one) => one.number === number);
    if (flight === undefined) {
      throw new RangeError(`There is no request ${number} under way.`);
    }
    return flight;
  }

  #forget(flight: OpenFlight): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1);
  }
}
