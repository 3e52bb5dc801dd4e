/** The values of a column, that of a row at its index: texts, whole numbers that doubles hold exactly, and NULL. */
export type CopyColumn = readonly (string | number | null)[];

/** Stands for a column of positions, which are not known before locks are held. */
export const POSITIONS: unique symbol = Symbol('positions');

/** The signature, no flags, no extension. */
const HEADER = Buffer.from('PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** Instead of the number of columns of another row. */
const END = -1;
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const INT8_BYTES = 8;
const NULL_LENGTH = -1;
const WORD = 2 ** 32;

/** Bytes of a text in UTF-8 at most, for each unit of it. */
const UNIT_BYTES = 3;
/** Longer texts are measured before room is made for them. */
const SHORT_UNITS = 64;

function roomFor(value: string | number | null): number {
  if (typeof value !== 'string') {
    return INT8_BYTES;
  }
  return value.length <= SHORT_UNITS ? value.length * UNIT_BYTES : Buffer.byteLength(value);
}

function writeInt8(buffer: Buffer, value: number, at: number): number {
  const high = Math.floor(value / WORD);
  return buffer.writeUInt32BE(value - high * WORD, buffer.writeInt32BE(high, at));
}

/**
 * Rows in the binary form of `COPY`, for columns of the types `text` and `bigint`; `order` holds the indexes of the rows as they are to stand. Gives a function
 * that fills in the positions: that of a row stands at its index.
 *
 * In the text form every backslash of a document would be doubled here, and every character looked at by the server.
 */
export function copyRows(
  columns: readonly (CopyColumn | typeof POSITIONS)[],
  order: readonly number[],
): (positions: readonly number[]) => Buffer {
  let room = HEADER.length + COUNT_BYTES + order.length * (COUNT_BYTES + columns.length * LENGTH_BYTES);
  for (const column of columns) {
    room += column === POSITIONS ? order.length * INT8_BYTES : column.reduce<number>((sum, value) => sum + roomFor(value), 0);
  }
  const buffer = Buffer.allocUnsafe(room);
  /** Where positions go: the index of a row, then a place. */
  const places: number[] = [];
  let at = HEADER.copy(buffer);
  for (const index of order) {
    at = buffer.writeInt16BE(columns.length, at);
    for (const column of columns) {
      if (column === POSITIONS) {
        at = buffer.writeInt32BE(INT8_BYTES, at);
        places.push(index, at);
        at += INT8_BYTES;
        continue;
      }
      const value = column[index] as string | number | null;
      if (typeof value === 'string') {
        const length = buffer.write(value, at + LENGTH_BYTES);
        at = buffer.writeInt32BE(length, at) + length;
      } else {
        at = value === null ? buffer.writeInt32BE(NULL_LENGTH, at) : writeInt8(buffer, value, buffer.writeInt32BE(INT8_BYTES, at));
      }
    }
  }
  const written = buffer.subarray(0, buffer.writeInt16BE(END, at));
  return (positions) => {
    for (let place = 0; place < places.length; place += 2) {
      writeInt8(buffer, positions[places[place] as number] as number, places[place + 1] as number);
    }
    return written;
  };
}
