import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Runtime } from '../../core/runtime.ts';

/** How long, and how much, a client is listened to that does not know yet that the connection is over. */
const LINGER_MS = 1000;
const LINGER_BYTES = 32 * 1024 * 1024;

/**
 * Ends a connection behind what was written to it.
 *
 * A connection that is closed while data is still coming is reset, and the reset can take the last answer from the client (RFC 9112, 9.6): so
 * what comes is taken and dropped for a while, unparsed.
 */
export function endLingering(socket: Duplex, runtime: Runtime): void {
  if (socket.destroyed) {
    return;
  }
  const cancel = runtime.setTimer(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
  // The parser of HTTP reads no more: it would make requests that nobody answers.
  socket.removeAllListeners('data');
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) {
      socket.destroy();
    }
  });
  socket.resume();
  socket.end();
}

/** Makes a connection end in this way when its last answer is written; Node itself would close it at once. */
export function lingerAtEnd(socket: Socket, runtime: Runtime): void {
  socket.destroySoon = () => endLingering(socket, runtime);
}
