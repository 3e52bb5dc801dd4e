import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with one request. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Never answers. */
  readonly silent?: boolean;
  /** Ends the connection: before the answer, or in the middle of the body. */
  readonly cut?: 'before' | 'middle';
  /** Bytes that are not HTTP. */
  readonly raw?: string;
}

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A server that answers what a test tells it to. */
export interface FaultServer {
  readonly url: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  /** What to answer from now on. */
  answer(handler: Fault | ((request: SeenRequest, index: number) => Fault)): void;
  openConnections(): Promise<number>;
  close(): Promise<void>;
}

function write(response: http.ServerResponse, fault: Fault): void {
  if (fault.silent === true) {
    return;
  }
  if (fault.cut === 'before') {
    response.socket?.destroy();
    return;
  }
  if (fault.raw !== undefined) {
    response.socket?.end(fault.raw);
    return;
  }
  const body = fault.body ?? '';
  if (fault.cut === 'middle') {
    response.writeHead(fault.status ?? 200, { ...fault.headers, 'content-length': String(Buffer.byteLength(body)) });
    response.write(body.slice(0, Math.ceil(body.length / 2)), () => response.socket?.destroy());
    return;
  }
  response.writeHead(fault.status ?? 200, { ...fault.headers });
  response.end(body);
}

export async function startFaultServer(): Promise<FaultServer> {
  const seen: SeenRequest[] = [];
  let handler: (request: SeenRequest, index: number) => Fault = () => ({ status: 503, body: '{"message":"not set"}' });
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      seen.push(one);
      write(response, handler(one, seen.length - 1));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    answer(next) {
      handler = typeof next === 'function' ? next : () => next;
    },
    openConnections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An error as the service answers it. */
export function serviceError(status: number, subStatus?: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-ms-activity-id': '11111111-2222-4333-8444-555555555555',
      ...(subStatus === undefined ? {} : { 'x-ms-substatus': String(subStatus) }),
      ...headers,
    },
    body: JSON.stringify({ code: 'Refused', message: 'The service refuses.' }),
  };
}

/** A success as the service answers it. */
export function serviceAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Fault {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-ms-activity-id': '1', 'x-ms-request-charge': '2.86', ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

/** A stored document. */
export function stored(id: string, more: object = {}): Record<string, unknown> {
  return {
    id,
    owner: 'ada',
    ...more,
    _rid: 'AAAAAYAAAAEBAAAAAAAAAA==',
    _self: 'x',
    _etag: '"1"',
    _attachments: 'attachments/',
    _ts: 1700000000,
  };
}
