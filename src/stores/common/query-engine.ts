import { LazyModule } from '../../core/lazy-module.ts';
import type { WriteOperation } from '../../store/write-rules.ts';
import type * as ResidentEngine from './resident-engine.ts';

/** The language of queries: many programs that open a store read and write by key for long before they ask for more. */
export const QUERY_ENGINE: LazyModule<typeof ResidentEngine> = new LazyModule(() => import('./resident-engine.ts'));

/** The language, for those who have seen to it that it is loaded because they must not wait. */
export function loadedEngine(): typeof ResidentEngine {
  if (QUERY_ENGINE.loaded === undefined) {
    throw new TypeError('The language of queries is used before it is loaded.');
  }
  return QUERY_ENGINE.loaded;
}

/** Whether an operation asks for the value of an expression. */
export function hasCondition(operation: WriteOperation | { readonly type: 'read' }): boolean {
  return operation.type === 'patch' && operation.condition !== undefined;
}
