import { PerigeeError } from '../../core/errors.ts';
import { readSnapshot, writeSnapshot } from '../../store/snapshot/snapshot-stream.ts';
import { awaitsContinue, ClientGoneError } from '../body-reader.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { AdminContext } from './admin-context.ts';
import type { AdminRequest } from './admin-request.ts';
import { parseMoment } from './parse-moment.ts';
import { streamReply } from './stream-reply.ts';

function momentOf(text: string | undefined): number | undefined {
  const asOfMs = text === undefined ? undefined : parseMoment(text);
  if (text !== undefined && asOfMs === undefined) {
    throw new PerigeeError('BAD_REQUEST', 'The parameter asOf is milliseconds since 1970, or a date such as 2026-01-31T12:00:00Z.');
  }
  return asOfMs;
}

/** Whether a client says that it takes gzip. */
function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((coding) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/iu.test(coding));
}

/** Gives the whole account as lines of JSON, as it is now or was at a moment. */
export async function giveSnapshot({ backend }: AdminContext, request: AdminRequest): Promise<Reply> {
  const records = backend.snapshot({ asOfMs: momentOf(request.parameter('asOf')), signal: request.signal() });
  const gzip = takesGzip(request.request.headers['accept-encoding']);
  const headers = ['vary', 'accept-encoding', ...(gzip ? ['content-encoding', 'gzip'] : [])];
  return streamReply(writeSnapshot(records, { gzip }), 'application/x-ndjson', headers);
}

/** Takes a whole account, as lines of JSON that may be compressed: all of it or nothing. */
export function takeSnapshot({ backend, uploads }: AdminContext, admin: AdminRequest): Promise<Reply> {
  const { request, response } = admin;
  const replace = admin.flag('replace');
  if (awaitsContinue(request)) {
    response.writeContinue();
  }
  // What is left of a body that is refused is taken and dropped behind the answer, as of every request.
  const bytes = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  return uploads.run(request, async () => {
    try {
      return jsonReply(200, await backend.restore(readSnapshot(bytes), { replace, signal: admin.signal() }));
    } catch (error) {
      throw request.destroyed && !request.complete ? new ClientGoneError('The client went away before its snapshot was complete.') : error;
    }
  });
}
