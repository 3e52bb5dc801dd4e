import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../../core/errors.ts';
import type { Reply } from '../reply.ts';

/** Headers of answers that programs in a browser may read: those that the official SDK reads. */
const EXPOSED_HEADERS: string = [
  'content-length',
  'date',
  'etag',
  'lsn',
  'retry-after',
  'x-ms-activity-id',
  'x-ms-alt-content-path',
  'x-ms-content-path',
  'x-ms-continuation',
  'x-ms-cosmos-index-utilization',
  'x-ms-cosmos-query-advice',
  'x-ms-cosmos-query-execution-info',
  'x-ms-documentdb-collection-index-transformation-progress',
  'x-ms-documentdb-partitionkeyrangeid',
  'x-ms-documentdb-query-metrics',
  'x-ms-documentdb-script-log-results',
  'x-ms-global-committed-lsn',
  'x-ms-item-count',
  'x-ms-item-lsn',
  'x-ms-offer-replace-pending',
  'x-ms-request-charge',
  'x-ms-resource-quota',
  'x-ms-resource-usage',
  'x-ms-retry-after-ms',
  'x-ms-schemaversion',
  'x-ms-session-token',
  'x-ms-substatus',
  'x-perigee-code',
].join(', ');

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
/** How long a browser may remember a preflight, in seconds. */
const PREFLIGHT_SECONDS = '600';
/** Names of headers as a browser lists them. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/u;

/** Whether a text is an origin as browsers and web views send it: scheme, host and port, the port left out where the scheme implies it. */
export function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/iu.test(text)) {
    return false;
  }
  if (!/^https?:/iu.test(text)) {
    return true;
  }
  try {
    return new URL(text).origin === text.toLowerCase();
  } catch {
    return false;
  }
}

function refuse(message: string): PerigeeError {
  return new PerigeeError('FORBIDDEN', message);
}

/**
 * Decides about requests that a web page makes.
 *
 * A browser says where a page comes from in `Origin`, and tells fetches of other sites apart in `Sec-Fetch-Site`; programs send neither. What
 * comes from a page that was not allowed is refused before anything is read or done, for a page can sign with the well-known key.
 */
export class OriginGuard {
  readonly #origins: ReadonlySet<string>;
  readonly #any: boolean;

  constructor(corsOrigins: readonly string[]) {
    this.#origins = new Set(corsOrigins.map((origin) => origin.toLowerCase()));
    this.#any = this.#origins.has('*');
  }

  /**
   * The headers that let the page read the answer; none where no page asks.
   *
   * @throws FORBIDDEN for a page whose origin was not allowed
   */
  check(headers: IncomingHttpHeaders): readonly string[] {
    const { origin } = headers;
    if (origin === undefined) {
      // Such as an image or a script of another site. Following a link is what a person does.
      if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
        throw refuse('The request comes from a page of another site, which this server does not answer.');
      }
      return [];
    }
    if (!this.#any && !this.#origins.has(origin.toLowerCase())) {
      throw refuse(
        'The request comes from a web page whose origin this server does not answer. Start the server with the origin among its CORS origins.',
      );
    }
    return ['access-control-allow-origin', origin, 'vary', 'origin', 'access-control-expose-headers', EXPOSED_HEADERS];
  }

  /** Answers a browser that asks whether a page may send a request; `undefined` where that is not what is asked. */
  preflight(method: string, headers: IncomingHttpHeaders): Reply | undefined {
    if (method !== 'OPTIONS' || headers.origin === undefined || headers['access-control-request-method'] === undefined) {
      return undefined;
    }
    const asked = headers['access-control-request-headers'];
    const reply = ['access-control-allow-methods', METHODS, 'access-control-max-age', PREFLIGHT_SECONDS];
    if (asked !== undefined && HEADER_NAMES.test(asked)) {
      // A list, because `*` would not cover the authorization header.
      reply.push('access-control-allow-headers', asked);
    }
    if (headers['access-control-request-private-network'] === 'true') {
      reply.push('access-control-allow-private-network', 'true');
    }
    return { status: 204, headers: reply, body: undefined };
  }
}
