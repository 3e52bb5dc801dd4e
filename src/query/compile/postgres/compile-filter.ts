import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import type { CompileContext } from '../common/compile-context.ts';
import { createContext, filterOfQuery, type SqlFilter } from '../common/compile-filter.ts';
import { postgresDialect, type PostgresColumns } from './postgres-dialect.ts';

/** What the compiler needs to know of the container and its table. */
export interface PostgresCompileOptions {
  readonly columns?: PostgresColumns | undefined;
  /** Names of the container's computed properties. */
  readonly computedProperties?: ReadonlySet<string> | undefined;
}

/** The columns without a table before them, `id` and `ts` not used. */
export const DEFAULT_COLUMNS: PostgresColumns = { body: 'body', doc: 'doc' };

/** A compiler for one query. */
export function postgresContext(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  { columns, computedProperties }: PostgresCompileOptions,
): CompileContext {
  return createContext(prepared, parameters, postgresDialect(columns ?? DEFAULT_COLUMNS), computedProperties);
}

/**
 * Compiles what PostgreSQL can tell of a query's WHERE clause; see {@link filterOfQuery}.
 *
 * @param parameters those of the run; one that is missing is undefined, as in the evaluator.
 */
export function compileFilter(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: PostgresCompileOptions = {},
): SqlFilter | undefined {
  return filterOfQuery(postgresContext(prepared, parameters, options));
}
