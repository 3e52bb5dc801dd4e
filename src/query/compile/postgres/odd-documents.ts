/** What JSON text holds of a NUL, and of a surrogate without its partner: neither has a place in `jsonb`. */
const UNTOLD = ['\\u0000', '\\ud'] as const;

/**
 * Whether the JSON text of a document may hold what `jsonb` refuses, in a key or a value: an odd document, of which nothing is told in SQL.
 *
 * A text that only spells such an escape, after a backslash of its own, counts too: these are as rare.
 */
export function isOddText(text: string): boolean {
  return UNTOLD.some((escape) => text.includes(escape));
}

/** {@link isOddText} in SQL. */
export function oddCondition(bodyColumn: string): string {
  return UNTOLD.map((escape) => `strpos(${bodyColumn}, E'\\${escape}') > 0`).join(' OR ');
}

/**
 * The document as `jsonb`, for a generated column over the column of its text; NULL where {@link isOddText} holds.
 *
 * `JSON.stringify` writes `\u` escapes in lower case, and of surrogates only those that stand alone. Most documents have no backslash at all, and to look
 * for one character takes PostgreSQL next to no time.
 */
export function docExpression(bodyColumn: string): string {
  return `CASE WHEN strpos(${bodyColumn}, E'\\\\') = 0 THEN ${bodyColumn}::jsonb WHEN ${oddCondition(bodyColumn)} THEN NULL ELSE ${bodyColumn}::jsonb END`;
}
