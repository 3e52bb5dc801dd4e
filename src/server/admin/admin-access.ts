import { createHash, timingSafeEqual } from 'node:crypto';
import { PerigeeError } from '../../core/errors.ts';
import type { Authenticator, SignedRequest } from '../access/authenticator.ts';

/** Which keys a route takes: the master key, or the read-only key as well. */
export type AdminNeed = 'master' | 'read';

const withoutPadding = (key: string): string => key.replace(/=+$/u, '');

function digest(key: string): Buffer {
  return createHash('sha256').update(withoutPadding(key)).digest();
}

/**
 * Decides who may use the admin routes: whoever shows a key itself as a bearer token, or signs the request with it as clients sign all others.
 *
 * Neither is sent by a browser of its own accord, so that no page can make use of one that a person gave elsewhere.
 */
export class AdminAccess {
  readonly #authenticator: Authenticator;
  readonly #masterKey: Buffer;
  readonly #readOnlyKey: Buffer | undefined;

  constructor(authenticator: Authenticator, masterKey: Uint8Array, readOnlyKey: Uint8Array | undefined) {
    this.#authenticator = authenticator;
    this.#masterKey = digest(Buffer.from(masterKey).toString('base64'));
    this.#readOnlyKey = readOnlyKey === undefined ? undefined : digest(Buffer.from(readOnlyKey).toString('base64'));
  }

  /** @throws UNAUTHORIZED, FORBIDDEN */
  async check(need: AdminNeed, request: SignedRequest): Promise<void> {
    const kind = await this.#kindOf(request);
    if (kind !== 'master' && !(kind === 'read-only' && need === 'read')) {
      throw new PerigeeError('FORBIDDEN', 'This admin route needs the master key.');
    }
  }

  async #kindOf(request: SignedRequest): Promise<string> {
    const { headers } = request;
    const bearer = /^bearer +(\S+)$/iu.exec(headers.authorization ?? '')?.[1];
    if (bearer === undefined) {
      if (!/^type(?:=|%3d)/iu.test(headers.authorization ?? '')) {
        throw new PerigeeError('UNAUTHORIZED', 'The admin routes need a key: send "Authorization: Bearer" and the master key.');
      }
      return (await this.#authenticator.verify(request)).kind;
    }
    const given = digest(bearer);
    if (timingSafeEqual(given, this.#masterKey)) {
      return 'master';
    }
    if (this.#readOnlyKey !== undefined && timingSafeEqual(given, this.#readOnlyKey)) {
      return 'read-only';
    }
    throw new PerigeeError('UNAUTHORIZED', 'The bearer token in the authorization header is not the key of this server.');
  }
}
