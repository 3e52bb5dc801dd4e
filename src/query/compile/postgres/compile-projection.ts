import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import { propertiesReadBy } from '../common/read-properties.ts';
import type { SqlProjection } from '../common/sql-plan.ts';
import { DEFAULT_COLUMNS, type PostgresCompileOptions } from './compile-filter.ts';
import { pathExpression } from './path-expression.ts';

/** The text of a value: of arrays and objects from the text of the document, since `jsonb` does not keep the order of keys. */
function columnOf(path: readonly string[], doc: string, body: string): string | undefined {
  const [value, written] = [pathExpression(path, doc), pathExpression(path, `${body}::json`)];
  return value === undefined
    ? undefined
    : `CASE WHEN jsonb_typeof(${value}) IN ('array', 'object') THEN ${written}::text ELSE ${value}::text END`;
}

/** {@link propertiesReadBy}, with the expressions that cut them out; undefined also where PostgreSQL cannot be told a path. */
export function compileProjection(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  isFilterExact: boolean,
  options: PostgresCompileOptions = {},
): SqlProjection | undefined {
  const { doc, body } = options.columns ?? DEFAULT_COLUMNS;
  const read = propertiesReadBy(prepared, parameters, isFilterExact, options.computedProperties);
  const columns = read?.paths.map((path) => columnOf(path, doc, body));
  return read === undefined || columns === undefined || columns.includes(undefined)
    ? undefined
    : { ...read, columns: columns as readonly string[] };
}
