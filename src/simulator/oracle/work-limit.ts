import { PerigeeError } from '../../core/errors.ts';

/** Statements and requests after which a run does not end any more: many times of what any has needed. */
const MOST = 40_000;
/** What each event adds to that, where their number is given. */
const MOST_OF_STEP = 400;

/** Bounds what the devices of a world do. Counted and not timed, so that a run that never ends is stopped at the same place each time. */
export class WorkLimit {
  readonly #most: number;
  readonly #violate: (what: string) => void;
  #count = 0;

  constructor(steps: number | undefined, violate: (what: string) => void) {
    this.#most = MOST + (steps ?? 0) * MOST_OF_STEP;
    this.#violate = violate;
  }

  /** Whether there was more than any run needs. */
  get isOver(): boolean {
    return this.#count > this.#most;
  }

  /** A statement or a request. @throws where there have been too many */
  count(): void {
    this.#count += 1;
    if (!this.isOver) {
      return;
    }
    if (this.#count === this.#most + 1) {
      this.#violate(`the run never ends: it has come to ${this.#count} statements and requests`);
    }
    throw new PerigeeError('STORE_IO', 'The simulation has ended.');
  }
}
