import http from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Runtime } from '../../core/runtime.ts';
import type { WireAnswer } from './cosmos-errors.ts';

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Settings of {@link exchange}. */
export interface ExchangeOptions {
  readonly runtime: Runtime;
  readonly agent: http.Agent | undefined;
  /** Time for name, connection and TLS. */
  readonly connectTimeoutMs: number;
  /** Time for the whole exchange. */
  readonly requestTimeoutMs: number;
  readonly signals: readonly AbortSignal[];
}

/**
 * How an exchange failed. `unreachable`: nothing was sent. `lost`: the answer is missing or was cut off. `late`: no answer in time. `garbled`: the
 * answer is not HTTP, or longer than any answer of the service. `aborted`: a signal. `invalid`: the request cannot be written as HTTP.
 */
export type ExchangeFault = 'unreachable' | 'lost' | 'late' | 'garbled' | 'aborted' | 'invalid';

/** The failure of an exchange. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  readonly fault: ExchangeFault;
  /** The connection had served before and ended as the request went out: the other side may have closed it while it was idle. */
  readonly stale: boolean;

  constructor(fault: ExchangeFault, cause: unknown, stale = false) {
    super(`The exchange failed: ${fault}.`, { cause });
    this.fault = fault;
    this.stale = stale;
  }
}

/** {@link exchange}, or what stands for it. */
export type Exchange = (wire: WireRequest, options: ExchangeOptions) => Promise<WireAnswer>;

/** Far above the 4 MB pages of the service; a bound for whatever else may answer. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

const ORIGIN = /^(https?:)\/\/([^/?#]+)(.*)$/su;

/** Splits a URL without normalising its path: ids such as `..` and `a?b` are path segments, and the SDK leaves their `?` as it is. */
export function splitUrl(url: string): { readonly origin: URL; readonly path: string } {
  const match = ORIGIN.exec(url);
  if (match === null) {
    throw new TypeError('The URL is neither http nor https.');
  }
  return { origin: new URL(`${match[1]}//${match[2]}`), path: (match[3] as string).replaceAll('?', '%3F') || '/' };
}

function target(url: string): http.RequestOptions {
  const { origin, path } = splitUrl(url);
  return {
    protocol: origin.protocol,
    // An IPv6 address stands in brackets in a URL, and without them in the options.
    hostname: origin.hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: origin.port,
    path,
  };
}

function flatHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) {
      flat[name] = Array.isArray(value) ? value.join(', ') : value;
    }
  }
  return flat;
}

/** One exchange under way: connects, sends, reads to the end, and settles once. */
class HttpExchange {
  readonly #options: ExchangeOptions;
  readonly #resolve: (answer: WireAnswer) => void;
  readonly #reject: (error: ExchangeError) => void;
  readonly #cleanup: (() => void)[] = [];
  #request: http.ClientRequest | undefined;
  #connected = false;
  #answered = false;
  #settled = false;

  constructor(options: ExchangeOptions, resolve: (answer: WireAnswer) => void, reject: (error: ExchangeError) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(wire: WireRequest): void {
    const { runtime, connectTimeoutMs, requestTimeoutMs, signals, agent } = this.#options;
    for (const signal of signals) {
      const onAbort = (): void => this.#fail('aborted', undefined);
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      this.#cleanup.push(() => signal.removeEventListener('abort', onAbort));
    }
    const body = wire.body === undefined ? undefined : Buffer.from(wire.body);
    try {
      const options = target(wire.url);
      const { request } = options.protocol === 'https:' ? https : http;
      const headers = body === undefined ? wire.headers : { ...wire.headers, 'content-length': String(body.length) };
      this.#request = request({ ...options, method: wire.method, headers, ...(agent === undefined ? {} : { agent }) });
    } catch (cause) {
      this.#fail('invalid', cause);
      return;
    }
    this.#cleanup.push(
      runtime.setTimer(connectTimeoutMs, () => {
        if (!this.#connected) {
          this.#fail('unreachable', new Error(`No connection within ${connectTimeoutMs} ms.`));
        }
      }),
      runtime.setTimer(requestTimeoutMs, () => this.#fail(this.#connected ? 'late' : 'unreachable', undefined)),
    );
    this.#request.on('socket', (socket) => this.#watch(socket as TLSSocket));
    this.#request.on('error', (cause: NodeJS.ErrnoException) => this.#onError(cause));
    this.#request.on('response', (response) => this.#read(response));
    this.#request.end(body);
  }

  #watch(socket: TLSSocket): void {
    const encrypted = (socket as { encrypted?: boolean }).encrypted === true;
    if (this.#request?.reusedSocket === true || !(socket.connecting || encrypted)) {
      this.#connected = true;
      return;
    }
    socket.once(encrypted ? 'secureConnect' : 'connect', () => {
      this.#connected = true;
    });
  }

  #onError(cause: NodeJS.ErrnoException): void {
    if (!this.#connected) {
      this.#fail('unreachable', cause);
    } else if (cause.code?.startsWith('HPE_') === true) {
      this.#fail('garbled', cause);
    } else {
      this.#fail('lost', cause);
    }
  }

  #read(response: http.IncomingMessage): void {
    this.#answered = true;
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) {
        this.#fail('garbled', new Error('The answer is too long.'));
        return;
      }
      chunks.push(chunk);
    });
    response.on('error', (cause) => this.#fail('lost', cause));
    response.on('end', () => {
      if (!response.complete) {
        this.#fail('lost', undefined);
        return;
      }
      this.#settle(() =>
        this.#resolve({
          status: response.statusCode ?? 0,
          headers: flatHeaders(response.headers),
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
  }

  #fail(fault: ExchangeFault, cause: unknown): void {
    const stale = fault === 'lost' && !this.#answered && this.#request?.reusedSocket === true;
    this.#settle(() => this.#reject(new ExchangeError(fault, cause, stale)));
    this.#request?.destroy();
  }

  #settle(settle: () => void): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    for (const clean of this.#cleanup) {
      clean();
    }
    settle();
  }
}

/**
 * Sends one request and reads the whole answer.
 *
 * It tells apart what callers must tell apart: whether anything was sent, and whether the answer is whole. @throws ExchangeError
 */
export function exchange(wire: WireRequest, options: ExchangeOptions): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    new HttpExchange(options, resolve, reject).start(wire);
  });
}
