import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Reply, ReplyFrame } from '../reply.ts';

/** An answer whose body is written while it is made. */
export interface StreamReply extends Reply {
  readonly contentType: string;
  readonly stream: AsyncIterable<Uint8Array>;
}

export function isStreamed(reply: Reply): reply is StreamReply {
  return 'stream' in reply;
}

/**
 * An answer whose body is a stream that has begun well: what its source refuses before the first piece is thrown here, and answered as any other refusal.
 */
export async function streamReply(
  stream: AsyncIterable<Uint8Array>,
  contentType: string,
  headers: readonly string[] = [],
): Promise<StreamReply> {
  const iterator = stream[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) {
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { status: 200, headers, body: undefined, contentType, stream: all() };
}

/**
 * Writes a body piece by piece, no faster than the client takes it. Rejects where it cannot be written to its end; the connection is then cut, so that the
 * client sees that the end is missing.
 */
export async function sendStream(response: ServerResponse, reply: StreamReply, { activityId, headers, isLast }: ReplyFrame): Promise<void> {
  const all = ['x-ms-activity-id', activityId, ...reply.headers, ...headers, 'content-type', reply.contentType];
  response.writeHead(reply.status, isLast ? [...all, 'connection', 'close'] : all);
  await pipeline(Readable.from(reply.stream, { objectMode: false }), response);
}
