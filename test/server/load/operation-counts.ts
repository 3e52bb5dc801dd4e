/** How often each operation was done, and how long it took. */
export interface OperationFigures {
  readonly count: number;
  readonly medianMs: number;
  readonly slowMs: number;
}

/** Times of operations by name, in bounded memory: of each name a random sample is kept. */
export class OperationCounts {
  readonly #times = new Map<string, { count: number; readonly sample: number[] }>();
  /** Refusals that were asked for, by status. */
  readonly refusals: Map<number, number> = new Map<number, number>();

  async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const result = await work();
    this.#add(name, performance.now() - startMs);
    return result;
  }

  refused(status: number): void {
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
  }

  get total(): number {
    return Array.from(this.#times.values()).reduce((sum, { count }) => sum + count, 0);
  }

  /** By name: the count, the median, and the time that one in a hundred is above. */
  figures(): Record<string, OperationFigures> {
    return Object.fromEntries(
      Array.from(this.#times, ([name, { count, sample }]) => {
        const sorted = sample.toSorted((left, right) => left - right);
        const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
        return [name, { count, medianMs: at(0.5), slowMs: at(0.99) }];
      }),
    );
  }

  #add(name: string, elapsedMs: number): void {
    const entry = this.#times.get(name) ?? { count: 0, sample: [] };
    entry.count += 1;
    if (entry.sample.length < 10_000) {
      entry.sample.push(elapsedMs);
    } else {
      entry.sample[Math.floor(Math.random() * entry.count) % 10_000] = elapsedMs;
    }
    this.#times.set(name, entry);
  }
}
