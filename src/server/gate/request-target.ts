import type { IncomingMessage } from 'node:http';
import { PerigeeError } from '../../core/errors.ts';

/** Whom a request is for, and what it asks. */
export interface RequestTarget {
  /** Name and port that the client calls the server by; `undefined` for HTTP/1.0, which has no such header. */
  readonly host: string | undefined;
  /** The path, undecoded. */
  readonly path: string;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/iu;

/** How many headers are read; a request with more is refused, because what is left out could be a condition. */
export const MAX_HEADERS = 200;

function countHosts({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') {
      count += 1;
    }
  }
  return count;
}

/**
 * Reads the first line and the `Host` of a request. A target in absolute form names the host itself, as RFC 9112 has it.
 *
 * @throws BAD_REQUEST, with status 431 for too many headers
 */
export function readTarget(request: IncomingMessage): RequestTarget {
  if (request.rawHeaders.length >= MAX_HEADERS * 2) {
    throw new PerigeeError('BAD_REQUEST', `The request has ${MAX_HEADERS} headers or more.`, { status: 431 });
  }
  const { url = '/', headers, httpVersion } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new PerigeeError('BAD_REQUEST', 'The request is of a version of HTTP that this server does not speak.');
  }
  const hosts = countHosts(request);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    throw new PerigeeError('BAD_REQUEST', `The request has ${hosts === 0 ? 'no' : 'more than one'} Host header.`);
  }
  if (url.startsWith('/')) {
    return { host: headers.host, path: url };
  }
  const absolute = ABSOLUTE_FORM.exec(url);
  if (absolute === null) {
    throw new PerigeeError('BAD_REQUEST', 'The target of the request is neither a path nor an address with http or https.');
  }
  const path = absolute[2] as string;
  return { host: absolute[1] as string, path: path === '' ? '/' : path };
}
