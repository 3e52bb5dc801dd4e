import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';

/** How much of a refused body is still taken and dropped, and for how long, so that the client reads the answer instead of a broken connection. */
const DISCARD_BYTES = 32 * 1024 * 1024;
const DISCARD_MS = 1000;

/** Raised when the client went away before its request was complete; nobody is there to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

function tooLarge(maxBytes: number): PerigeeError {
  return new PerigeeError('TOO_LARGE', `The body of the request is larger than ${maxBytes} bytes.`);
}

/** Takes the rest of a body without keeping it, and cuts the connection where it does not end. */
function discard(request: IncomingMessage, runtime: Runtime): void {
  let bytes = 0;
  const cancel = runtime.setTimer(DISCARD_MS, () => request.destroy());
  request.on('end', cancel);
  request.on('close', cancel);
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
export function readBody(request: IncomingMessage, maxBytes: number, runtime: Runtime): Promise<string> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    discard(request, runtime);
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
        discard(request, runtime);
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
