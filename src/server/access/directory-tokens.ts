import { PerigeeError } from '../../core/errors.ts';
import type { Access } from './access.ts';

/** What a bearer token permits: reading and writing documents, or reading them. */
export type DirectoryRights = 'contributor' | 'reader';

/**
 * Decides about a bearer token (Microsoft Entra ID, as a client with `aadCredentials` sends): the rights it gives, or `undefined` for none. The caller
 * verifies signature, issuer, audience and expiry; what it throws counts as "none".
 */
export type VerifyDirectoryToken = (token: string) => DirectoryRights | undefined | Promise<DirectoryRights | undefined>;

const MAX_TOKEN_LENGTH = 16 * 1024;

/** Accepts bearer tokens by a function of the operator's. */
export class DirectoryTokens {
  readonly #verify: VerifyDirectoryToken;

  constructor(verify: VerifyDirectoryToken) {
    this.#verify = verify;
  }

  /** @throws UNAUTHORIZED */
  async verify(token: string): Promise<Access> {
    let rights: DirectoryRights | undefined;
    let cause: unknown;
    try {
      rights = token === '' || token.length > MAX_TOKEN_LENGTH ? undefined : await this.#verify(token);
    } catch (error) {
      cause = error;
    }
    if (rights !== 'contributor' && rights !== 'reader') {
      throw new PerigeeError('UNAUTHORIZED', 'The bearer token in the authorization header is not accepted.', { cause });
    }
    return { kind: 'directory', readOnly: rights === 'reader' };
  }
}

/**
 * Accepts every text in the form of a JSON web token that names no time at which it ended, unverified: for development against a server that only this
 * machine reaches.
 *
 * @param nowMs the current time
 */
export function acceptAnyDirectoryToken(nowMs: () => number): VerifyDirectoryToken {
  return (token) => {
    const [, payload = '', signature] = token.split('.');
    if (signature === undefined) {
      return undefined;
    }
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const expiresAt = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return expiresAt === undefined || (typeof expiresAt === 'number' && nowMs() < expiresAt * 1000) ? 'contributor' : undefined;
  };
}
