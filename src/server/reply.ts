import type { ServerResponse } from 'node:http';

/** What a handler answers. */
export interface Reply {
  readonly status: number;
  /** Names and values in turn, names in lower case; the ones that every answer has are added later. */
  readonly headers: readonly string[];
  /** JSON unless `contentType` says otherwise; `undefined` for no body. */
  readonly body: string | undefined;
  readonly contentType?: string | undefined;
}

/** What surrounds a reply, whatever it says. */
export interface ReplyFrame {
  readonly activityId: string;
  /** Further headers, as those of {@link Reply}. */
  readonly headers: readonly string[];
  /** The connection ends behind this reply. */
  readonly isLast: boolean;
}

/** A reply with a JSON body. */
export function jsonReply(status: number, body: unknown, headers: readonly string[] = []): Reply {
  return { status, headers, body: JSON.stringify(body) };
}

/** Request units as the header has them. */
export function chargeHeader(requestUnits: number): string {
  return String(Math.round(requestUnits * 100) / 100);
}

/** Version of the resources' form, which the service tells in every answer. */
const SCHEMA_VERSION = '1.19';

/** Names and values of all headers of a reply. */
export function headersOf(reply: Reply, { activityId, headers, isLast }: ReplyFrame): string[] {
  const all = ['x-ms-activity-id', activityId, 'x-ms-schemaversion', SCHEMA_VERSION, ...reply.headers, ...headers];
  if (isLast) {
    all.push('connection', 'close');
  }
  if (reply.body !== undefined) {
    all.push('content-type', reply.contentType ?? 'application/json', 'content-length', String(Buffer.byteLength(reply.body)));
  } else if (reply.status !== 204 && reply.status !== 304) {
    all.push('content-length', '0');
  }
  return all;
}

/** Writes a reply. Does nothing where the client has gone. */
export function sendReply(response: ServerResponse, reply: Reply, frame: ReplyFrame): void {
  if (response.destroyed || response.headersSent) {
    return;
  }
  response.writeHead(reply.status, headersOf(reply, frame));
  if (reply.body === undefined) {
    response.end();
  } else {
    response.end(reply.body);
  }
}
