/**
 * How many locks the bulk calls of one process hold at a time.
 *
 * The server has one table of locks for all connections, by default with room for some thousands, and a statement that finds it full fails.
 */
export class LockBudget {
  #free: number;
  readonly #waiting: { readonly amount: number; readonly enter: () => void }[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  /** Runs `work` when `amount` locks are free, no more than there are in all; in the order of the calls. */
  async run<R>(amount: number, work: () => Promise<R>): Promise<R> {
    if (this.#waiting.length > 0 || this.#free < amount) {
      await new Promise<void>((enter) => this.#waiting.push({ amount, enter }));
    } else {
      this.#free -= amount;
    }
    try {
      return await work();
    } finally {
      this.#free += amount;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.amount <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.amount;
      next.enter();
    }
  }
}
