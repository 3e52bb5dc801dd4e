import { PerigeeError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { feedBody, READ_CHARGE } from './feed-reply.ts';
import { queryBody } from './query-body.ts';
import { chargeHeader, jsonReply, type Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';
import { header, pageSizeHeader } from './wire-headers.ts';

/** Where a page starts: the number of items before it. */
function startOf(context: RequestContext): number {
  const token = header(context.headers, 'x-ms-continuation');
  if (token === undefined) {
    return 0;
  }
  if (!/^\d{1,9}$/u.test(token)) {
    throw new PerigeeError('INVALID_CONTINUATION', 'Invalid Continuation Token: it was not issued for this feed.');
  }
  return Number(token);
}

async function select(context: RequestContext, resources: readonly JsonObject[]): Promise<readonly JsonValue[]> {
  if (!context.hasBody) {
    return resources;
  }
  const { selectFrom } = await import('./resource-query.ts');
  return selectFrom(queryBody(context), resources, context.server.backend.runtime);
}

/** One page of databases, containers or offers, or of a query over them. They are few: each page is taken from a new list of all. */
export async function resourceFeed(context: RequestContext, rid: string, member: string, resources: readonly JsonObject[]): Promise<Reply> {
  const start = startOf(context);
  const end = start + pageSizeHeader(context.headers);
  const all = await select(context, resources);
  const items = all.slice(start, end);
  const headers = ['x-ms-request-charge', chargeHeader(READ_CHARGE), 'x-ms-item-count', String(items.length)];
  if (end < all.length) {
    headers.push('x-ms-continuation', String(end));
  }
  return jsonReply(200, feedBody(rid, member, items), headers);
}
