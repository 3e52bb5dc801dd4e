import type { JsonValue } from '../../../core/json.ts';
import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';
import type { SqliteCompileOptions } from './compile-filter.ts';
import { compileSqlitePlan, type SqlitePlan } from './sqlite-plan.ts';

/** Plans kept for one query; the pages of a result follow each other, so few are enough. */
const MAX_PLANS = 4;
/** Longer parameters are not kept. */
const MAX_KEY_CHARACTERS = 10_000;

const plans = new WeakMap<PreparedQuery, Map<string, SqlitePlan>>();

/** Thrown for a value that has no JSON text of its own; ends the walk. */
const NO_TEXT = Symbol('a value without a text of its own');

function replaceNothing(_: string, value: unknown): unknown {
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    throw NO_TEXT;
  }
  return value;
}

/** What a plan depends on besides the query; undefined where no short text says it. */
function keyOf(prepared: PreparedQuery, parameters: readonly QueryParameter[], options: SqliteCompileOptions): string | undefined {
  const given = new Map(parameters.map(({ name, value }): [string, JsonValue] => [name, value]));
  const values = prepared.parameters.map((name) => (given.get(name) === undefined ? [] : [given.get(name)]));
  try {
    const key = JSON.stringify([values, options.columns, [...(options.computedProperties ?? [])]], replaceNothing);
    return key.length > MAX_KEY_CHARACTERS ? undefined : key;
  } catch (error) {
    if (error === NO_TEXT || error instanceof RangeError) {
      return undefined;
    }
    throw error;
  }
}

/** {@link compileSqlitePlan}, kept for the next page of the same query with the same parameters. A plan is pure data and may be shared. */
export function cachedSqlitePlan(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqlitePlan {
  const key = keyOf(prepared, parameters, options);
  if (key === undefined) {
    return compileSqlitePlan(prepared, parameters, options);
  }
  const known = plans.get(prepared) ?? new Map<string, SqlitePlan>();
  const found = known.get(key) ?? compileSqlitePlan(prepared, parameters, options);
  known.delete(key);
  known.set(key, found);
  if (known.size > MAX_PLANS) {
    known.delete(known.keys().next().value as string);
  }
  plans.set(prepared, known);
  return found;
}
