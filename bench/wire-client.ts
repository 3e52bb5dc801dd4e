import { createHmac } from 'node:crypto';
import { WELL_KNOWN_KEY } from '../src/server/index.ts';
import { WireConnection, type WireAnswer } from './wire-connection.ts';

const KEY = Buffer.from(WELL_KNOWN_KEY, 'base64');

/** One request of the wire protocol. */
export interface WireRequest {
  readonly method: string;
  /** Without a slash at its beginning. */
  readonly path: string;
  /** What is signed: the type and the link of the resource. */
  readonly type: string;
  readonly link: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * A client that does no more than the protocol asks for, over as many kept connections as requests are sent at once, so that a benchmark measures the server: on a machine of two
 * cores, Node's own client takes longer over a request than either server does.
 */
export class WireClient {
  readonly #host: string;
  readonly #port: number;
  readonly #free: WireConnection[] = [];
  /** A signature is good for 15 minutes; those of the last requests are kept, as the client's own work is not what is measured. */
  readonly #signatures = new Map<string, string>();
  readonly #date = new Date().toUTCString().toLowerCase();

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
  }

  async send({ method, path, type, link, headers = {}, body }: WireRequest): Promise<WireAnswer> {
    const all: Record<string, string> = {
      host: `${this.#host}:${this.#port}`,
      authorization: this.#sign(method, type, link),
      'x-ms-date': this.#date,
      'x-ms-version': '2020-07-15',
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    };
    let text = `${method} /${path} HTTP/1.1\r\n`;
    for (const name of Object.keys(all)) {
      text += `${name}: ${all[name]}\r\n`;
    }
    const connection = this.#free.pop() ?? (await WireConnection.open(this.#host, this.#port));
    try {
      return await connection.send(`${text}\r\n${body ?? ''}`);
    } finally {
      this.#free.push(connection);
    }
  }

  close(): void {
    for (const connection of this.#free) {
      connection.close();
    }
  }

  #sign(method: string, type: string, link: string): string {
    const text = `${method.toLowerCase()}\n${type}\n${link}\n${this.#date}\n\n`;
    let signed = this.#signatures.get(text);
    if (signed === undefined) {
      signed = encodeURIComponent(`type=master&ver=1.0&sig=${createHmac('sha256', KEY).update(text).digest('base64')}`);
      if (this.#signatures.size < 50_000) {
        this.#signatures.set(text, signed);
      }
    }
    return signed;
  }
}
