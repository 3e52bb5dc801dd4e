import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Counts what this process exchanges as a client, below every library: requests of `node:http`, and the bytes of its sockets both ways. */
export class WireMeter {
  readonly #sockets = new Set<Socket>();
  #requests = 0;

  constructor() {
    subscribe('net.client.socket', this.#onSocket);
    subscribe('http.client.request.start', this.#onRequest);
  }

  /** What was exchanged until now. */
  read(): { readonly requests: number; readonly bytes: number } {
    let bytes = 0;
    for (const { bytesRead, bytesWritten } of this.#sockets) {
      bytes += bytesRead + bytesWritten;
    }
    return { requests: this.#requests, bytes };
  }

  close(): void {
    unsubscribe('net.client.socket', this.#onSocket);
    unsubscribe('http.client.request.start', this.#onRequest);
  }

  readonly #onSocket = (message: unknown): void => {
    this.#sockets.add((message as { socket: Socket }).socket);
  };

  readonly #onRequest = (): void => {
    this.#requests += 1;
  };
}
