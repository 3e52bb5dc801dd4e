import { createHash } from 'node:crypto';

/** Longest name that is written out: endings, a mark against a clash, and the name of a temporary file still fit into 255 bytes. */
const MAX_NAME_BYTES = 180;
/** What stays of a longer name; its own follows from what the file says. */
const CUT_NAME_BYTES = 120;

/** Names that mean devices on Windows, whatever stands behind the first dot. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/iu;

/** Characters that every file system keeps as they are, wherever they stand: no marks, and no letters that some systems take apart. */
function isPlain(character: string): boolean {
  return /^[\p{L}\p{N}_-]$/u.test(character) && character.normalize('NFC') === character && character.normalize('NFD') === character;
}

/** A space or dot is plain within a name; at its end Windows drops it, and a dot at its start hides it, or leaves the folder. */
function isPlainWithin(character: string, index: number, length: number): boolean {
  return isPlain(character) || ((character === ' ' || character === '.') && index > 0 && index < length - 1);
}

function escape(character: string): string {
  return Array.from(new TextEncoder().encode(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Names are the same to some file systems when this is. */
export function clashKey(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase();
}

/** What a name without its ending says: the id, or that the id was too long and stands in the file. */
export type DecodedName = { readonly id: string } | 'cut' | undefined;

/**
 * The name, without ending, of the file or folder of an id. It holds no character that means something to a file system, stays in its folder, is no
 * device, fits into 255 bytes with its ending, and differs from the `taken` ones even where case does not count.
 *
 * {@link decodeName} is its inverse but for an id of more than {@link MAX_NAME_BYTES} bytes, which must be kept elsewhere.
 *
 * @param taken {@link clashKey}s of the names in the folder
 */
export function encodeName(id: string, taken: ReadonlySet<string>): string {
  const characters = Array.from(id);
  let name = characters
    .map((character, index) => (isPlainWithin(character, index, characters.length) ? character : escape(character)))
    .join('');
  if (RESERVED.test(name)) {
    name = escape(name.charAt(0)) + name.slice(1);
  }
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    const kept = Buffer.from(name)
      .subarray(0, CUT_NAME_BYTES)
      .toString('utf8')
      .replaceAll('\ufffd', '')
      .replace(/%[0-9A-F]?$/u, '');
    name = `${kept.replace(/[. ]+$/u, '')}~~${createHash('sha256').update(id).digest('hex').slice(0, 24)}`;
  }
  if (!taken.has(clashKey(name))) {
    return name;
  }
  for (let number = 1; ; number += 1) {
    const numbered = `${name}~${number}`;
    if (!taken.has(clashKey(numbered))) {
      return numbered;
    }
  }
}

/** The id of a name without its ending. A name that a person gave is read too; `undefined` where its escapes are none. */
export function decodeName(name: string): DecodedName {
  if (/~~[0-9a-f]{24}(?:~\d+)?$/u.test(name)) {
    return 'cut';
  }
  try {
    return { id: decodeURIComponent(name.replace(/~\d+$/u, '')) };
  } catch {
    return undefined;
  }
}
