import { toHex, type Runtime } from '../core/runtime.ts';

const COUNTER_DIGITS = 12;

/** Makes activity ids: UUIDs with a random part for the server and a counter, since drawing one for each request would cost more than it gives. */
export class ActivityIds {
  readonly #prefix: string;
  #count = 0;

  constructor(runtime: Runtime) {
    const hex = toHex(runtime.randomBytes(8));
    this.#prefix = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(13, 16)}-`;
  }

  next(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(16).padStart(COUNTER_DIGITS, '0');
  }
}
