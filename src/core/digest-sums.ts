const MASK = (1n << 128n) - 1n;

/**
 * Documents folded into a count and a sum of digests for each of some ranges: of fixed size, whatever their number and in whatever order they come. Two sides
 * whose ranges are alike hold the same.
 */
export class DigestSums {
  readonly #counts: number[];
  readonly #sums: bigint[];

  /** @param ranges how many there are */
  constructor(ranges: number) {
    this.#counts = Array.from({ length: ranges }, () => 0);
    this.#sums = Array.from({ length: ranges }, () => 0n);
  }

  /** Adds a document to its range, by a digest of 128 bits in hexadecimal digits. */
  add(range: number, digest: string): void {
    this.#counts[range] = this.countIn(range) + 1;
    this.#sums[range] = ((this.#sums[range] as bigint) + BigInt(`0x${digest}`)) & MASK;
  }

  /** Documents in a range. */
  countIn(range: number): number {
    return this.#counts[range] as number;
  }

  /** Ranges that are not alike, in groups in which this side has no more than `held` documents, unless one range alone has more. */
  differing(other: DigestSums, held: number): ReadonlySet<number>[] {
    const groups: Set<number>[] = [];
    let room = 0;
    for (const [range, count] of this.#counts.entries()) {
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
