import type { Pacer } from './pacer.ts';

const CHUNK = 4096;

/** Sorts indexes in place of the usual sort, stable, and lets others run in between: a million of them take longer than anyone should wait. */
export async function pacedSort(count: number, compare: (left: number, right: number) => number, pacer: Pacer): Promise<Uint32Array> {
  let from = Uint32Array.from({ length: count }, (_, index) => index);
  for (let start = 0; start < count; start += CHUNK) {
    // By index where rows are equal: the sort of typed arrays promises nothing about these.
    from.subarray(start, start + CHUNK).sort((left, right) => compare(left, right) || left - right);
    await pacer.pause();
  }
  let to = new Uint32Array(count);
  for (let width = CHUNK; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count);
      const end = Math.min(start + 2 * width, count);
      let left = start;
      let right = middle;
      for (let index = start; index < end; index += 1) {
        const takesLeft = left < middle && (right >= end || compare(from[left] as number, from[right] as number) <= 0);
        to[index] = from[takesLeft ? left : right] as number;
        left += takesLeft ? 1 : 0;
        right += takesLeft ? 0 : 1;
        if (pacer.isDue()) {
          await pacer.pause();
        }
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
