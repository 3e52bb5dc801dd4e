import type { JsonValue } from '../../../core/json.ts';
import type { PreparedQuery } from '../../prepared-query.ts';
import type { QueryParameter } from '../../syntax-nodes.ts';

/** What a plan depends on besides the query and its parameters. */
export interface PlanOptions {
  /** The columns of the table, as the store writes them in its statement. */
  readonly columns?: object | undefined;
  /** Names of the container's computed properties. */
  readonly computedProperties?: ReadonlySet<string> | undefined;
}

/** Compiles a plan, which is pure data and may be shared. */
export type CompilePlan<Plan, Options extends PlanOptions> = (
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options?: Options,
) => Plan;

/** Plans kept for one query; the pages of a result follow each other, so few are enough. */
const MAX_PLANS = 4;
/** Longer parameters are not kept. */
const MAX_KEY_CHARACTERS = 10_000;

/** Thrown for a value that has no JSON text of its own; ends the walk. */
const NO_TEXT = Symbol('a value without a text of its own');

function replaceNothing(_: string, value: unknown): unknown {
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    throw NO_TEXT;
  }
  return value;
}

/** What a plan depends on besides the query; undefined where no short text says it. */
function keyOf(prepared: PreparedQuery, parameters: readonly QueryParameter[], options: PlanOptions): string | undefined {
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

/** A compiler that keeps plans for the next page of the same query with the same parameters. */
export function cachingCompiler<Plan, Options extends PlanOptions>(compile: CompilePlan<Plan, Options>): CompilePlan<Plan, Options> {
  const plans = new WeakMap<PreparedQuery, Map<string, Plan>>();
  return (prepared, parameters, options) => {
    const key = keyOf(prepared, parameters, options ?? {});
    if (key === undefined) {
      return compile(prepared, parameters, options);
    }
    const known = plans.get(prepared) ?? new Map<string, Plan>();
    const found = known.get(key) ?? compile(prepared, parameters, options);
    known.delete(key);
    known.set(key, found);
    if (known.size > MAX_PLANS) {
      known.delete(known.keys().next().value as string);
    }
    plans.set(prepared, known);
    return found;
  };
}
