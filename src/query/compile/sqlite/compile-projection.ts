import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { propertiesReadBy } from '../common/read-properties.ts';
import type { SqlProjection } from '../common/sql-plan.ts';
import type { SqliteCompileOptions } from './compile-filter.ts';
import { quotePath } from './json-path.ts';

/** {@link propertiesReadBy}, with the expressions that cut them out; undefined also where SQLite cannot be told a path. */
export function compileProjection(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  isFilterExact: boolean,
  options: SqliteCompileOptions = {},
): SqlProjection | undefined {
  const read = propertiesReadBy(prepared, parameters, isFilterExact, options.computedProperties);
  const quoted = read?.paths.map((path) => quotePath(path));
  if (read === undefined || quoted === undefined || quoted.includes(undefined)) {
    return undefined;
  }
  const body = options.columns?.body ?? 'body';
  return { ...read, columns: quoted.map((path) => `(${body} -> ${path?.text})`) };
}
