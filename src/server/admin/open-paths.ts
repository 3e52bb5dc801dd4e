import { PerigeeError } from '../../core/errors.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { Readiness } from './readiness.ts';

/** What the open paths tell. */
export interface OpenPathParts {
  /** The certificate that clients are to trust; `undefined` without TLS. */
  readonly certificate: string | undefined;
  readonly readiness: Readiness;
}

type OpenPath = (parts: OpenPathParts) => Reply | Promise<Reply>;

const health: OpenPath = () => jsonReply(200, { status: 'ok' });

const readiness: OpenPath = async (parts) => {
  const status = await parts.readiness.status();
  // One that has too much to do goes on taking requests: without it, the others would have more still.
  return status === 'ready' || status === 'overloaded'
    ? jsonReply(200, { status })
    : jsonReply(503, { code: 'ServiceUnavailable', message: 'The server does not take requests now.', status });
};

const certificate: OpenPath = (parts) => {
  if (parts.certificate === undefined) {
    throw new PerigeeError('NOT_FOUND', 'The server has no certificate: it speaks HTTP.');
  }
  return { status: 200, headers: [], body: parts.certificate, contentType: 'application/x-pem-file' };
};

/** Paths that need no credential, because programs that watch the server have none, and clients that are to trust it have none yet. */
const OPEN_PATHS: ReadonlyMap<string, OpenPath> = new Map([
  ['/healthz', health],
  ['/readyz', readiness],
  ['/_perigee/health', health],
  ['/_perigee/ready', readiness],
  ['/_explorer/emulator.pem', certificate],
]);

/** The answer of an open path; `undefined` for every other path. They tell nothing that a stranger may not know. @throws BAD_REQUEST with status 405 */
export function openPathReply(method: string, path: string, parts: OpenPathParts): Reply | Promise<Reply> | undefined {
  const answer = OPEN_PATHS.get(path);
  if (answer !== undefined && method !== 'GET' && method !== 'HEAD') {
    throw new PerigeeError('BAD_REQUEST', `The path of the request does not take the method ${method}. It takes GET.`, {
      status: 405,
      details: { allow: 'GET, HEAD' },
    });
  }
  return answer?.(parts);
}
