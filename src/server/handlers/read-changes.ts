import { PerigeeError } from '../../core/errors.ts';
import type { ChangesFrom, ChangesOptions } from '../../store/changes.ts';
import type { EpkRange } from '../../store/queries.ts';
import { readChangePage } from '../change-page.ts';
import { optionalKey } from '../document-key.ts';
import { consistencyOf, documentHeaders, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { rangeOfRequest } from '../request-scope.ts';
import { header, pageSizeHeader } from '../wire-headers.ts';
import { fromWireToken, toWireToken } from '../wire-token.ts';

/** Where the feed starts: behind an etag, behind everything, at a time, at the beginning. */
function startOf(context: RequestContext, range: EpkRange | undefined): Pick<ChangesOptions, 'issuedFor'> & { readonly from: ChangesFrom } {
  const etag = header(context.headers, 'if-none-match');
  if (etag === '*') {
    return { from: 'now' };
  }
  if (etag !== undefined) {
    const { token, issuedFor } = fromWireToken(etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag, range);
    return { from: { cursor: token }, issuedFor };
  }
  const since = header(context.headers, 'if-modified-since');
  if (since === undefined) {
    return { from: 'beginning' };
  }
  const timeMs = Date.parse(since);
  if (Number.isNaN(timeMs)) {
    throw new PerigeeError('BAD_REQUEST', 'The header If-Modified-Since is not a date as in HTTP.');
  }
  return { from: { timeMs } };
}

/**
 * `GET .../docs` with `A-IM`: the change feed. Its etag is the place to go on from; 304 says that there is nothing new, upon which clients stop
 * asking for now.
 */
export async function readChanges(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const { headers } = context;
    const isFull = header(headers, 'a-im')?.toLowerCase() === 'full-fidelity feed';
    const range = rangeOfRequest(context, container);
    const { from, issuedFor } = startOf(context, range);
    const page = await readChangePage(container, from, pageSizeHeader(headers), {
      mode: isFull ? 'all' : 'latest',
      partitionKey: optionalKey(context, container),
      range,
      issuedFor,
      session: sessionOf(context, container),
      consistency: consistencyOf(context),
      signal: context.signal,
    });
    const count = page.documents.length;
    return {
      status: count === 0 ? 304 : 200,
      headers: [
        ...documentHeaders(context, container, page),
        'etag',
        `"${toWireToken(page.cursor, range)}"`,
        'x-ms-item-count',
        String(count),
      ],
      body:
        count === 0
          ? undefined
          : `{"_rid":${JSON.stringify(container.info.rid)},"Documents":[${page.documents.join(',')}],"_count":${count}}`,
    };
  });
}
