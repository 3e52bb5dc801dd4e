import { textOf } from '../store/document-text.ts';
import type { ConsistencyLevel, ResultInfo } from '../store/operations.ts';
import { chargeHeader, type Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';
import type { OpenContainer } from './container-registry.ts';
import { header } from './wire-headers.ts';
import { touchedRanges } from './partitions/range-scope.ts';
import { optionalKey } from './document-key.ts';
import { rangeOfRequest } from './request-scope.ts';
import { fromWireSession, positionOf, toWireSession } from './session-token.ts';

/** The headers that tell what a request on documents cost, and what session it leaves. */
export function documentHeaders(
  context: RequestContext,
  container: OpenContainer,
  result: ResultInfo & { readonly position?: number | undefined },
): string[] {
  const { rawParent, type } = context.link.feed;
  // Clients look sessions up by the path that they sent.
  const path = type === 'docs' ? rawParent : rawParent.split('/').slice(0, 4).join('/');
  const headers = [
    'x-ms-request-charge',
    chargeHeader(result.requestUnits),
    'x-ms-content-path',
    container.info.rid,
    'x-ms-alt-content-path',
    path,
  ];
  const ranges = rangesOfRequest(context, container);
  const [range] = ranges;
  if (ranges.length === 1 && range !== undefined) {
    headers.push('x-ms-documentdb-partitionkeyrangeid', range.id);
  }
  if (result.position !== undefined) {
    headers.push('x-ms-item-lsn', String(result.position));
  }
  const lsn = positionOf(result.session);
  if (lsn !== undefined) {
    headers.push('lsn', lsn);
  }
  const session = lsn === undefined ? result.session : toWireSession(lsn, ranges);
  if (session !== undefined) {
    headers.push('x-ms-session-token', session);
  }
  return headers;
}

/** The ranges that a request touched, whose sessions it moves on. */
function rangesOfRequest(context: RequestContext, container: OpenContainer): readonly { readonly id: string }[] {
  const { layout, info } = container;
  return layout.ranges.length === 1
    ? layout.ranges
    : touchedRanges(layout, info.definition.partitionKey, optionalKey(context, container), rangeOfRequest(context, container));
}

/** The answer to a read or a write of one document, which may be asked of the store as text ({@link asText}). */
export function documentReply(
  context: RequestContext,
  container: OpenContainer,
  status: number,
  result: ResultInfo & { readonly document: object; readonly etag: string },
): Reply {
  const headers = documentHeaders(context, container, result);
  headers.push('etag', result.etag);
  const isMinimal = status !== 304 && header(context.headers, 'prefer')?.toLowerCase() === 'return=minimal';
  return { status, headers, body: isMinimal ? undefined : textOf(result.document) };
}

/** Levels of the protocol, as stores have them. */
const LEVELS: ReadonlyMap<string, ConsistencyLevel> = new Map([
  ['strong', 'strong'],
  ['boundedstaleness', 'strong'],
  ['session', 'session'],
  ['consistentprefix', 'eventual'],
  ['eventual', 'eventual'],
]);

/** What a request that reads may see. */
export function consistencyOf({ headers }: RequestContext): ConsistencyLevel | undefined {
  return LEVELS.get(header(headers, 'x-ms-consistency-level')?.toLowerCase() ?? '');
}

/** The session that a request asks for. */
export function sessionOf(context: RequestContext, { layout }: OpenContainer): string | undefined {
  const token = header(context.headers, 'x-ms-session-token');
  return token === undefined ? undefined : fromWireSession(token, layout);
}
