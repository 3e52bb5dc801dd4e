const LIMIT = 2 ** 63;

/** The largest 64-bit integer. */
export const MAX_INT64: bigint = 2n ** 63n - 1n;

/** The number as a 64-bit integer; undefined unless it is whole and in range. 2^63 counts as the largest, which reads as that double. */
export function toInt64(value: unknown): bigint | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > LIMIT) {
    return undefined;
  }
  return value === LIMIT ? MAX_INT64 : BigInt(value);
}

/** Whether an integer fits 64 bits. */
export function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}
