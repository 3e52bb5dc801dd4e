import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { WELL_KNOWN_KEY } from '../src/server/index.ts';

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

/** The answer to one: its status, its headers and its body as text. */
export interface WireAnswer {
  readonly status: number;
  /** A header; they are read where one is asked for. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

/** A client that does no more than the protocol asks for, over connections that are kept, so that a benchmark measures the server. */
export class WireClient {
  readonly #agent: Agent;
  readonly #host: string;
  readonly #port: string;
  /** A signature is good for 15 minutes; those of the last requests are kept, as the client's own work is not what is measured. */
  readonly #signatures = new Map<string, string>();
  readonly #date = new Date().toUTCString().toLowerCase();

  constructor(url: string, connections: number) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  }

  send({ method, path, type, link, headers = {}, body }: WireRequest): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: this.#host,
          port: this.#port,
          method,
          path: `/${path}`,
          headers: {
            authorization: this.#sign(method, type, link),
            'x-ms-date': this.#date,
            'x-ms-version': '2020-07-15',
            ...headers,
            ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              status: response.statusCode as number,
              header: (name) => response.headers[name] as string | undefined,
              text: Buffer.concat(chunks).toString('utf8'),
            }),
          );
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
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
