import { hasLoneSurrogate } from '../../../core/json.ts';

const PLAIN = /^[\w ]*$/;
const HEX = 16;

/** A character that means the same in a literal whatever the settings and the encoding of the connection; all others are written as escapes. */
function escaped(character: string): string {
  if (/[\w .,:;/()[\]{}<>=+*#@!$%&~^|"-]/.test(character)) {
    return character;
  }
  const point = character.codePointAt(0) as number;
  const hex = point.toString(HEX);
  return point > 0xff_ff ? `\\U${hex.padStart(8, '0')}` : point > 0x7f ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`;
}

/**
 * A text as a literal that holds no `?`, quote or line break, the same for the same text; undefined for one that PostgreSQL has no spelling for.
 */
export function quoteText(text: string): string | undefined {
  if (text.includes('\u0000') || hasLoneSurrogate(text)) {
    return undefined;
  }
  return PLAIN.test(text) ? `'${text}'` : `E'${Array.from(text, escaped).join('')}'`;
}
