import { keepPartitionKey, parsePartitionKeyText, type PartitionKey } from '../store/partition-key.ts';

/** How many keys are kept, and how long their texts may be: strangers must not fill the memory. */
const MAX_KEPT = 2000;
const MAX_KEPT_LENGTH = 200;

/** Reads partition keys in headers, and remembers them: an application sends the same few over and over. */
export class PartitionKeyParser {
  readonly #known = new Map<string, PartitionKey>();

  /** @throws BAD_REQUEST */
  parse(text: string): PartitionKey {
    const known = this.#known.get(text);
    if (known !== undefined) {
      return known;
    }
    const key = parsePartitionKeyText(text);
    if (text.length > MAX_KEPT_LENGTH) {
      return key;
    }
    if (this.#known.size >= MAX_KEPT) {
      this.#known.clear();
    }
    this.#known.set(text, keepPartitionKey(key));
    return key;
  }
}
