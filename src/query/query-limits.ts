/** Limits on a query text. */
export interface QueryLimits {
  /** UTF-8 bytes of the text. */
  readonly textBytes: number;
  /** How deep parentheses, calls, constructors, subqueries, prefix operators and right-associative operators may nest together. */
  readonly nesting: number;
  /** Steps of one path, as in `c.a["b"][0]`. */
  readonly pathSteps: number;
  /** JOINs of one FROM clause. */
  readonly joins: number;
  /**
   * Keys of one ORDER BY or GROUP BY: every row is compared by them. The service serves an ORDER BY of up to 8 from an index, and states no number
   * for GROUP BY.
   */
  readonly keys: number;
  /** Calls of user-defined functions in one text. */
  readonly udfCalls: number;
  /** Terms of one call of a full text function: each is looked for in every text. */
  readonly searchTerms: number;
  /** Where the value of TOP, OFFSET or LIMIT has to end: it is smaller than this. */
  readonly countBound: number;
}

/** The limits that {@link prepareQuery} enforces: those of Cosmos DB, and a bound on nesting that keeps every walk off the stack's end. */
export const QUERY_LIMITS: QueryLimits = {
  textBytes: 512 * 1024,
  nesting: 200,
  pathSteps: 256,
  joins: 10,
  keys: 64,
  udfCalls: 10,
  searchTerms: 256,
  countBound: 2 ** 32,
};
