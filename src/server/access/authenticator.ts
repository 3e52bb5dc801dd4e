import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ResourceLink } from '../resource-link.ts';
import { AcceptedHeaders } from './accepted-headers.ts';
import type { Access } from './access.ts';
import type { DirectoryTokens } from './directory-tokens.ts';
import type { ResourceTokens } from './resource-tokens.ts';
import { signedTexts, textByName } from './signed-text.ts';
import { SigningKey } from './signing-key.ts';

/** How far the date that a client signed may be from the server's clock, in milliseconds. */
export const DATE_TOLERANCE_MS: number = 15 * 60 * 1000;

const MASTER: Access = { kind: 'master' };
const READ_ONLY: Access = { kind: 'read-only' };

function refuse(message: string): PerigeeError {
  return new PerigeeError('UNAUTHORIZED', message);
}

/** The text of an authorization header, which clients encode as one URI component. */
function decodeHeader(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch (cause) {
    throw new PerigeeError('UNAUTHORIZED', 'The authorization header cannot be decoded.', { cause });
  }
}

function dateOf(headers: IncomingHttpHeaders): string {
  const header = headers['x-ms-date'] ?? headers.date;
  return typeof header === 'string' ? header : '';
}

function partsOf(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    if (equals > 0) {
      parts.set(part.slice(0, equals).toLowerCase(), part.slice(equals + 1));
    }
  }
  return parts;
}

/** What {@link Authenticator} accepts. */
export interface AuthenticatorOptions {
  readonly masterKey: Uint8Array;
  readonly readOnlyKey: Uint8Array | undefined;
  readonly tokens: ResourceTokens;
  /** `undefined` accepts no bearer tokens. */
  readonly directory: DirectoryTokens | undefined;
  readonly runtime: Runtime;
}

/**
 * Tells who sends a request: verifies signatures with the master or the read-only key, resource tokens, and bearer tokens where these are accepted.
 *
 * A signature covers method, resource type, decoded link and date. The date may be {@link DATE_TOLERANCE_MS} off, within which a request can be
 * repeated by whoever has seen it: use HTTPS where that matters. All comparisons take the same time whatever differs.
 */
export class Authenticator {
  readonly #keys: readonly { readonly key: SigningKey; readonly access: Access }[];
  readonly #options: AuthenticatorOptions;
  readonly #accepted = new AcceptedHeaders();
  #lastDate = '';
  #lastDateMs = Number.NaN;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    const { masterKey, readOnlyKey } = options;
    this.#keys = [
      { key: new SigningKey(masterKey), access: MASTER },
      ...(readOnlyKey === undefined ? [] : [{ key: new SigningKey(readOnlyKey), access: READ_ONLY }]),
    ];
  }

  /** @throws UNAUTHORIZED, TOKEN_EXPIRED */
  verify(method: string, link: ResourceLink, headers: IncomingHttpHeaders): Access | Promise<Access> {
    const header = headers.authorization;
    if (header === undefined || header === '') {
      throw refuse('The request has no authorization header. Sign it with the master key.');
    }
    const known = this.#acceptedBefore(method, link, headers, header);
    if (known !== undefined) {
      return known;
    }
    const bearer = /^bearer (.+)$/iu.exec(header)?.[1];
    if (bearer !== undefined) {
      return this.#verifyBearer(bearer);
    }
    const text = decodeHeader(header);
    const token = partsOf(text);
    switch (token.get('type')?.toLowerCase()) {
      case 'master':
        return this.#verifySignature(method, link, headers, { header, signature: Buffer.from(token.get('sig') ?? '') });
      case 'resource':
        return { kind: 'token', grant: this.#options.tokens.verify(text) };
      case 'aad':
        return this.#verifyBearer(token.get('sig') ?? '');
      default:
        throw refuse('The authorization header is neither a master-key signature (type=master&ver=1.0&sig=...) nor a resource token.');
    }
  }

  #verifyBearer(token: string): Promise<Access> {
    const { directory } = this.#options;
    if (directory === undefined) {
      throw refuse('Bearer tokens are not accepted by this server unless it is told to. Sign the request with the master key.');
    }
    return directory.verify(token);
  }

  #acceptedBefore(method: string, link: ResourceLink, headers: IncomingHttpHeaders, header: string): Access | undefined {
    const date = dateOf(headers);
    return date === this.#lastDate && this.#isNear(this.#lastDateMs)
      ? this.#accepted.find(textByName(method, link, date), header)
      : undefined;
  }

  #verifySignature(
    method: string,
    link: ResourceLink,
    headers: IncomingHttpHeaders,
    { header, signature }: { readonly header: string; readonly signature: Buffer },
  ): Access {
    const [byName, byId] = signedTexts(method, link, this.#date(headers));
    for (const { key, access } of this.#keys) {
      if (key.made(signature, byName)) {
        this.#accepted.keep(byName, header, access);
        return access;
      }
      if (byId !== undefined && key.made(signature, byId)) {
        return access;
      }
    }
    throw refuse(
      'The signature in the authorization header does not match the request. Check that the key is the one of the server, and that method, resource type, link and date are signed as sent.',
    );
  }

  #date(headers: IncomingHttpHeaders): string {
    const date = dateOf(headers);
    if (date !== this.#lastDate) {
      this.#lastDateMs = Date.parse(date);
      this.#lastDate = date;
    }
    if (Number.isNaN(this.#lastDateMs)) {
      throw refuse('The request has no x-ms-date header with a date as in HTTP.');
    }
    if (!this.#isNear(this.#lastDateMs)) {
      throw refuse('The date of the request is more than 15 minutes away from the clock of the server. Set the clock of the client.');
    }
    return date;
  }

  #isNear(dateMs: number): boolean {
    return Math.abs(dateMs - this.#options.runtime.nowMs()) <= DATE_TOLERANCE_MS;
  }
}
