/** Words that cannot be names; `c["value"]` reaches a property of such a name. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  (
    'AND ARRAY AS ASC BETWEEN BY CASE CAST CONVERT CROSS DESC DISTINCT ELSE END ESCAPE EXISTS FALSE FOR FROM GROUP HAVING IN INNER INSERT ' +
    'INTO IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER OVER RIGHT SELECT SET THEN TOP TRUE UDF UNDEFINED UPDATE VALUE WHEN ' +
    'WHERE WITH'
  ).split(' '),
);

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether `text` can be written as a bare name: in a path after a dot, or as an alias. */
export function isBareName(text: string): boolean {
  return NAME.test(text) && !RESERVED_WORDS.has(text.toUpperCase());
}
