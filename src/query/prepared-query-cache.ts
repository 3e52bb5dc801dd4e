import type { PreparedQuery } from './prepared-query.ts';

const MAX_ENTRIES = 500;
const MAX_CHARACTERS = 1_000_000;

/** Prepared queries by text, the least recently used dropped first; bounded by number and by the length of all texts. */
export class PreparedQueryCache {
  readonly #prepare: (text: string) => PreparedQuery;
  readonly #entries = new Map<string, PreparedQuery>();
  #characters = 0;

  constructor(prepare: (text: string) => PreparedQuery) {
    this.#prepare = prepare;
  }

  /** The query of a text, prepared now where it is not kept. What preparing throws is thrown and not kept. */
  get(text: string): PreparedQuery {
    const known = this.#entries.get(text);
    if (known !== undefined) {
      this.#entries.delete(text);
      this.#entries.set(text, known);
      return known;
    }
    const prepared = this.#prepare(text);
    this.#entries.set(text, prepared);
    this.#characters += text.length;
    this.#shrink();
    return prepared;
  }

  #shrink(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#characters <= MAX_CHARACTERS) {
        return;
      }
      this.#entries.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}
