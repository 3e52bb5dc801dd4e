import type { JsonValue } from '../../core/json.ts';
import { measureValue, notFiniteError } from './measure-value.ts';

/** A page ends with the item that brings it to this size, by {@link measureValue}. */
export const PAGE_BYTES: number = 4 * 1024 * 1024;

/** Fills one page: leaves out what OFFSET says, and takes rows until the page is full. */
export class PageCollector {
  readonly items: JsonValue[] = [];
  bytes = 0;
  /** Rows still to leave out. */
  skip: number;
  /** Whether a row came that the page had no place for. */
  overflowed = false;
  readonly #capacity: number;
  readonly #take: number;

  /** `take` is how many rows TOP or LIMIT still allow. */
  constructor(skip: number, take: number, maxItemCount: number) {
    this.skip = skip;
    this.#take = take;
    this.#capacity = Math.min(take, maxItemCount);
  }

  get isFull(): boolean {
    return this.items.length >= this.#capacity || this.bytes >= PAGE_BYTES;
  }

  /** Whether TOP or LIMIT is used up: then there is nothing more, whatever the documents hold. */
  get isDone(): boolean {
    return this.items.length >= this.#take;
  }

  /** Whether the rest of the rows has no place here. */
  get isClosed(): boolean {
    return this.overflowed || this.isDone;
  }

  /** Takes a row, or leaves it out; false when it belongs to the next page. @throws QUERY_FAILED for a number that is not finite */
  add(value: JsonValue): boolean {
    if (this.skip > 0) {
      this.skip -= 1;
      return true;
    }
    if (this.isFull) {
      this.overflowed = true;
      return false;
    }
    const bytes = measureValue(value);
    if (Number.isNaN(bytes)) {
      throw notFiniteError();
    }
    this.items.push(value);
    this.bytes += bytes;
    return true;
  }
}
