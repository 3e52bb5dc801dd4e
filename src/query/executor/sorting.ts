import type { JsonValue } from '../../core/json.ts';
import type { Evaluate } from '../evaluator/compile-scope.ts';
import type { PlaceOrder } from './ordered-rows.ts';

/** How rows are ordered. */
export interface Sorting {
  readonly keys: readonly Evaluate[];
  readonly directions: readonly (1 | -1)[];
  readonly order: PlaceOrder;
}

/** NaN has no place in an order; it goes where undefined goes. */
export function sortKey(value: JsonValue | undefined): JsonValue | undefined {
  return Number.isNaN(value) ? undefined : value;
}
