import { queryUnits } from '../query/cost/request-units.ts';
import type { QueryPage } from '../store/queries.ts';
import type { UserDefinedFunctions } from '../store/user-functions.ts';
import type { OpenContainer } from './container-registry.ts';
import { optionalKey } from './document-key.ts';
import { documentHeaders, sessionOf } from './document-reply.ts';
import { feedBody } from './feed-reply.ts';
import type { QueryBody } from './query-body.ts';
import { queryHeaders } from './query-headers.ts';
import { isEnd, tokenBehindFullPage } from './page-end.ts';
import { rangeOfRequest } from './request-scope.ts';
import type { Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';
import { withStoredFunctions } from './stored-scripts.ts';
import { header, isTrue, pageSizeHeader } from './wire-headers.ts';
import { fromWireToken, toWireToken } from './wire-token.ts';

/** The metrics header: what is not measured apart counts as part of the execution. */
function metrics(page: QueryPage<unknown>, body: string, elapsedMs: number): string {
  const time = elapsedMs.toFixed(2);
  const pairs = {
    totalExecutionTimeInMs: time,
    queryCompileTimeInMs: '0.00',
    queryLogicalPlanBuildTimeInMs: '0.00',
    queryPhysicalPlanBuildTimeInMs: '0.00',
    queryOptimizationTimeInMs: '0.00',
    VMExecutionTimeInMs: time,
    indexLookupTimeInMs: '0.00',
    instructionCount: '0',
    documentLoadTimeInMs: '0.00',
    systemFunctionExecuteTimeInMs: '0.00',
    userFunctionExecuteTimeInMs: '0.00',
    retrievedDocumentCount: String(page.documentsScanned),
    retrievedDocumentSize: '0',
    outputDocumentCount: String(page.items.length),
    outputDocumentSize: String(Buffer.byteLength(body)),
    writeOutputTimeInMs: '0.00',
    indexUtilizationRatio: page.documentsScanned === 0 ? '1.00' : Math.min(1, page.items.length / page.documentsScanned).toFixed(2),
  };
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join(';');
}

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
        signal: context.signal,
        userDefinedFunctions,
      })
      .nextPage();
  const page = hasEnded
    ? emptyPage(context, container)
    : ((await withStoredFunctions(context, container, query.query, read)) as QueryPage<unknown>);
  const body = JSON.stringify(feedBody(container.info.rid, 'Documents', page.items));
  const reply = documentHeaders(context, container, page);
  reply.push('x-ms-item-count', String(page.items.length));
  const next = page.continuation ?? (page.items.length === maxItemCount ? tokenBehindFullPage(container, query, scope) : undefined);
  if (next !== undefined) {
    reply.push('x-ms-continuation', toWireToken(next, range));
  }
  if (isTrue(headers, 'x-ms-documentdb-populatequerymetrics')) {
    reply.push('x-ms-documentdb-query-metrics', metrics(page, body, runtime.monotonicMs() - startMs));
  }
  reply.push(...queryHeaders(headers, query, container.info.definition, sent === undefined));
  return { status: 200, headers: reply, body };
}
