import type { Runtime } from '../../core/runtime.ts';

const MIN_ROWS = 16;
const FIRST_ROWS = 64;
const MAX_ROWS = 2048;
const TARGET_MS = 8;
const TARGET_CHARACTERS = 1_000_000;

/** How many rows the next slice of a long walk covers: as many as take some milliseconds and some memory, whatever the size of the documents. */
export class SliceSize {
  readonly #runtime: Runtime;
  readonly #leastByTime: number;
  #rows: number;
  #startMs = 0;

  /**
   * `expectedRows`: how many rows the reader is likely to take. `leastByTime`: below how many a slice does not get for the time it takes, where
   * most of that is spent before the first row.
   */
  constructor(runtime: Runtime, expectedRows: number = FIRST_ROWS, leastByTime: number = MIN_ROWS) {
    this.#leastByTime = leastByTime;
    this.#rows = Math.min(Math.max(expectedRows, MIN_ROWS), 4 * FIRST_ROWS);
    this.#runtime = runtime;
  }

  /** Starts a slice and gives its size. */
  begin(): number {
    this.#startMs = this.#runtime.monotonicMs();
    return this.#rows;
  }

  /** Ends a slice that brought `characters` of text. */
  end(characters: number): void {
    const elapsedMs = this.#runtime.monotonicMs() - this.#startMs;
    if (characters > TARGET_CHARACTERS) {
      this.#rows = Math.max(MIN_ROWS, this.#rows >>> 1);
    } else if (elapsedMs > TARGET_MS) {
      this.#rows = Math.max(this.#leastByTime, this.#rows >>> 1);
    } else if (elapsedMs < TARGET_MS / 3 && characters < TARGET_CHARACTERS / 3) {
      this.#rows = Math.min(MAX_ROWS, this.#rows * 2);
    }
  }
}
