import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import type { CompileContext } from '../common/compile-context.ts';
import { createContext, filterOfQuery, type SqlFilter } from '../common/compile-filter.ts';
import { sqliteDialect, type SqliteColumns } from './sqlite-dialect.ts';

/** What the compiler needs to know of the container and its table. */
export interface SqliteCompileOptions {
  readonly columns?: SqliteColumns | undefined;
  /** Names of the container's computed properties. */
  readonly computedProperties?: ReadonlySet<string> | undefined;
}

const DEFAULT_COLUMNS: SqliteColumns = { body: 'body' };

/** A compiler for one query. */
export function sqliteContext(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  { columns, computedProperties }: SqliteCompileOptions,
): CompileContext {
  return createContext(prepared, parameters, sqliteDialect(columns ?? DEFAULT_COLUMNS), computedProperties);
}

/**
 * Compiles what SQLite can tell of a query's WHERE clause; see {@link filterOfQuery}.
 *
 * @param parameters those of the run; one that is missing is undefined, as in the evaluator.
 */
export function compileFilter(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqlFilter | undefined {
  return filterOfQuery(sqliteContext(prepared, parameters, options));
}
