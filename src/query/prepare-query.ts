import { bindQuery } from './binder/bind-query.ts';
import { functionCatalog } from './functions/function-table.ts';
import { parseCondition, parseQuery } from './parser/parse-query.ts';
import { PreparedQueryCache } from './prepared-query-cache.ts';
import type { PreparedQuery } from './prepared-query.ts';

const queries = new PreparedQueryCache((text) => bindQuery(parseQuery(text), text, functionCatalog));
const conditions = new PreparedQueryCache((text) => bindQuery(parseCondition(text), text, functionCatalog));

/**
 * Parses, checks and resolves a query text. The result depends on the text alone and is shared between calls; texts seen lately cost a look-up.
 *
 * @throws QUERY_SYNTAX, QUERY_INVALID, QUERY_NOT_SUPPORTED or QUERY_LIMIT, each with `details.errors` in the service's shape.
 */
export function prepareQuery(text: string): PreparedQuery {
  return queries.get(text);
}

/** {@link prepareQuery} for the condition of a patch: `FROM c WHERE …`, read as `SELECT * FROM c WHERE …`. @throws as there */
export function prepareCondition(text: string): PreparedQuery {
  return conditions.get(text);
}
