/** Reads chunks as UTF-8 text; `undefined` as soon as there are more bytes than may be. What is left stays unread. */
export async function readChunks(chunks: AsyncIterable<unknown>, maxBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  // Not for-await: leaving it would destroy the stream, and with a request's the connection that the answer goes by.
  const iterator = chunks[Symbol.asyncIterator]();
  let text = '';
  let bytes = 0;
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) {
      return text + decoder.decode();
    }
    const chunk = typeof next.value === 'string' ? encoder.encode(next.value) : (next.value as Uint8Array);
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      return undefined;
    }
    text += decoder.decode(chunk, { stream: true });
  }
}

/** Chunks of a stream of the Web, which not every host can iterate over. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    yield next.value;
  }
}
