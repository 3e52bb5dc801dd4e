import { seededRandom, type RandomWords } from '../../../src/core/seeded-random.ts';

/** Chance from a seed: equal seeds draw equal requests. */
export class Draw {
  readonly #words: RandomWords;

  constructor(seed: number | string) {
    this.#words = seededRandom(seed);
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor((this.#words() / 2 ** 32) * limit);
  }

  /** Whether something that happens `share` of the time happens now. */
  chance(share: number): boolean {
    return this.#words() / 2 ** 32 < share;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A number whose size is as often of one order of magnitude as of the next. */
  size(max: number): number {
    return Math.floor(2 ** ((this.#words() / 2 ** 32) * Math.log2(max + 1))) - 1;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Text of characters that a header or a path may hold. */
  token(length: number): string {
    return Array.from({ length }, () => String.fromCharCode(0x21 + this.below(0x5e))).join('');
  }
}
