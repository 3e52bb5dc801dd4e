/** When a version of a document expires. */
export interface Expiry {
  readonly atSeconds: number;
  /** Creation order, which decides among those of one second. */
  readonly ordinal: number;
  readonly key: string;
  /** The version; an entry whose document has another one by now says nothing. */
  readonly position: number;
}

function isBefore(left: Expiry, right: Expiry): boolean {
  return left.atSeconds < right.atSeconds || (left.atSeconds === right.atSeconds && left.ordinal < right.ordinal);
}

/** Expiries in the order of their time: a binary heap, whose first entry is the next to come. */
export class ExpiryQueue {
  readonly #heap: Expiry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The next to come. */
  get first(): Expiry | undefined {
    return this.#heap[0];
  }

  push(expiry: Expiry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(expiry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(expiry, heap[parent] as Expiry)) {
        break;
      }
      heap[at] = heap[parent] as Expiry;
      at = parent;
    }
    heap[at] = expiry;
  }

  /** Takes the first entry out. */
  pop(): Expiry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) {
      return first;
    }
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) {
        break;
      }
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Expiry, heap[child] as Expiry)) {
        child += 1;
      }
      if (!isBefore(heap[child] as Expiry, last)) {
        break;
      }
      heap[at] = heap[child] as Expiry;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}
