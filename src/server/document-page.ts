import type { QueryInput, QueryPage } from '../store/queries.ts';
import type { OpenContainer } from './container-registry.ts';
import { optionalKey } from './document-key.ts';
import { documentHeaders, sessionOf } from './document-reply.ts';
import { feedBody } from './feed-reply.ts';
import { scopeOfRange } from './partition-ranges.ts';
import type { Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';
import { fromHeaderToken, header, isTrue, pageSizeHeader, toHeaderToken } from './wire-headers.ts';

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

/** Runs one page of a query with the scope, page size, continuation and session of the request. */
export async function documentPage(context: RequestContext, container: OpenContainer, query: QueryInput): Promise<Reply> {
  const { headers } = context;
  const continuation = header(headers, 'x-ms-continuation');
  const { runtime } = context.server.backend;
  const startMs = runtime.monotonicMs();
  const page = (await container.store
    .query<unknown>(query, {
      partitionKey: optionalKey(context, container),
      range: scopeOfRange(
        header(headers, 'x-ms-documentdb-partitionkeyrangeid'),
        header(headers, 'x-ms-start-epk'),
        header(headers, 'x-ms-end-epk'),
      ),
      maxItemCount: pageSizeHeader(headers),
      continuation: continuation === undefined ? undefined : fromHeaderToken(continuation),
      orderBy: context.server.orderBy,
      session: sessionOf(context),
      signal: context.signal,
    })
    .nextPage()) as QueryPage<unknown>;
  const body = JSON.stringify(feedBody(container.info.rid, 'Documents', page.items));
  const reply = documentHeaders(context, container, page);
  reply.push('x-ms-item-count', String(page.items.length));
  if (page.continuation !== undefined) {
    reply.push('x-ms-continuation', toHeaderToken(page.continuation));
  }
  if (isTrue(headers, 'x-ms-documentdb-populatequerymetrics')) {
    reply.push('x-ms-documentdb-query-metrics', metrics(page, body, runtime.monotonicMs() - startMs));
  }
  return { status: 200, headers: reply, body };
}
