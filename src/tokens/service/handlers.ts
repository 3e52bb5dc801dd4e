import type { IncomingMessage, ServerResponse } from 'node:http';
import { chunksOf } from '../read-bounded.ts';
import type { ServiceRequest, ServiceResponse } from './service-messages.ts';

type Handle = (request: ServiceRequest) => Promise<ServiceResponse>;

/** A handler for `http.createServer`, Express and the like. Resolves when the answer has been written. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
/** A handler for servers that speak the `Request` and `Response` of the Web. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** What Azure Functions gives a handler, as far as it is needed. */
export interface AzureRequest {
  readonly method: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: unknown;
}

/** A handler for Azure Functions; its answer is an `HttpResponseInit`. */
export type AzureHandler = (request: AzureRequest) => Promise<{ status: number; headers: Record<string, string>; body: string }>;

/** What of a body has been read already, where something in front of the handler reads bodies. */
function parsedBody(request: IncomingMessage): ServiceRequest['body'] {
  const { body } = request as { readonly body?: ServiceRequest['body'] };
  return request.readableEnded && body !== undefined ? body : request;
}

export function nodeHandler(handle: Handle): NodeHandler {
  return async (request, response) => {
    const { method = '', headers } = request;
    const answer = await handle({ method, headers, body: parsedBody(request) });
    if (response.destroyed) {
      return;
    }
    // A body that was not read to its end is not waited for.
    const close = request.readableEnded ? {} : { connection: 'close' };
    response.writeHead(answer.status, { ...answer.headers, ...close, 'content-length': String(Buffer.byteLength(answer.body)) });
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.end(answer.body);
    });
  };
}

function streamOf(body: unknown): ServiceRequest['body'] {
  return typeof body === 'object' && body !== null && 'getReader' in body
    ? chunksOf(body as ReadableStream<Uint8Array>)
    : (body as ServiceRequest['body']);
}

export function fetchHandler(handle: Handle): FetchHandler {
  return async ({ method, headers, body }) => {
    const answer = await handle({ method, headers, body: streamOf(body) });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
}

export function azureHandler(handle: Handle): AzureHandler {
  return async ({ method, headers, body }) => {
    const answer = await handle({ method, headers, body: streamOf(body) });
    return { status: answer.status, headers: { ...answer.headers }, body: answer.body };
  };
}
