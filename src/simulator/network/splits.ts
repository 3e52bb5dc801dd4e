/** A partition of the remote that splits or merges: until it has, and once after that, requests are answered that it is gone. */
export class Splits {
  #untilMs: number | undefined;
  #completing: 1007 | 1008 = 1007;
  #lookers = 0;

  /** A change begins, and ends at a time in milliseconds since 1970. */
  begin(what: 'splits' | 'merges', untilMs: number): void {
    this.#untilMs = untilMs;
    this.#completing = what === 'splits' ? 1007 : 1008;
  }

  /** Looks at the remote as if nothing of the kind happened. */
  async look<R>(work: () => Promise<R>): Promise<R> {
    this.#lookers += 1;
    try {
      return await work();
    } finally {
      this.#lookers -= 1;
    }
  }

  /** Nobody has to be told of it any more. */
  end(): void {
    this.#untilMs = undefined;
  }

  /** Sub-status of the answer 410 to a request: 1007 or 1008 while the change lasts, then 1002 once; `undefined` where the request is answered. */
  subStatus(nowMs: number): number | undefined {
    if (this.#untilMs === undefined || this.#lookers > 0) {
      return undefined;
    }
    if (nowMs < this.#untilMs) {
      return this.#completing;
    }
    this.end();
    return 1002;
  }
}
