import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';

/** How much of a body that nobody wants is still taken and dropped, and for how long, so that the client reads the answer instead of a broken connection. */
const DISCARD_BYTES = 32 * 1024 * 1024;
const MAX_DISCARD_MS = 5000;

const GONE = 'The client went away before its request was complete.';

/** Raised when the client went away before its request was complete; nobody is there to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

function tooLarge(maxBytes: number): PerigeeError {
  return new PerigeeError('TOO_LARGE', `The body of the request is larger than ${maxBytes} bytes.`);
}

/** Whether a client waits for a word before it sends the body. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue';
}

/**
 * Takes the rest of a body without keeping it, and cuts the connection where it does not end within `timeoutMs`, or five seconds. Does nothing after a
 * body that was read.
 */
export function discardBody(request: IncomingMessage, runtime: Runtime, timeoutMs: number): void {
  if (request.complete || request.destroyed) {
    return;
  }
  let bytes = 0;
  const cancel = runtime.setTimer(Math.min(timeoutMs, MAX_DISCARD_MS), () => request.destroy());
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
 * How much memory the body of a request may take: what it announces, or the limit where it does not say.
 *
 * @throws TOO_LARGE for a body that announces more than the limit
 */
export function announcedBytes(request: IncomingMessage, maxBytes: number): number {
  const length = request.headers['content-length'];
  if (length === undefined) {
    return request.headers['transfer-encoding'] === undefined ? 0 : maxBytes;
  }
  const announced = Number(length);
  if (announced > maxBytes) {
    throw tooLarge(maxBytes);
  }
  return announced;
}

/**
 * Reads the body of a request as text.
 *
 * @throws TOO_LARGE as soon as the limit is passed, BAD_REQUEST for bytes that are not UTF-8, {@link ClientGoneError}
 */
export function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<string> {
  if (request.destroyed) {
    return Promise.reject(new ClientGoneError(GONE));
  }
  if (awaitsContinue(request)) {
    response.writeContinue();
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isSettled = false;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        isSettled = true;
        request.off('data', onData);
        chunks.length = 0;
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    };
    request.on('data', onData);
    request.on('end', () => {
      isSettled = true;
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      if (isUtf8(body)) {
        resolve(body.toString('utf8'));
      } else {
        reject(new PerigeeError('BAD_REQUEST', 'The body of the request is not UTF-8.'));
      }
    });
    const onGone = (): void => {
      // Every request closes in the end, and an error is not made for nothing.
      if (!isSettled) {
        reject(new ClientGoneError(GONE));
      }
    };
    request.on('error', onGone);
    request.on('close', onGone);
  });
}
