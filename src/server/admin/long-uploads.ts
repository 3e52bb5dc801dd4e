import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Connections whose request may take longer than other requests, because its body is larger than memory. In place of a time for the whole there is one
 * for which nothing may come.
 */
export class LongUploads {
  readonly #sockets = new WeakSet<Duplex>();
  readonly #idleTimeoutMs: number;

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  has(socket: Duplex): boolean {
    return this.#sockets.has(socket);
  }

  /** Runs `work`, which reads the body of a request. */
  async run<R>({ socket }: IncomingMessage, work: () => Promise<R>): Promise<R> {
    this.#sockets.add(socket);
    socket.setTimeout(this.#idleTimeoutMs);
    try {
      return await work();
    } finally {
      this.#sockets.delete(socket);
      socket.setTimeout(0);
    }
  }
}
