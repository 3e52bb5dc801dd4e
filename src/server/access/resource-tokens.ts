import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ResourceGrant } from './access.ts';

/** Says what the derived key is for, so that no signature made for another purpose is ever a token. */
const PURPOSE = 'perigee resource token 1';
const PREFIX = 'type=resource&ver=1.0&sig=';
const MAX_TOKEN_LENGTH = 16 * 1024;
const NONCE_BYTES = 8;

/**
 * Issues and verifies resource tokens.
 *
 * A token carries its grant, signed with a key that is derived from the master key: any server with the same master key verifies it without looking
 * anything up, and a new master key ends all tokens. What it carries can be read by whoever holds it.
 */
export class ResourceTokens {
  readonly #key: KeyObject;
  readonly #runtime: Runtime;

  constructor(masterKey: Uint8Array, runtime: Runtime) {
    this.#key = createSecretKey(createHmac('sha256', masterKey).update(PURPOSE).digest());
    this.#runtime = runtime;
  }

  /** The token of a grant; two of the same grant differ. */
  issue(grant: ResourceGrant): string {
    const nonce = Buffer.from(this.#runtime.randomBytes(NONCE_BYTES)).toString('base64');
    const payload = Buffer.from(JSON.stringify({ ...grant, nonce })).toString('base64');
    return this.#token(payload);
  }

  /**
   * The grant of a token, in the very form in which it was issued.
   *
   * @throws UNAUTHORIZED for one that this server did not issue, TOKEN_EXPIRED
   */
  verify(token: string): ResourceGrant {
    const [, payload = ''] = token.split(';', 2);
    if (token.length > MAX_TOKEN_LENGTH || !isSame(token, this.#token(payload))) {
      throw new PerigeeError(
        'UNAUTHORIZED',
        'The resource token in the authorization header was not issued by this server. Read the permission again.',
      );
    }
    const grant: unknown = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    if (!isJsonObject(grant)) {
      throw new PerigeeError('UNAUTHORIZED', 'The resource token in the authorization header cannot be read. Read the permission again.');
    }
    const { expiresAt } = grant as unknown as ResourceGrant;
    if (this.#runtime.nowMs() >= expiresAt * 1000) {
      throw new PerigeeError(
        'TOKEN_EXPIRED',
        'The resource token in the authorization header has expired. Read the permission again for a new one.',
      );
    }
    return grant as unknown as ResourceGrant;
  }

  #token(payload: string): string {
    return `${PREFIX}${createHmac('sha256', this.#key).update(payload).digest('base64')};${payload};`;
  }
}

/** Compares whole texts: base64 has several texts for the same bytes, and only one of them was issued. */
function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
