import { digestOf } from './wire-stamp.ts';

/** Ranges that ids fall into, in the order of their hashes. */
const RANGES = 1024;
/** Hexadecimal digits of a hash that name its range: the two highest of their twelve bits are always 0. */
const RANGE_DIGITS = 3;
const MASK = (1n << 128n) - 1n;

/** What one side says of one document. */
export interface SideEntry {
  readonly id: string;
  /** Etag of the remote version; empty where the device knows of none. */
  readonly etag: string;
  readonly digest: string;
}

/** The range of an id. */
export function rangeOf(id: string): number {
  return Number.parseInt(digestOf({ id }).slice(0, RANGE_DIGITS), 16);
}

/**
 * One side folded into a count and a sum of digests for each range of the hashes of ids: of fixed size, whatever the number of documents and in whatever
 * order they come. Sides whose ranges are alike hold the same.
 */
export class RangeDigests {
  readonly #counts: number[] = Array.from({ length: RANGES }, () => 0);
  readonly #sums: bigint[] = Array.from({ length: RANGES }, () => 0n);

  add({ id, etag, digest }: SideEntry): void {
    const range = rangeOf(id);
    this.#counts[range] = this.countIn(range) + 1;
    this.#sums[range] = ((this.#sums[range] as bigint) + BigInt(`0x${digestOf({ id, etag, digest })}`)) & MASK;
  }

  /** Documents in a range. */
  countIn(range: number): number {
    return this.#counts[range] as number;
  }

  /** Ranges that are not alike, in groups in which this side has no more than `held` documents, unless one range alone has more. */
  differing(other: RangeDigests, held: number): readonly ReadonlySet<number>[] {
    const groups: Set<number>[] = [];
    let room = 0;
    for (let range = 0; range < RANGES; range += 1) {
      const count = this.countIn(range);
      if (count !== other.countIn(range) || this.#sums[range] !== other.#sums[range]) {
        if (groups.length === 0 || room < count) {
          groups.push(new Set());
          room = held;
        }
        groups.at(-1)?.add(range);
        room -= count;
      }
    }
    return groups;
  }
}
