import { DigestSums } from '../../core/digest-sums.ts';
import { digestOf } from '../remote/wire-stamp.ts';

/** Ranges that ids fall into, in the order of their hashes. */
const RANGES = 1024;
/** Hexadecimal digits of a hash that name its range: the two highest of their twelve bits are always 0. */
const RANGE_DIGITS = 3;

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

/** One side of a comparison, folded by the ranges of ids. */
export class RangeDigests {
  readonly #sums = new DigestSums(RANGES);

  add({ id, etag, digest }: SideEntry): void {
    this.#sums.add(rangeOf(id), digestOf({ id, etag, digest }));
  }

  /** Documents in a range. */
  countIn(range: number): number {
    return this.#sums.countIn(range);
  }

  /** As {@link DigestSums.differing}. */
  differing(other: RangeDigests, held: number): readonly ReadonlySet<number>[] {
    return this.#sums.differing(other.#sums, held);
  }
}
