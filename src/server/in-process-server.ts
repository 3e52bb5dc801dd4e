import { EventEmitter } from 'node:events';
import { IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { provideHandlers } from './handlers/load-handlers.ts';
import { ALL_HANDLERS } from './handlers/all-handlers.ts';
import { prepareServer } from './prepare-server.ts';
import { createRequestListener } from './request-listener.ts';
import type { PartitionCommands } from './partitions/partition-commands.ts';
import type { ServerOptions } from './server-options.ts';

/** A request as it would go over the wire. */
export interface InProcessRequest {
  readonly method: string;
  /** As it stands in the first line of a request. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** An answer as it would come over the wire. */
export interface InProcessAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server without sockets. */
export interface InProcessServer {
  /** Where clients believe that it is. */
  readonly endpoint: string;
  /** Answers a request by the same code that answers over HTTP. */
  readonly handle: (request: InProcessRequest) => Promise<InProcessAnswer>;
  readonly partitions: PartitionCommands;
  readonly close: () => Promise<void>;
}

const ENDPOINT = 'http://127.0.0.1:8081';

/** The answer to one request: as much of `ServerResponse` as the request listener uses. */
class InProcessResponse extends EventEmitter {
  readonly destroyed = false;
  readonly shouldKeepAlive = true;
  headersSent = false;
  readonly #resolve: (answer: InProcessAnswer) => void;
  #status = 0;
  #headers: Record<string, string> = {};

  constructor(resolve: (answer: InProcessAnswer) => void) {
    super();
    this.#resolve = resolve;
  }

  writeHead(status: number, headers: readonly string[]): void {
    this.#status = status;
    this.headersSent = true;
    for (let index = 0; index < headers.length; index += 2) {
      this.#headers[headers[index] as string] = headers[index + 1] as string;
    }
  }

  end(body?: string): void {
    this.#resolve({ status: this.#status, headers: this.#headers, body: body ?? '' });
    this.emit('close');
  }
}

function requestOf({ method, path, headers, body }: InProcessRequest): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.method = method;
  request.url = path;
  request.httpVersion = '1.1';
  const all: Record<string, string> = { host: new URL(ENDPOINT).host, ...headers };
  if (body !== undefined) {
    all['content-length'] = String(Buffer.byteLength(body));
  }
  for (const [name, value] of Object.entries(all)) {
    request.rawHeaders.push(name, value);
    request.headers[name.toLowerCase()] = value;
  }
  if (body !== undefined) {
    request.push(body);
  }
  request.push(null);
  request.complete = true;
  return request;
}

/**
 * Makes a server that is reached by calls instead of sockets, for simulations: everything from the reading of headers to the answer is that of
 * {@link startServer}. Streams, such as snapshots, and connections that are cut have no meaning here.
 *
 * @throws INVALID_OPTION
 */
export async function openInProcessServer(options: ServerOptions): Promise<InProcessServer> {
  provideHandlers(ALL_HANDLERS);
  const prepared = await prepareServer(options);
  prepared.addresses.url = ENDPOINT;
  const listener = createRequestListener(prepared.parts, 'compute');
  return {
    endpoint: ENDPOINT,
    handle: (request) =>
      new Promise((resolve) => {
        listener(
          requestOf(request),
          new InProcessResponse(resolve) as unknown as ServerResponse<IncomingMessage> & { req: IncomingMessage },
        );
      }),
    partitions: prepared.partitions,
    close: async () => {
      prepared.beginClosing();
      await prepared.close();
    },
  };
}
