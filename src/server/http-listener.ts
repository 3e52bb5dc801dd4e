import { createServer, type RequestListener, type Server, type ServerOptions as HttpOptions } from 'node:http';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PerigeeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { LongUploads } from './admin/long-uploads.ts';
import { statusName } from './error-reply.ts';
import type { ConnectionTurns } from './gate/connection-turns.ts';
import { endLingering, lingerAtEnd } from './gate/lingering-end.ts';
import { MAX_HEADERS } from './gate/request-target.ts';
import type { ServerCertificate } from './server-options.ts';

/** Limits of connections. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** How long a client may take for its headers, in milliseconds. */
  readonly headersTimeoutMs: number;
  /** How long a client may take for a whole request, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/**
 * A partition key of three paths, escaped, is the longest header; a client that keeps a connection for longer than the server would send a write
 * into a closing one, which is not repeated, so connections live long.
 */
const HTTP_OPTIONS: HttpOptions = {
  maxHeaderSize: 64 * 1024,
  keepAliveTimeout: 120_000,
  noDelay: true,
  // Node's own refusal has no body, which clients cannot read; the request listener refuses instead.
  requireHostHeader: false,
};

/** How often connections are looked at for clients that take too long, at least. */
const MAX_CHECK_MS = 5000;

/** Statuses for what the parser of HTTP refuses, by its error code. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const PARSER_MESSAGE: Readonly<Record<number, string>> = {
  400: 'The request is not acceptable HTTP.',
  408: 'The request took too long to arrive.',
  413: 'The chunks of the body carry too much beside the body.',
  431: 'The headers of the request are too large.',
};

/** How often it is said that connections are refused. */
const DROP_NOTE_MS = 60_000;

/** What {@link createHttpServer} works with. */
export interface HttpServerParts {
  readonly listener: RequestListener;
  /** Those of the listener, so that a refusal does not overtake an answer. */
  readonly turns: ConnectionTurns;
  readonly limits: ConnectionLimits;
  readonly certificate: ServerCertificate | undefined;
  /** Connections that the time for a whole request does not count for. */
  readonly uploads: LongUploads;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** Makes the server of HTTP or HTTPS. */
export async function createHttpServer(parts: HttpServerParts): Promise<Server> {
  const { listener, turns, certificate, uploads, runtime, limits } = parts;
  const { maxConnections, headersTimeoutMs, requestTimeoutMs } = limits;
  const options: HttpOptions = {
    ...HTTP_OPTIONS,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_MS, headersTimeoutMs, requestTimeoutMs),
  };
  const server =
    certificate === undefined
      ? createServer(options, listener)
      : (await import('node:https')).createServer({ ...options, cert: certificate.cert, key: certificate.key }, listener);
  server.maxConnections = maxConnections;
  server.maxHeadersCount = MAX_HEADERS;
  noteDrops(server, parts);
  server.on('connection', (socket: Socket) => lingerAtEnd(socket, runtime));
  server.on('secureConnection', (socket: Socket) => lingerAtEnd(socket, runtime));
  const refused = new WeakSet<Duplex>();
  const refuse = (socket: Duplex, status: number, message: string): void => {
    // The parser goes on complaining about what follows.
    if (!refused.has(socket)) {
      refused.add(socket);
      turns.runLast(socket, (isAnswered) => {
        if (isAnswered) {
          socket.end();
        } else {
          refuseConnection(socket, status, message, runtime);
        }
      });
    }
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) {
      socket.destroy();
      return;
    }
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && uploads.has(socket)) {
      return;
    }
    const status = PARSER_STATUS[error.code ?? ''] ?? 400;
    refuse(socket, status, PARSER_MESSAGE[status] as string);
  });
  server.on('connect', (_request: unknown, socket: Duplex) => refuse(socket, 405, 'This server is no proxy.'));
  // Node's own answer to an expectation it does not know has no body; expectations may as well be ignored.
  server.on('checkExpectation', listener);
  // A body that will be refused is not asked for.
  server.on('checkContinue', listener);
  return server;
}

/** Tells the operator, now and then, that there are more connections than may be. */
function noteDrops(server: Server, { limits, logger, runtime }: HttpServerParts): void {
  let notedMs = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    const nowMs = runtime.monotonicMs();
    if (nowMs - notedMs >= DROP_NOTE_MS) {
      notedMs = nowMs;
      logger.log('warn', `connections are refused: there are ${limits.maxConnections} already`);
    }
  });
}

/** Answers what is not HTTP, or too much of it, and ends the connection. */
function refuseConnection(socket: Duplex, status: number, message: string, runtime: Runtime): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const name = statusName(status);
  const body = JSON.stringify({ code: name, message });
  const head = `HTTP/1.1 ${status} ${name}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.write(head + body);
  endLingering(socket, runtime);
}

function describe(error: NodeJS.ErrnoException, host: string, port: number): PerigeeError {
  const where = `port ${port} of ${JSON.stringify(host)}`;
  if (error.code === 'EADDRINUSE') {
    return new PerigeeError('PORT_IN_USE', `Cannot listen on ${where}: another program does. Choose another port, or 0 for a free one.`, {
      cause: error,
      details: { host, port },
    });
  }
  const reason = error.code === 'EACCES' ? 'the system does not permit it' : `the system refuses (${error.code ?? 'unknown reason'})`;
  return new PerigeeError('INVALID_OPTION', `Cannot listen on ${where}: ${reason}.`, { cause: error, details: { host, port } });
}

/** Starts listening and gives the port. @throws PORT_IN_USE, INVALID_OPTION */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(describe(error, host, port));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** How often connections that became idle are looked for while the server stops. */
const SWEEP_MS = 25;

/** How a server of HTTP stops. */
export interface StopOptions {
  /** When requests that are still under way are cut, in milliseconds. */
  readonly timeoutMs: number;
  /** How long connections that are idle live on, in milliseconds. */
  readonly idleGraceMs: number;
}

/** Stops listening; closes idle connections after their grace, and busy ones when they are done or after the time-out. */
export function stop(server: Server, runtime: Runtime, { timeoutMs, idleGraceMs }: StopOptions): Promise<void> {
  return new Promise((resolve) => {
    let cancelSweep = (): void => undefined;
    const sweep = (): void => {
      server.closeIdleConnections();
      cancelSweep = runtime.setTimer(SWEEP_MS, sweep);
    };
    const cancelTimeout = runtime.setTimer(timeoutMs, () => server.closeAllConnections());
    server.once('close', () => {
      cancelSweep();
      cancelTimeout();
      resolve();
    });
    const end = (): void => {
      server.close();
      sweep();
    };
    if (idleGraceMs > 0 && server.listening) {
      // That of HTTP closes idle connections as well, into which a client may be sending its next request.
      NetServer.prototype.close.call(server);
      cancelSweep = runtime.setTimer(idleGraceMs, end);
    } else {
      end();
    }
  });
}
