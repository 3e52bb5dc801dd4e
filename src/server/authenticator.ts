import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ResourceLink } from './resource-link.ts';

/** How far the date that a client signed may be from the server's clock, in milliseconds. */
export const DATE_TOLERANCE_MS: number = 15 * 60 * 1000;

const RESOURCE_ID = /^(?:[A-Za-z0-9+-]{4})+$|^(?:[A-Za-z0-9+-]{4})*(?:[A-Za-z0-9+-]{2}==|[A-Za-z0-9+-]{3}=)$/u;

function refuse(message: string): PerigeeError {
  return new PerigeeError('UNAUTHORIZED', message);
}

/** The parts of an authorization header, which clients encode as one URI component. */
function readToken(header: string): Map<string, string> {
  let text: string;
  try {
    text = decodeURIComponent(header);
  } catch (cause) {
    throw new PerigeeError('UNAUTHORIZED', 'The authorization header cannot be decoded.', { cause });
  }
  const parts = new Map<string, string>();
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    if (equals > 0) {
      parts.set(part.slice(0, equals).toLowerCase(), part.slice(equals + 1));
    }
  }
  return parts;
}

/** The text that a client signs for a request. */
function signedText(method: string, type: string, link: string, date: string): string {
  return `${method.toLowerCase()}\n${type}\n${link}\n${date.toLowerCase()}\n\n`;
}

/**
 * Checks the master-key signature of requests.
 *
 * A signature covers method, resource type, decoded link and date. The date may be {@link DATE_TOLERANCE_MS} off, within which a request can be
 * repeated by whoever has seen it: use HTTPS where that matters.
 */
export class Authenticator {
  readonly #key: KeyObject;
  readonly #runtime: Runtime;
  #lastDate = '';
  #lastDateMs = Number.NaN;

  constructor(key: Uint8Array, runtime: Runtime) {
    this.#key = createSecretKey(key);
    this.#runtime = runtime;
  }

  /** @throws UNAUTHORIZED */
  verify(method: string, link: ResourceLink, headers: IncomingHttpHeaders): void {
    const header = headers.authorization;
    if (header === undefined || header === '') {
      throw refuse('The request has no authorization header. Sign it with the master key.');
    }
    const token = readToken(header);
    const type = token.get('type')?.toLowerCase();
    if (type !== 'master') {
      const given = type === 'resource' ? 'Resource tokens' : type === 'aad' || /^bearer /iu.test(header) ? 'Bearer tokens' : undefined;
      throw refuse(
        given === undefined
          ? 'The authorization header is no master-key signature (type=master&ver=1.0&sig=...).'
          : `${given} are not accepted by this server. Sign the request with the master key.`,
      );
    }
    const date = this.#date(headers);
    const signature = Buffer.from(token.get('sig') ?? '', 'base64');
    const { type: resourceType, resource } = signedResource(link);
    if (this.#matches(signature, signedText(method, resourceType, resource, date))) {
      return;
    }
    const rid = lastResourceId(link);
    if (rid !== undefined && this.#matches(signature, signedText(method, resourceType, rid.toLowerCase(), date))) {
      return;
    }
    throw refuse(
      'The signature in the authorization header does not match the request. Check that the key is the one of the server, and that method, resource type, link and date are signed as sent.',
    );
  }

  #date(headers: IncomingHttpHeaders): string {
    const header = headers['x-ms-date'] ?? headers.date;
    const date = typeof header === 'string' ? header : '';
    if (date !== this.#lastDate) {
      this.#lastDateMs = Date.parse(date);
      this.#lastDate = date;
    }
    if (Number.isNaN(this.#lastDateMs)) {
      throw refuse('The request has no x-ms-date header with a date as in HTTP.');
    }
    if (Math.abs(this.#lastDateMs - this.#runtime.nowMs()) > DATE_TOLERANCE_MS) {
      throw refuse('The date of the request is more than 15 minutes away from the clock of the server. Set the clock of the client.');
    }
    return date;
  }

  #matches(signature: Buffer, text: string): boolean {
    const expected = createHmac('sha256', this.#key).update(text).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  }
}

/** What of a link is signed: its type, and the parent of a feed, the id of an offer, the container of an operation, or else the whole link. */
function signedResource({ feed, id }: ResourceLink): { readonly type: string; readonly resource: string } {
  if (id === undefined) {
    return { type: feed.type, resource: feed.parent };
  }
  switch (feed.type) {
    case 'offers':
      return { type: feed.type, resource: id.toLowerCase() };
    case 'operations':
      return { type: 'colls', resource: feed.parent };
    default:
      return { type: feed.type, resource: `${feed.path}/${id}` };
  }
}

/** Clients that address by resource id sign the last resource id alone. */
function lastResourceId({ feed, id }: ResourceLink): string | undefined {
  const rid = id ?? feed.names.at(-1);
  return rid !== undefined && RESOURCE_ID.test(rid) ? rid : undefined;
}
