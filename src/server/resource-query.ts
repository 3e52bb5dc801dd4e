import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Runtime } from '../core/runtime.ts';
import { compilePipeline, runPipeline } from '../query/evaluator/pipeline.ts';
import { createEnvironment } from '../query/evaluator/query-environment.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import { projectingOutput } from '../query/evaluator/stage.ts';
import type { QueryBody } from './query-body.ts';

/** The rows of a query over databases, containers or offers. */
export function selectFrom(body: QueryBody, resources: readonly JsonObject[], runtime: Runtime): readonly JsonValue[] {
  const prepared = prepareQuery(body.query);
  const pipeline = compilePipeline(prepared, createEnvironment({ parameters: body.parameters, runtime }));
  const items: JsonValue[] = [];
  const run = runPipeline(
    pipeline,
    projectingOutput(pipeline.last, (value) => items.push(value)),
    () => false,
  );
  for (const [ordinal, resource] of resources.entries()) {
    pipeline.begin(resource, ordinal);
    while (run.step()) {
      // The output takes the rows.
    }
  }
  run.finish();
  return items;
}
