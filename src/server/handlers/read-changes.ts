import { PerigeeError } from '../../core/errors.ts';
import type { ChangesFrom } from '../../store/changes.ts';
import { readChangePage } from '../change-page.ts';
import { optionalKey } from '../document-key.ts';
import { documentHeaders, sessionOf } from '../document-reply.ts';
import { scopeOfRange } from '../partition-ranges.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { fromHeaderToken, header, pageSizeHeader, toHeaderToken } from '../wire-headers.ts';

/** Where the feed starts: behind an etag, behind everything, at a time, at the beginning. */
function startOf(context: RequestContext): ChangesFrom {
  const etag = header(context.headers, 'if-none-match');
  if (etag === '*') {
    return 'now';
  }
  if (etag !== undefined) {
    return { cursor: fromHeaderToken(etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag) };
  }
  const since = header(context.headers, 'if-modified-since');
  if (since === undefined) {
    return 'beginning';
  }
  const timeMs = Date.parse(since);
  if (Number.isNaN(timeMs)) {
    throw new PerigeeError('BAD_REQUEST', 'The header If-Modified-Since is not a date as in HTTP.');
  }
  return { timeMs };
}

/**
 * `GET .../docs` with `A-IM`: the change feed. Its etag is the place to go on from; 304 says that there is nothing new, upon which clients stop
 * asking for now.
 */
export async function readChanges(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const { headers } = context;
    const isFull = header(headers, 'a-im')?.toLowerCase() === 'full-fidelity feed';
    const page = await readChangePage(container.store, startOf(context), pageSizeHeader(headers), {
      mode: isFull ? 'all' : 'latest',
      partitionKey: optionalKey(context, container),
      range: scopeOfRange(
        header(headers, 'x-ms-documentdb-partitionkeyrangeid'),
        header(headers, 'x-ms-start-epk'),
        header(headers, 'x-ms-end-epk'),
      ),
      session: sessionOf(context),
      signal: context.signal,
    });
    const count = page.documents.length;
    return {
      status: count === 0 ? 304 : 200,
      headers: [...documentHeaders(context, container, page), 'etag', `"${toHeaderToken(page.cursor)}"`, 'x-ms-item-count', String(count)],
      body:
        count === 0
          ? undefined
          : `{"_rid":${JSON.stringify(container.info.rid)},"Documents":[${page.documents.join(',')}],"_count":${count}}`,
    };
  });
}
