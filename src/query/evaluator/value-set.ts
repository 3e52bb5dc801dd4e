import { PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { valueKey } from '../functions/value-key.ts';

/** How many different values DISTINCT and GROUP BY hold in memory before the query fails with QUERY_LIMIT. */
export const MAX_DISTINCT_VALUES = 250_000;
/** How many characters the keys of these values may have together. */
export const MAX_DISTINCT_CHARACTERS: number = 64 * 1024 * 1024;

/** Something kept for each different value, deeply compared, in the order of first appearance; its size is bounded. */
export class ValueMap<T> {
  readonly #clause: string;
  readonly #entries = new Map<string, T>();
  #characters = 0;

  /** `clause` names what fills the map, for the error. */
  constructor(clause: string) {
    this.#clause = clause;
  }

  /** What is kept for a value, or else what `create` gives. @throws QUERY_LIMIT */
  getOrCreate(value: JsonValue | undefined, create: () => T): T {
    const key = valueKey(value);
    return this.#entries.get(key) ?? this.add(key, create());
  }

  /** What is kept under a key that values have when they are equal, and only then. */
  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  /** Keeps something under a key that is not there yet. @throws QUERY_LIMIT */
  add(key: string, created: T): T {
    this.#characters += key.length;
    if (this.#entries.size >= MAX_DISTINCT_VALUES || this.#characters > MAX_DISTINCT_CHARACTERS) {
      throw new PerigeeError(
        'QUERY_LIMIT',
        `Cannot run the query: ${this.#clause} holds at most ${MAX_DISTINCT_VALUES} different values of ${MAX_DISTINCT_CHARACTERS} characters together. Filter more.`,
      );
    }
    this.#entries.set(key, created);
    return created;
  }

  get size(): number {
    return this.#entries.size;
  }

  values(): IterableIterator<T> {
    return this.#entries.values();
  }
}

/** The values seen so far. */
export class ValueSet {
  readonly #seen = new ValueMap<true>('DISTINCT');

  /** Whether the value is new. @throws QUERY_LIMIT */
  add(value: JsonValue): boolean {
    const before = this.#seen.size;
    this.#seen.getOrCreate(value, () => true);
    return this.#seen.size > before;
  }
}
