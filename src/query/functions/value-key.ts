import { canonicalJson } from '../../core/json-order.ts';
import type { JsonValue } from '../../core/json.ts';

/** Text that two values share exactly when they are deeply equal; `undefined` has one of its own. */
export function valueKey(value: JsonValue | undefined): string {
  switch (typeof value) {
    case 'undefined':
      return 'u';
    case 'string':
      return `s${value}`;
    case 'number':
      return `d${value}`;
    default:
      return canonicalJson(value);
  }
}
