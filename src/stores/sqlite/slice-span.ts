/** After so many slices whose end was worked out, the end of the next is looked up. */
const WORKED_OUT = 15;
/** With fewer documents than one for so many ordinals the end of each slice is looked up. */
const MAX_SPREAD = 4;

/**
 * How many ordinals a slice of a whole table covers.
 *
 * Finding the ordinal some rows ahead means stepping over these rows, which costs about a quarter of reading them. Ordinals are mostly without
 * gaps, so the spread of one slice serves for the next ones. A range holds no more documents than ordinals, so a slice stays short in any case.
 */
export class SliceSpan {
  #spread = 0;
  #left = 0;

  /** Notes that `size` documents were found in so many ordinals. */
  measured(size: number, ordinals: number): void {
    this.#spread = ordinals / size;
    this.#left = this.#spread <= MAX_SPREAD ? WORKED_OUT : 0;
  }

  /** How many ordinals are likely to hold `size` documents; undefined where that has to be looked up. */
  next(size: number): number | undefined {
    this.#left -= 1;
    return this.#left < 0 ? undefined : Math.ceil(size * this.#spread);
  }
}
