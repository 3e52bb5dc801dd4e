/** One entry of an {@link OrderLog}: a number that grows from entry to entry, and the key of a row. */
export interface OrderEntry {
  readonly order: number;
  readonly key: string;
}

/** How many entries may be dead before a log is worth rewriting. */
const MIN_DEAD = 1000;

/**
 * Keys in the order of a growing number. Entries are never changed, so one may be dead: its row has another number by now, or is gone. The owner
 * tells dead entries by looking at the row, and asks for a rewrite when they outnumber the living.
 */
export class OrderLog<E extends OrderEntry = OrderEntry> {
  #entries: E[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** Appends an entry; its number is higher than all before. */
  append(entry: E): void {
    this.#entries.push(entry);
  }

  /** Index of the first entry whose number is higher than `order`. Indexes hold until the next rewrite. */
  indexAfter(order: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as E).order > order) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  at(index: number): E | undefined {
    return this.#entries[index];
  }

  /** Drops dead entries when they outnumber the `liveCount` living ones. */
  rewrite(liveCount: number, isLive: (entry: E) => boolean): void {
    if (this.#entries.length - liveCount > Math.max(MIN_DEAD, liveCount)) {
      this.#entries = this.#entries.filter(isLive);
    }
  }

  /** Drops all dead entries and gives the number of living ones. */
  compact(isLive: (entry: E) => boolean): number {
    if (!this.#entries.every(isLive)) {
      this.#entries = this.#entries.filter(isLive);
    }
    return this.#entries.length;
  }
}
