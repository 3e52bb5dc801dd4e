import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a request of the sync engine is, seen from the wire. */
export type RequestKind = 'definition' | 'batch' | 'changes' | 'query' | 'read' | 'other';

/** What becomes of a request: the server never sees it, or carries it out and its answer comes to harm. */
export interface WireFault {
  /** Answers this; the server sees the request first only where `applied` says so. */
  readonly answer?: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
  /**
   * Ends the connection: before the answer, in the middle of the body that was announced, or after half of the body as if it were all. `never` leaves
   * it open without a word.
   */
  readonly cut?: 'before-answer' | 'mid-body' | 'half-body' | 'never';
  readonly applied?: boolean;
}

/** A proxy between devices and a real server that does harm where a test says so, and passes on everything else. */
export interface FaultProxy {
  readonly url: string;
  /** Requests of each kind so far. */
  readonly seen: Partial<Record<RequestKind, number>>;
  /** Decides about each request from now on; no plan passes all on. */
  plan(plan?: (kind: RequestKind) => WireFault | undefined): void;
}

interface WholeAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

function kindOf({ method, url = '', headers }: http.IncomingMessage): RequestKind {
  if (headers['x-ms-cosmos-is-batch-request'] !== undefined) {
    return 'batch';
  }
  if (headers['a-im'] !== undefined) {
    return 'changes';
  }
  if (headers['x-ms-documentdb-isquery'] !== undefined) {
    return 'query';
  }
  return method !== 'GET' ? 'other' : /\/docs\/[^/]+$/u.test(url) ? 'read' : /\/colls\/[^/]+$/u.test(url) ? 'definition' : 'other';
}

async function bodyOf(message: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function forward(target: URL, request: http.IncomingMessage, body: Buffer): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const { method, url, headers } = request;
    const onward = http.request({ host: target.hostname, port: target.port, method, path: url, headers }, (response) => {
      bodyOf(response).then(
        (answered) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answered }),
        (error: unknown) => reject(error as Error),
      );
    });
    onward.on('error', reject);
    onward.end(body);
  });
}

function reply(response: http.ServerResponse, { status, headers, body }: WholeAnswer): void {
  const { 'transfer-encoding': _chunked, 'content-length': _length, ...others } = headers;
  response.writeHead(status, { ...others, 'content-length': String(body.length) });
  response.end(body);
}

function harm(response: http.ServerResponse, fault: WireFault, answer: WholeAnswer | undefined): void {
  const body = answer?.body ?? Buffer.from('{"_rid":"x","Documents":[],"_count":0}');
  const half = body.subarray(0, Math.ceil(body.length / 2));
  const whole = answer ?? { status: 200, headers: { 'content-type': 'application/json' }, body };
  if (fault.answer !== undefined) {
    const { status, headers = {}, body: text = '' } = fault.answer;
    reply(response, { status, headers: { ...headers }, body: Buffer.from(text) });
  } else if (fault.cut === 'half-body') {
    reply(response, { ...whole, body: half });
  } else if (fault.cut === 'mid-body') {
    response.writeHead(whole.status, { 'content-type': 'application/json', 'content-length': String(body.length) });
    response.write(half, () => response.socket?.destroy());
  } else if (fault.cut === 'before-answer') {
    response.socket?.destroy();
  }
}

/** Opens a proxy in front of the server at `target`; it is gone when the test is. */
export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const server = new URL(target);
  const seen: Partial<Record<RequestKind, number>> = {};
  let decide: (kind: RequestKind) => WireFault | undefined = () => undefined;
  const proxy = http.createServer((request, response) => {
    const handle = async (): Promise<void> => {
      const body = await bodyOf(request);
      const kind = kindOf(request);
      seen[kind] = (seen[kind] ?? 0) + 1;
      const fault = decide(kind);
      const answer = fault !== undefined && fault.applied !== true ? undefined : await forward(server, request, body);
      if (fault === undefined) {
        reply(response, answer as WholeAnswer);
      } else {
        harm(response, fault, answer);
      }
    };
    handle().catch(() => response.socket?.destroy());
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise((resolve) => {
        proxy.close(() => resolve());
        proxy.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    seen,
    plan(next = () => undefined) {
      decide = next;
    },
  };
}
