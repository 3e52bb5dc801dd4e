import { PerigeeError } from '../core/errors.ts';
import { hasLoneSurrogate } from '../core/json.ts';
import { exceedsBytes, STORE_LIMITS } from './limits.ts';

/** How long an id may be whatever its characters are. */
const SHORT = STORE_LIMITS.idBytes / 3;

/** Whether an id is short and of characters that need no second look. Most are, and are looked at in one pass. */
function isPlainId(id: string): boolean {
  if (id === '' || id.length > SHORT) {
    return false;
  }
  for (let index = 0; index < id.length; index += 1) {
    const unit = id.charCodeAt(index);
    // The slashes, the hash sign, and whatever may be half a character.
    if (unit === 47 || unit === 92 || unit === 35 || unit >= 0xd800) {
      return false;
    }
  }
  return true;
}

/**
 * Checks the id of a document: 1 to 1,023 bytes of UTF-8 without `/`, `\` and `#`. Everything else, spaces and control characters included, is allowed.
 *
 * @throws INVALID_ID
 */
export function checkDocumentId(id: unknown): string {
  if (typeof id === 'string' && isPlainId(id)) {
    return id;
  }
  if (typeof id !== 'string' || id === '') {
    throw new PerigeeError('INVALID_ID', 'A document needs an id: a string of 1 to 1,023 bytes.');
  }
  if (exceedsBytes(id, STORE_LIMITS.idBytes)) {
    throw new PerigeeError('INVALID_ID', `The id is longer than ${STORE_LIMITS.idBytes} bytes of UTF-8.`);
  }
  if (id.includes('/') || id.includes('\\') || id.includes('#')) {
    throw new PerigeeError('INVALID_ID', 'Id contains illegal chars: "/", "\\" and "#" are not allowed.');
  }
  if (hasLoneSurrogate(id)) {
    throw new PerigeeError('INVALID_ID', 'The id holds a surrogate without its partner, which has no UTF-8 form.');
  }
  return id;
}

/**
 * Checks the id of a database, a container or another named resource: 1 to 255 characters without `/`, `\`, `#`, `?` and a space at the end.
 *
 * @throws INVALID_ID
 */
export function checkResourceName(id: unknown): string {
  if (typeof id !== 'string' || id === '' || id.length > 255) {
    throw new PerigeeError('INVALID_ID', 'A database or container needs an id: a string of 1 to 255 characters.');
  }
  if (/[/\\#?]/u.test(id) || hasLoneSurrogate(id)) {
    throw new PerigeeError('INVALID_ID', 'Id contains illegal chars.');
  }
  if (id.endsWith(' ')) {
    throw new PerigeeError('INVALID_ID', 'Id ends with a space.');
  }
  return id;
}
