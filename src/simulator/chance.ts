import { seededRandom, type RandomWords } from '../core/seeded-random.ts';

/** Draws from one seed: what happens next in a simulation. */
export class Chance {
  readonly #words: RandomWords;

  constructor(seed: number | string) {
    this.#words = seededRandom(seed);
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return this.#words() % limit;
  }

  /** Whether something of `percent` percent happens. */
  happens(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** One of the choices, by their weights; those of weight 0 never. At least one has a weight. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) {
        return choice;
      }
    }
    throw new RangeError('None of the choices has a weight.');
  }
}
