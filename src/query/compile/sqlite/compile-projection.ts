import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { propertiesReadBy, type ReadProperties } from '../common/read-properties.ts';
import type { SqliteCompileOptions } from './compile-filter.ts';
import { quotePath } from './json-path.ts';

/** The properties of a document that a query reads: all else may be left out of what is parsed. */
export interface SqliteProjection extends ReadProperties {
  /** An expression for each path, which gives the JSON text of its value or NULL where there is none; it says nothing of odd documents. */
  readonly columns: readonly string[];
}

/** {@link propertiesReadBy}, with the expressions that cut them out; undefined also where SQLite cannot be told a path. */
export function compileProjection(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  isFilterExact: boolean,
  options: SqliteCompileOptions = {},
): SqliteProjection | undefined {
  const read = propertiesReadBy(prepared, parameters, isFilterExact, options.computedProperties);
  const quoted = read?.paths.map((path) => quotePath(path));
  if (read === undefined || quoted === undefined || quoted.includes(undefined)) {
    return undefined;
  }
  const body = options.columns?.body ?? 'body';
  return { ...read, columns: quoted.map((path) => `(${body} -> ${path?.text})`) };
}
