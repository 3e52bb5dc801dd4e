import { queryUnits } from '../query/cost/request-units.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import type { QueryPage } from '../store/queries.ts';
import type { UserDefinedFunctions } from '../store/user-functions.ts';
import type { OpenContainer } from './container-registry.ts';
import { optionalKey } from './document-key.ts';
import { documentHeaders, consistencyOf, sessionOf } from './document-reply.ts';
import { feedBody } from './feed-reply.ts';
import type { QueryBody } from './query-body.ts';
import { queryHeaders } from './query-headers.ts';
import { queryMetrics } from './query-metrics.ts';
import { isEnd, tokenBehindFullPage } from './page-end.ts';
import { rangeOfRequest } from './request-scope.ts';
import type { Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';
import { withStoredFunctions } from './stored-scripts.ts';
import { header, isTrue, pageSizeHeader } from './wire-headers.ts';
import { fromWireToken, toWireToken } from './wire-token.ts';

const NOTHING = { documentsRead: 0, itemsReturned: 0, bytesReturned: 0, share: 0 };

/** The page behind a last one that was full. */
function emptyPage(context: RequestContext, container: OpenContainer): QueryPage<unknown> {
  return {
    items: [],
    continuation: undefined,
    documentsScanned: 0,
    requestUnits: queryUnits(NOTHING),
    session: sessionOf(context, container),
  };
}

/** Runs one page of a query with the scope, page size, continuation and session of the request. */
export async function documentPage(context: RequestContext, container: OpenContainer, query: QueryBody): Promise<Reply> {
  const { headers } = context;
  const range = rangeOfRequest(context, container);
  const sent = header(headers, 'x-ms-continuation');
  const continuation = sent === undefined ? undefined : fromWireToken(sent, range);
  const scope = { partitionKey: optionalKey(context, container), range };
  const maxItemCount = pageSizeHeader(headers);
  const { runtime } = context.server.backend;
  const startMs = runtime.monotonicMs();
  const isMeasured = isTrue(headers, 'x-ms-documentdb-populatequerymetrics');
  if (isMeasured) {
    prepareQuery(query.query);
  }
  const compiledMs = runtime.monotonicMs();
  const hasEnded = continuation !== undefined && isEnd(continuation, container, query, scope);
  const read = (userDefinedFunctions: UserDefinedFunctions | undefined): Promise<QueryPage<unknown> | undefined> =>
    container.store
      .query<unknown>(query, {
        ...scope,
        maxItemCount,
        continuation: continuation?.token,
        issuedFor: continuation?.issuedFor,
        orderBy: context.server.orderBy,
        session: sessionOf(context, container),
        consistency: consistencyOf(context),
        signal: context.signal,
        userDefinedFunctions,
      })
      .nextPage();
  const page = hasEnded
    ? emptyPage(context, container)
    : ((await withStoredFunctions(context, container, query.query, read)) as QueryPage<unknown>);
  const ranMs = runtime.monotonicMs();
  const body = JSON.stringify(feedBody(container.info.rid, 'Documents', page.items));
  const reply = documentHeaders(context, container, page);
  reply.push('x-ms-item-count', String(page.items.length));
  const next = page.continuation ?? (page.items.length === maxItemCount ? tokenBehindFullPage(container, query, scope) : undefined);
  if (next !== undefined) {
    reply.push('x-ms-continuation', toWireToken(next, range));
  }
  if (isMeasured) {
    const nowMs = runtime.monotonicMs();
    const times = { totalMs: nowMs - startMs, compileMs: compiledMs - startMs, writeMs: nowMs - ranMs };
    reply.push('x-ms-documentdb-query-metrics', queryMetrics(page, times));
  }
  reply.push(...queryHeaders(headers, query, container.info.definition, sent === undefined));
  return { status: 200, headers: reply, body };
}
