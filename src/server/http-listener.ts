import { createServer, type RequestListener, type Server, type ServerOptions as HttpOptions } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import { statusName } from './error-reply.ts';
import type { ServerCertificate } from './server-options.ts';

/**
 * Limits of connections. A partition key of three paths, escaped, is the longest header; a client that keeps a connection for longer than the
 * server would send a write into a closing one, which is not repeated, so connections live long.
 */
const HTTP_OPTIONS: HttpOptions = {
  maxHeaderSize: 64 * 1024,
  headersTimeout: 30_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 120_000,
  noDelay: true,
  // Node's own refusal has no body, which clients cannot read; the request listener refuses instead.
  requireHostHeader: false,
};

/** Statuses for what the parser of HTTP refuses, by its error code. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Makes the server of HTTP or HTTPS. */
export async function createHttpServer(listener: RequestListener, certificate: ServerCertificate | undefined): Promise<Server> {
  const server =
    certificate === undefined
      ? createServer(HTTP_OPTIONS, listener)
      : (await import('node:https')).createServer({ ...HTTP_OPTIONS, ...certificate }, listener);
  server.on('clientError', refuseConnection);
  // Node's own answer to an expectation it does not know has no body; expectations may as well be ignored.
  server.on('checkExpectation', listener);
  return server;
}

/** Answers what is not HTTP, or too much of it, and ends the connection. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = PARSER_STATUS[error.code ?? ''] ?? 400;
  const name = statusName(status);
  const body = JSON.stringify({ code: name, message: 'The request is not acceptable HTTP, or its headers are too large.' });
  const head = `HTTP/1.1 ${status} ${name}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
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

/** Stops listening, closes idle connections at once and busy ones when they are done, or after the time-out. */
export function stop(server: Server, runtime: Runtime, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    let cancelSweep = (): void => undefined;
    const sweep = (): void => {
      server.closeIdleConnections();
      cancelSweep = runtime.setTimer(SWEEP_MS, sweep);
    };
    const cancelTimeout = runtime.setTimer(timeoutMs, () => server.closeAllConnections());
    server.close(() => {
      cancelSweep();
      cancelTimeout();
      resolve();
    });
    sweep();
  });
}
