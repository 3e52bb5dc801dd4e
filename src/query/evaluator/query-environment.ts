import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ScalarFunction } from '../functions/function-entry.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { NO_SEARCH_POLICY, type SearchPolicy } from '../search/search-policy.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import type { QueryEnvironment } from './compile-scope.ts';
import { compilePipeline } from './pipeline.ts';

/** A computed property of a container with its query prepared. */
export interface PreparedComputedProperty {
  readonly name: string;
  /** `SELECT VALUE … FROM alias`, and nothing else. */
  readonly query: PreparedQuery;
}

/** What a run of a query reads beside documents. */
export interface EnvironmentInput {
  readonly parameters: readonly QueryParameter[];
  readonly runtime: Runtime;
  readonly computedProperties?: readonly PreparedComputedProperty[] | undefined;
  /** User-defined functions by name, case as written. They are called for each row and must neither block nor change their arguments. */
  readonly udfs?: ReadonlyMap<string, ScalarFunction> | undefined;
  /** What the container says of its texts and vectors. Default: nothing. */
  readonly searchPolicy?: SearchPolicy | undefined;
}

function compileComputed(query: PreparedQuery, environment: QueryEnvironment): (document: JsonObject) => JsonValue | undefined {
  const pipeline = compilePipeline(query, environment);
  const { frame, last } = pipeline;
  return (document) => {
    pipeline.begin(document, 0);
    return last.cursor.next(frame) ? last.project(frame) : undefined;
  };
}

/** The environment of one run; its clock starts now. */
export function createEnvironment({ parameters, runtime, computedProperties, udfs, searchPolicy }: EnvironmentInput): QueryEnvironment {
  const bare: QueryEnvironment = {
    parameters: new Map(parameters.map(({ name, value }) => [name, value])),
    context: { nowMs: runtime.nowMs(), currentMs: () => runtime.nowMs(), random: () => runtime.random() },
    udfs: udfs ?? new Map(),
    computedProperties: new Map(),
    searchPolicy: searchPolicy ?? NO_SEARCH_POLICY,
  };
  if (computedProperties === undefined || computedProperties.length === 0) {
    return bare;
  }
  return {
    ...bare,
    computedProperties: new Map(computedProperties.map(({ name, query }) => [name, compileComputed(query, bare)] as const)),
  };
}
