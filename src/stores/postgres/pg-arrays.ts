/** Object ids of the types of elements. */
const TEXT = 25;
const INT8 = 20;

/** Dimensions, whether an element is null, the type of elements, the number of elements, the first subscript. */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const INT8_BYTES = 8;
const NULL_LENGTH = -1;

function writeHeader(buffer: Buffer, type: number, count: number, hasNull: boolean): void {
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(hasNull ? 1 : 0, 4);
  buffer.writeInt32BE(type, 8);
  if (count > 0) {
    buffer.writeInt32BE(count, 12);
    buffer.writeInt32BE(1, 16);
  }
}

function bytesBefore(count: number): number {
  return count === 0 ? HEADER_BYTES - 2 * LENGTH_BYTES : HEADER_BYTES;
}

/**
 * A `text[]` in the binary form of the protocol, to be bound as `$n::text[]`. In its text form every quote and backslash of a document would be escaped
 * here, and read again there one by one.
 */
export function textArray(values: readonly (string | null)[]): Buffer {
  let size = bytesBefore(values.length);
  let hasNull = false;
  const lengths = values.map((value) => {
    const length = value === null ? NULL_LENGTH : Buffer.byteLength(value);
    hasNull ||= value === null;
    size += LENGTH_BYTES + Math.max(length, 0);
    return length;
  });
  const buffer = Buffer.allocUnsafe(size);
  writeHeader(buffer, TEXT, values.length, hasNull);
  let at = bytesBefore(values.length);
  for (const [index, value] of values.entries()) {
    at = buffer.writeInt32BE(lengths[index] as number, at);
    if (value !== null) {
      at += buffer.write(value, at);
    }
  }
  return buffer;
}

/** A `bigint[]` of whole numbers that doubles hold exactly, as {@link textArray}. */
export function bigintArray(values: readonly (number | null)[]): Buffer {
  const nulls = values.reduce<number>((count, value) => count + (value === null ? 1 : 0), 0);
  const buffer = Buffer.allocUnsafe(bytesBefore(values.length) + values.length * (LENGTH_BYTES + INT8_BYTES) - nulls * INT8_BYTES);
  writeHeader(buffer, INT8, values.length, nulls > 0);
  let at = bytesBefore(values.length);
  for (const value of values) {
    at = buffer.writeInt32BE(value === null ? NULL_LENGTH : INT8_BYTES, at);
    if (value !== null) {
      at = buffer.writeBigInt64BE(BigInt(value), at);
    }
  }
  return buffer;
}
