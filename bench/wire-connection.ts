import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The answer to a request: its status, its headers as they came, and its body as text. */
export interface WireAnswer {
  readonly status: number;
  /** A header, by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

interface Pending {
  readonly resolve: (answer: WireAnswer) => void;
  readonly reject: (error: Error) => void;
}

const LENGTH = /\r\ncontent-length: ?(\d+)\r\n/iu;
const HEAD_END = '\r\n\r\n';

/** The bytes of a chunked body; `undefined` while it has not come whole. */
function unchunk(received: Buffer, start: number): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = received.indexOf('\r\n', at);
    if (lineEnd === -1) {
      return undefined;
    }
    const size = Number.parseInt(received.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (received.length < end) {
      return undefined;
    }
    if (size === 0) {
      return Buffer.concat(parts);
    }
    parts.push(received.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}

/** A connection that sends one request at a time and reads as much of HTTP as its answers have. */
export class WireConnection {
  readonly #socket: Socket;
  #received: Buffer | undefined;
  #pending: Pending | undefined;

  static async open(host: string, port: number): Promise<WireConnection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new WireConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('The server closed the connection.')));
  }

  send(request: string): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('The server closed the connection.'));
        return;
      }
      this.#pending = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    this.#received = received;
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd === -1) {
      return;
    }
    const head = received.toString('latin1', 0, headEnd + 2);
    const header = (name: string): string | undefined => new RegExp(`\\r\\n${name}: ?(.*)\\r\\n`, 'iu').exec(head)?.[1];
    const status = Number(head.slice(9, 12));
    const start = headEnd + HEAD_END.length;
    if (status === 204 || status === 304) {
      this.#answer({ status, header, text: '' });
      return;
    }
    const length = LENGTH.exec(head)?.[1];
    if (length === undefined && header('transfer-encoding') !== undefined) {
      const body = unchunk(received, start);
      if (body !== undefined) {
        this.#answer({ status, header, text: body.toString('utf8') });
      }
      return;
    }
    const end = start + Number(length ?? 0);
    if (received.length >= end) {
      this.#answer({ status, header, text: received.toString('utf8', start, end) });
    }
  }

  #answer(answer: WireAnswer): void {
    this.#received = undefined;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(answer);
  }

  #fail(error: Error): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(error);
  }
}
