import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { systemRuntime } from '../../../src/core/runtime.ts';
import { compilePipeline, runPipeline } from '../../../src/query/evaluator/pipeline.ts';
import { createEnvironment, type EnvironmentInput } from '../../../src/query/evaluator/query-environment.ts';
import { projectingOutput } from '../../../src/query/evaluator/stage.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

/** What the tests of the evaluator set beside the text. */
export type Given = Partial<EnvironmentInput> & { readonly values?: Readonly<Record<string, JsonValue>> };

/** The rows of a query over documents, without ORDER BY, TOP and OFFSET, which the executor adds. */
export function rowsOf(text: string, documents: readonly JsonObject[] = [], given: Given = {}): JsonValue[] {
  const parameters = Object.entries(given.values ?? {}).map(([name, value]) => ({ name, value }));
  const pipeline = compilePipeline(prepareQuery(text), createEnvironment({ runtime: systemRuntime, ...given, parameters }));
  const rows: JsonValue[] = [];
  const run = runPipeline(
    pipeline,
    projectingOutput(pipeline.last, (value) => rows.push(value)),
    () => false,
  );
  for (const [index, document] of (pipeline.readsContainer ? documents : [{}]).entries()) {
    pipeline.begin(document, index + 1);
    while (run.step()) {
      // Rows arrive in the output above.
    }
  }
  run.finish();
  return rows;
}

/** The value of an expression over one document named `c`; `undefined` where it has none. */
export function valueOf(expression: string, document: JsonObject = {}, given: Given = {}): JsonValue | undefined {
  return rowsOf(`SELECT VALUE ${expression} FROM c`, [document], given)[0];
}
