/* eslint-disable no-control-regex -- control characters are what this is about */

/**
 * Writes a text without U+0000, which no text of PostgreSQL can hold: U+0000 becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002. The order of
 * texts stays as it was.
 */
export function escapeText(text: string): string {
  return text.replaceAll(/[\u0000\u0001]/g, (character) => (character === '\u0000' ? '\u0001\u0001' : '\u0001\u0002'));
}

/** The text that {@link escapeText} was given. */
export function unescapeText(text: string): string {
  return text.replaceAll(/\u0001[\u0001\u0002]/g, (pair) => (pair === '\u0001\u0001' ? '\u0000' : '\u0001'));
}
