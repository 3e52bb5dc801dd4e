import { PerigeeError } from '../../core/errors.ts';
import type { Reply } from '../reply.ts';
import type { ResourceLink } from '../resource-link.ts';

/** Which of the service's two gateways a port answers as. */
export type Gateway = 'routing' | 'compute';

/** What the system in front of the routing gateway answers to a path with control characters; it is no JSON. */
const INVALID_URL: Reply = {
  status: 400,
  headers: [],
  body: '<!DOCTYPE HTML><html><head><title>Bad Request</title></head><body><h2>Bad Request - Invalid URL</h2></body></html>',
  contentType: 'text/html; charset=us-ascii',
};

const isControl = (character: string): boolean => character < ' ';

/** Decodes what still looks encoded; what is not UTF-8 stays as it is. */
function decodeOnceMore(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/giu, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}

/**
 * How the routing gateway treats a request on one document, where that differs from the compute gateway, which takes every id.
 *
 * Documents with any id can be created on both. The routing gateway decodes the path of a later request once more than clients encode it, and
 * drops spaces at its end: an id such as `a%20b` or `a ` is then another one than was signed, and the request is refused with 401. A path with
 * a tab, a line feed or a carriage return does not reach the gateway at all. `undefined` where it answers as the other.
 *
 * @throws UNAUTHORIZED
 */
export function routingGatewayReply({ feed, id }: ResourceLink): Reply | undefined {
  if (id === undefined || feed.type !== 'docs') {
    return undefined;
  }
  if (Array.from(id).some(isControl)) {
    return INVALID_URL;
  }
  if (decodeOnceMore(id).trimEnd() !== id) {
    throw new PerigeeError(
      'UNAUTHORIZED',
      'The input authorization token cannot serve the request: this gateway decodes the id in the path once more, and drops spaces at its end. Use the compute gateway for such ids.',
    );
  }
  return undefined;
}
