import { toHex } from '../../core/runtime.ts';
import { partitionKeyText } from '../../store/partition-key.ts';
import type { TokenScope } from './token-grants.ts';

/** The one permission of each user of the account. */
export const PERMISSION_ID = 'token';
const SCOPE_HEX_CHARACTERS = 32;

async function digest(text: string): Promise<string> {
  return toHex(new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

/**
 * Id of the user in the account for what a caller gets. There is one for each container, partition key and mode: the service refuses a second permission
 * of one user for the same container. It is made by hash, since ids cannot hold every character and are to tell nobody's name; those of one caller begin alike.
 */
export async function userIdOf(subject: string, { container, partitionKey, mode }: TokenScope): Promise<string> {
  const scope = JSON.stringify([container, partitionKey === undefined ? null : partitionKeyText(partitionKey), mode]);
  return `perigee-${await digest(subject)}-${(await digest(scope)).slice(0, SCOPE_HEX_CHARACTERS)}`;
}
