import { PerigeeError } from '../../core/errors.ts';
import { bearerOf, type VerifyCaller } from '../service/caller.ts';

/** Names the user where a shared secret is the credential; its value is encoded as a URI component. */
export const DEVELOPMENT_USER_HEADER = 'x-perigee-user';

const MIN_SECRET_CHARACTERS = 16;

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** Compares in the same time whatever differs. */
function isSame(left: Uint8Array, right: Uint8Array): boolean {
  let difference = 0;
  left.forEach((byte, index) => {
    difference |= byte ^ (right[index] as number);
  });
  return difference === 0;
}

/**
 * For development only: whoever has the secret (`authorization: Bearer <secret>`) may be any user, named in the header `x-perigee-user` as a URI component.
 *
 * @throws INVALID_OPTION
 */
export function developmentVerifier(options: { readonly secret: string }): VerifyCaller {
  const { secret } = options;
  if (typeof secret !== 'string' || secret.length < MIN_SECRET_CHARACTERS || !/^[\x21-\x7e]+$/u.test(secret)) {
    throw new PerigeeError('INVALID_OPTION', `The secret has at least ${MIN_SECRET_CHARACTERS} characters, of ASCII and without spaces.`);
  }
  return async (request) => {
    const given = bearerOf(request);
    if (given === undefined || !isSame(await digest(given), await digest(secret))) {
      return undefined;
    }
    try {
      return { subject: decodeURIComponent(request.headers[DEVELOPMENT_USER_HEADER] ?? '') };
    } catch {
      throw new PerigeeError('UNAUTHORIZED', `The header ${DEVELOPMENT_USER_HEADER} cannot be decoded: write the user as a URI component.`);
    }
  };
}
