import type { JsonValue } from '../core/json.ts';

/**
 * A function that queries call as `udf.name(…)`. `undefined` is the language's own undefined, as an argument and as a result.
 *
 * It is called for each row, in the midst of a query: it answers at once, changes nothing of its arguments, and gives JSON. What it throws ends
 * the query with QUERY_FAILED, unless it is a PerigeeError, which is passed on as it is.
 */
export type UserDefinedFunction = (...values: (JsonValue | undefined)[]) => JsonValue | undefined;

/** User-defined functions by name, case as in queries. */
export type UserDefinedFunctions = Readonly<Record<string, UserDefinedFunction>>;
