/** Texts as the text of an array of PostgreSQL, for a bound value that is cast to an array. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`).join(',')}}`;
}
