import { toHex, type Runtime } from '../core/runtime.ts';

const COUNTER_DIGITS = 12;
/** The last digits of a count, written once: counting on is all that most ids take. */
const LAST_DIGITS: readonly string[] = Array.from({ length: 0x1000 }, (_, count) => count.toString(16).padStart(3, '0'));

/** Makes activity ids: UUIDs with a random part for the server and a counter, since drawing one for each request would cost more than it gives. */
export class ActivityIds {
  readonly #prefix: string;
  #count = 0;
  /** All but the last digits of the ids that are given now. */
  #beginning = '';

  constructor(runtime: Runtime) {
    const hex = toHex(runtime.randomBytes(8));
    this.#prefix = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(13, 16)}-`;
  }

  next(): string {
    const last = this.#count % LAST_DIGITS.length;
    if (last === 0) {
      const before = Math.floor(this.#count / LAST_DIGITS.length);
      this.#beginning = this.#prefix + before.toString(16).padStart(COUNTER_DIGITS - 3, '0');
    }
    this.#count += 1;
    return this.#beginning + (LAST_DIGITS[last] as string);
  }
}
