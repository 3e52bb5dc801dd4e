import { isJsonObject } from '../../core/json.ts';
import { invalidSnapshot } from './invalid-snapshot.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

/** Bytes that a line may have unless said otherwise: more than twice the largest document, whose quotes are escaped once more. */
export const MAX_LINE_BYTES: number = 16 * 1024 * 1024;

/** Bytes that are handed on together. */
const CHUNK_CHARACTERS = 64 * 1024;

/** Records as lines of JSON in UTF-8, in pieces of some size. */
export async function* encodeSnapshot(records: AsyncIterable<SnapshotRecord>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for await (const record of records) {
    text += `${JSON.stringify(record)}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield encoder.encode(text);
      text = '';
    }
  }
  if (text !== '') {
    yield encoder.encode(text);
  }
}

/** Collects the bytes of one line, up to a limit. */
class Line {
  readonly #limit: number;
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  append(piece: Uint8Array, number: number): void {
    this.#length += piece.length;
    if (this.#length > this.#limit) {
      // What has no ends of lines is most likely something else altogether.
      throw number === 1 ? invalidSnapshot('foreign') : invalidSnapshot('too-long', `line ${number} has more than ${this.#limit} bytes`);
    }
    this.#pieces.push(piece);
  }

  take(): Uint8Array {
    const [first = new Uint8Array(0)] = this.#pieces;
    let bytes = first;
    if (this.#pieces.length > 1) {
      bytes = new Uint8Array(this.#length);
      let at = 0;
      for (const piece of this.#pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
    }
    this.#pieces = [];
    this.#length = 0;
    return bytes;
  }
}

/**
 * Reads {@link encodeSnapshot}. What the records mean is checked by who restores them.
 *
 * @throws INVALID_SNAPSHOT for what is no line of JSON, for a line over the limit, and for a last line without an end
 */
export async function* decodeSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<SnapshotRecord> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const line = new Line(maxLineBytes);
  let number = 1;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      line.append(chunk.subarray(start, end), number);
      start = end + 1;
      yield parseLine(line.take(), number, decoder);
      number += 1;
    }
    line.append(chunk.subarray(start), number);
  }
  if (!line.isEmpty) {
    // The first line tells a snapshot from anything else; a later one that has no end was being written.
    throw number === 1 ? invalidSnapshot('foreign') : invalidSnapshot('truncated', `in line ${number}`);
  }
}

function parseLine(bytes: Uint8Array, number: number, decoder: { decode(bytes: Uint8Array): string }): SnapshotRecord {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    // The message of the parser repeats a piece of the text.
    value = undefined;
  }
  if (!isJsonObject(value)) {
    throw number === 1 ? invalidSnapshot('foreign') : invalidSnapshot('damaged', `line ${number} is no JSON object`);
  }
  return value as unknown as SnapshotRecord;
}
