import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { compileCondition } from '../../query/evaluator/condition.ts';
import { prepareCondition } from '../../query/prepare-query.ts';

/** Tells whether the condition of a patch, such as `from c where c.stock > 0`, holds for a document. */
export function conditionMatcher(runtime: Runtime): (condition: string, document: JsonObject) => boolean {
  return (condition, document) => compileCondition(prepareCondition(condition), { parameters: [], runtime })(document);
}
