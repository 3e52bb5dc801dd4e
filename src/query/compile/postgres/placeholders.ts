/**
 * Writes `$1`, `$2`, … for the placeholders of a piece or a whole statement; `from` is the number of the first.
 *
 * Pieces of this compiler hold no other `?`: values are bound, and literals have none.
 */
export function numberPlaceholders(sql: string, from: number): string {
  let next = from;
  return sql.replaceAll('?', () => {
    const placeholder = `$${next}`;
    next += 1;
    return placeholder;
  });
}
