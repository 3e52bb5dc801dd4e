import type { ServerResponse } from 'node:http';

/** What a handler answers. */
export interface Reply {
  readonly status: number;
  /** Names and values in turn, names in lower case; the ones that every answer has are added later. */
  readonly headers: readonly string[];
  /** JSON; `undefined` for no body. */
  readonly body: string | undefined;
}

/** A reply with a JSON body. */
export function jsonReply(status: number, body: unknown, headers: readonly string[] = []): Reply {
  return { status, headers, body: JSON.stringify(body) };
}

/** Request units as the header has them. */
export function chargeHeader(requestUnits: number): string {
  return String(Math.round(requestUnits * 100) / 100);
}

/** Writes a reply. Does nothing where the client has gone. */
export function sendReply(response: ServerResponse, reply: Reply, activityId: string, lastOfConnection: boolean): void {
  if (response.destroyed || response.headersSent) {
    return;
  }
  const headers = ['x-ms-activity-id', activityId, ...reply.headers];
  if (lastOfConnection) {
    headers.push('connection', 'close');
  }
  if (reply.body === undefined) {
    if (reply.status !== 204 && reply.status !== 304) {
      headers.push('content-length', '0');
    }
    response.writeHead(reply.status, headers);
    response.end();
    return;
  }
  headers.push('content-type', 'application/json', 'content-length', String(Buffer.byteLength(reply.body)));
  response.writeHead(reply.status, headers);
  response.end(reply.body);
}
