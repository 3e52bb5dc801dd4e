const BITS = new DataView(new ArrayBuffer(8));
const MAX_BITS = 0x7fef_ffff_ffff_ffffn;

function doubleOf(bits: bigint): number {
  BITS.setBigInt64(0, bits);
  return BITS.getFloat64(0);
}

/** The first of the positive finite doubles, in their order, for which a condition holds that holds for all after it; undefined for none. */
function first(holds: (value: number) => boolean): number | undefined {
  let [low, high] = [1n, MAX_BITS + 1n];
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (holds(doubleOf(middle))) {
      high = middle;
    } else {
      low = middle + 1n;
    }
  }
  return low > MAX_BITS ? undefined : doubleOf(low);
}

/** The first positive double for which something computed of it, which grows with it, is infinite; undefined where it never is. */
export function firstInfinite(compute: (value: number) => number): number | undefined {
  return first((value) => !Number.isFinite(compute(value)));
}

/** The first positive double for which something computed of it, which grows with it, is not 0. */
export function firstNonZero(compute: (value: number) => number): number | undefined {
  return first((value) => compute(value) !== 0);
}

/** The first positive double for which something computed of it, which shrinks as it grows, is finite. */
export function firstFinite(compute: (value: number) => number): number | undefined {
  return first((value) => Number.isFinite(compute(value)));
}

/** The first positive double for which something computed of it, which shrinks as it grows, is 0; undefined where it never is. */
export function firstZero(compute: (value: number) => number): number | undefined {
  return first((value) => compute(value) === 0);
}
