import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PerigeeError } from '../core/errors.ts';

/** Bytes of a refused body that are still taken and dropped, so that the client reads the answer instead of a broken connection. */
const DISCARD_BYTES = 32 * 1024 * 1024;

/** Raised when the client went away before its request was complete; nobody is there to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

function tooLarge(maxBytes: number): PerigeeError {
  return new PerigeeError(
    'TOO_LARGE',
    `Message: {"Errors":["Request size is too large"]}. The body of the request is larger than ${maxBytes} bytes.`,
  );
}

/** Takes the rest of a body without keeping it, and cuts the connection where it does not end. */
function discard(request: IncomingMessage): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARD_BYTES) {
      request.destroy();
    }
  });
}

/**
 * Reads the body of a request as text.
 *
 * @throws TOO_LARGE as soon as the limit is passed, BAD_REQUEST for bytes that are not UTF-8, {@link ClientGoneError}
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    discard(request);
    return Promise.reject(tooLarge(maxBytes));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        request.off('data', onData);
        chunks.length = 0;
        discard(request);
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    };
    request.on('data', onData);
    request.on('end', () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      if (isUtf8(body)) {
        resolve(body.toString('utf8'));
      } else {
        reject(new PerigeeError('BAD_REQUEST', 'The body of the request is not UTF-8.'));
      }
    });
    request.on('error', () => reject(new ClientGoneError('The client went away before its request was complete.')));
    request.on('close', () => reject(new ClientGoneError('The client went away before its request was complete.')));
  });
}
