import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ResourceGrant } from './access.ts';

/** Says what the derived key is for, so that no signature made for another purpose is ever a token. */
const PURPOSE = 'perigee resource token 1';
const MAX_TOKEN_LENGTH = 8 * 1024;
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
    return `type=resource&ver=1.0&sig=${this.#sign(payload).toString('base64')};${payload};`;
  }

  /**
   * The grant of a token's `sig` part.
   *
   * @throws UNAUTHORIZED for one that this server did not issue, TOKEN_EXPIRED
   */
  verify(signed: string): ResourceGrant {
    const [signature = '', payload = '', rest] = signed.split(';');
    const given = Buffer.from(signature, 'base64');
    const expected = this.#sign(payload);
    if (signed.length > MAX_TOKEN_LENGTH || rest !== '' || given.length !== expected.length || !timingSafeEqual(given, expected)) {
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

  #sign(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}
