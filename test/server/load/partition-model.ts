import type { Draw } from '../hostile/draw.ts';
import type { LoadItem } from './load-item.ts';

/** What a document must be now. */
export interface HeldItem {
  readonly item: LoadItem;
  readonly etag: string;
}

/** What one partition key must hold: kept by the one client that writes there. */
export class PartitionModel {
  readonly key: string;
  readonly #held = new Map<string, HeldItem>();
  /** Ids in no order, so that one can be picked at once. */
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();
  #made = 0;

  constructor(key: string) {
    this.key = key;
  }

  get size(): number {
    return this.#ids.length;
  }

  get items(): LoadItem[] {
    return Array.from(this.#held.values(), ({ item }) => item);
  }

  get(id: string): HeldItem | undefined {
    return this.#held.get(id);
  }

  /** An id that was never used here. */
  nextId(): string {
    this.#made += 1;
    return `${this.key}-${this.#made}`;
  }

  /** Any of the documents. */
  pick(draw: Draw): HeldItem | undefined {
    return this.size === 0 ? undefined : this.#held.get(draw.pick(this.#ids));
  }

  set(item: LoadItem, etag: string): void {
    if (!this.#held.has(item.id)) {
      this.#places.set(item.id, this.#ids.length);
      this.#ids.push(item.id);
    }
    this.#held.set(item.id, { item, etag });
  }

  delete(id: string): void {
    const place = this.#places.get(id) as number;
    const last = this.#ids.pop() as string;
    if (last !== id) {
      this.#ids[place] = last;
      this.#places.set(last, place);
    }
    this.#places.delete(id);
    this.#held.delete(id);
  }
}
