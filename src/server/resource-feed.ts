import { PerigeeError } from '../core/errors.ts';
import { feedBody, READ_CHARGE } from './feed-reply.ts';
import { queryBody } from './query-body.ts';
import { chargeHeader, jsonReply, type Reply } from './reply.ts';
import type { FeedResource, ResourcePage } from './resource-query.ts';
import type { RequestContext } from './server-context.ts';
import { fromHeaderToken, header, pageSizeHeader, toHeaderToken } from './wire-headers.ts';

/** One page of all resources; the continuation is the place of the last one, so that a client may delete what it has been given. */
function listPage(resources: readonly FeedResource[], maxItemCount: number, continuation: string | undefined): ResourcePage {
  if (continuation !== undefined && !/^\d{1,16}$/u.test(continuation)) {
    throw new PerigeeError('INVALID_CONTINUATION', 'It was not issued for this feed.');
  }
  const after = Number(continuation ?? 0);
  const left = resources.filter(({ ordinal }) => ordinal > after);
  const page = left.slice(0, maxItemCount);
  return {
    items: page.map(({ json }) => json),
    continuation: left.length > page.length ? String((page.at(-1) as FeedResource).ordinal) : undefined,
  };
}

async function queryPage(
  context: RequestContext,
  resources: readonly FeedResource[],
  maxItemCount: number,
  continuation: string | undefined,
): Promise<ResourcePage> {
  const { queryResources } = await import('./resource-query.ts');
  return queryResources(queryBody(context), resources, { maxItemCount, continuation }, context.server.backend.runtime);
}

/** One page of databases, containers, users and so on, or of a query over them. They are few, so each page is taken from a new list of all. */
export async function resourceFeed(
  context: RequestContext,
  rid: string,
  member: string,
  unsorted: readonly FeedResource[],
): Promise<Reply> {
  const resources = unsorted.toSorted((left, right) => left.ordinal - right.ordinal);
  const token = header(context.headers, 'x-ms-continuation');
  const continuation = token === undefined ? undefined : fromHeaderToken(token);
  const maxItemCount = pageSizeHeader(context.headers);
  const page =
    context.method === 'POST'
      ? await queryPage(context, resources, maxItemCount, continuation)
      : listPage(resources, maxItemCount, continuation);
  const headers = ['x-ms-request-charge', chargeHeader(READ_CHARGE), 'x-ms-item-count', String(page.items.length)];
  if (page.continuation !== undefined) {
    headers.push('x-ms-continuation', toHeaderToken(page.continuation));
  }
  return jsonReply(200, feedBody(rid, member, page.items), headers);
}
