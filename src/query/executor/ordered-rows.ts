import { compareValues } from '../../core/json-order.ts';
import type { JsonValue } from '../../core/json.ts';

/** Where a row stands in the order of ORDER BY: by its sort keys, then by its document, then by its place among the rows of the document. */
export interface OrderedPlace {
  readonly keys: readonly (JsonValue | undefined)[];
  readonly ordinal: number;
  readonly row: number;
}

/** A row that waits for its place in the result. */
export interface OrderedRow extends OrderedPlace {
  readonly value: JsonValue;
  readonly bytes: number;
}

/** Compares places. A descending key turns its own order around; ties follow the order of creation. */
export type PlaceOrder = (left: OrderedPlace, right: OrderedPlace) => number;

/** The order of these directions: -1 for a descending key, 1 for an ascending one. `ties` -1 has the newest of what sorts alike first. */
export function placeOrder(directions: readonly (1 | -1)[], ties: 1 | -1 = 1): PlaceOrder {
  return (left, right) => {
    for (let index = 0; index < directions.length; index += 1) {
      const order = compareValues(left.keys[index], right.keys[index]);
      if (order !== 0) {
        return order * (directions[index] as number);
      }
    }
    return ties * (left.ordinal - right.ordinal) || left.row - right.row;
  };
}

/**
 * The first rows of an order, however many are offered.
 *
 * Keeps at most `capacity` rows, and no more of them than `byteBudget` needs, in a binary heap with the last row on top.
 */
export class FirstRows {
  readonly #order: PlaceOrder;
  readonly #capacity: number;
  readonly #byteBudget: number;
  readonly #heap: OrderedRow[] = [];
  #bytes = 0;
  /** Whether a row was offered that is not among those kept. */
  dropped = false;

  constructor(order: PlaceOrder, capacity: number, byteBudget: number) {
    this.#order = order;
    this.#capacity = capacity;
    this.#byteBudget = byteBudget;
  }

  /** Whether a row at this place would be kept. */
  wants(place: OrderedPlace): boolean {
    const top = this.#heap[0];
    const isFull = this.#heap.length >= this.#capacity || this.#bytes >= this.#byteBudget;
    const wanted = !isFull || (top !== undefined && this.#order(place, top) < 0);
    this.dropped ||= !wanted;
    return wanted;
  }

  /** Takes a row that is wanted. */
  add(row: OrderedRow): void {
    this.#heap.push(row);
    this.#bytes += row.bytes;
    this.#siftUp(this.#heap.length - 1);
    while (this.#isOverfull()) {
      this.#dropTop();
    }
  }

  /** The rows kept, in order. */
  sorted(): OrderedRow[] {
    return this.#heap.toSorted(this.#order);
  }

  #isOverfull(): boolean {
    const top = this.#heap[0] as OrderedRow;
    return this.#heap.length > this.#capacity || (this.#heap.length > 1 && this.#bytes - top.bytes >= this.#byteBudget);
  }

  #dropTop(): void {
    const top = this.#heap[0] as OrderedRow;
    const last = this.#heap.pop() as OrderedRow;
    this.#bytes -= top.bytes;
    this.dropped = true;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown();
    }
  }

  #siftUp(start: number): void {
    const heap = this.#heap;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#order(heap[index] as OrderedRow, heap[parent] as OrderedRow) <= 0) {
        return;
      }
      [heap[index], heap[parent]] = [heap[parent] as OrderedRow, heap[index] as OrderedRow];
      index = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let largest = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < heap.length && this.#order(heap[child] as OrderedRow, heap[largest] as OrderedRow) > 0) {
          largest = child;
        }
      }
      if (largest === index) {
        return;
      }
      [heap[index], heap[largest]] = [heap[largest] as OrderedRow, heap[index] as OrderedRow];
      index = largest;
    }
  }
}
