import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { invalidSnapshot } from './invalid-snapshot.ts';
import { decodeSnapshot, encodeSnapshot, MAX_LINE_BYTES } from './snapshot-lines.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

/** How a snapshot is written. */
export interface WriteSnapshotOptions {
  /** Whether the lines are compressed; not unless said otherwise. */
  readonly gzip?: boolean | undefined;
}

/** How a snapshot is read. */
export interface ReadSnapshotOptions {
  /** Bytes that a line may have, without its end: 16 MiB unless said otherwise. */
  readonly maxLineBytes?: number | undefined;
}

/**
 * A snapshot as bytes: a record a line, as JSON in UTF-8, compressed by gzip where asked for. Node only.
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 * import { readSnapshot, writeSnapshot } from 'perigee/snapshot';
 *
 * const backend = openMemoryBackend();
 * await backend.createDatabase('shop');
 * const copy = openMemoryBackend();
 * await copy.restore(readSnapshot(writeSnapshot(backend.snapshot(), { gzip: true })));
 * console.log((await copy.listDatabases())[0]?.id); // -> shop
 * await backend.close();
 * await copy.close();
 * ```
 */
export function writeSnapshot(records: AsyncIterable<SnapshotRecord>, options: WriteSnapshotOptions = {}): AsyncIterable<Uint8Array> {
  const lines = encodeSnapshot(records);
  return options.gzip === true ? through(lines, createGzip()) : lines;
}

/**
 * Reads the bytes of {@link writeSnapshot}, compressed or not, and gives its records; nothing is kept of what was read. Node only.
 *
 * @throws INVALID_SNAPSHOT, with what is wrong in `details.fault`: `foreign`, `truncated`, `damaged`, `too-long`; what the source throws
 */
export async function* readSnapshot(source: AsyncIterable<Uint8Array>, options: ReadSnapshotOptions = {}): AsyncGenerator<SnapshotRecord> {
  const peeked = await peek(source);
  const maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
  if (!peeked.isGzip) {
    yield* decodeSnapshot(peeked.bytes, maxLineBytes);
    return;
  }
  let lines = 0;
  try {
    for await (const record of decodeSnapshot(through(peeked.bytes, createGunzip()), maxLineBytes)) {
      lines += 1;
      yield record;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') {
      throw invalidSnapshot(lines === 0 ? 'foreign' : 'truncated', undefined, error);
    }
    throw typeof code === 'string' && code.startsWith('Z_')
      ? invalidSnapshot(lines === 0 ? 'foreign' : 'damaged', undefined, error)
      : error;
  }
}

/** Bytes behind a transforming stream; an error of the source, or of the stream, ends both. */
function through(source: AsyncIterable<Uint8Array>, transform: ReturnType<typeof createGzip>): AsyncIterable<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => transform.destroy(error));
  transform.on('close', () => input.destroy());
  return input.pipe(transform);
}

/** Looks at the first two bytes, by which gzip is known. */
async function peek(source: AsyncIterable<Uint8Array>): Promise<{ readonly isGzip: boolean; readonly bytes: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  const head: number[] = [];
  while (head.length < 2) {
    const next = await iterator.next();
    if (next.done === true) {
      break;
    }
    first.push(next.value);
    head.push(...next.value.subarray(0, 2 - head.length));
  }
  const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => iterator };
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* first;
    yield* rest;
  }
  return { isGzip: head[0] === 0x1f && head[1] === 0x8b, bytes: all() };
}
