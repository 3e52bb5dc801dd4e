import type { JsonObject } from '../../core/json.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import { compilePipeline, runPipeline } from './pipeline.ts';
import { createEnvironment, type EnvironmentInput } from './query-environment.ts';

/**
 * Compiles a query as a condition on single documents: whether the query, over that document alone, gives a row.
 *
 * For `SELECT * FROM c WHERE …` that is whether the filter is exactly true. The function is for one caller at a time, since it never waits.
 */
export function compileCondition(prepared: PreparedQuery, input: EnvironmentInput): (document: JsonObject) => boolean {
  const pipeline = compilePipeline(prepared, createEnvironment(input));
  const { last } = pipeline;
  return (document) => {
    let found = false;
    const run = runPipeline(
      pipeline,
      (frame) => {
        found ||= last.alwaysDefined || last.project(frame) !== undefined;
      },
      () => found,
    );
    pipeline.begin(document, 0);
    while (!found && run.step()) {
      // The output above notes what it sees.
    }
    run.finish();
    return found;
  };
}

/** {@link compileCondition} for a single document. */
export function evaluateCondition(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  document: JsonObject,
  input: Omit<EnvironmentInput, 'parameters'>,
): boolean {
  return compileCondition(prepared, { ...input, parameters })(document);
}
