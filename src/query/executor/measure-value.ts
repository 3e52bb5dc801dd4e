import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';

const NUMBER_BYTES = 8;

/** About how many bytes a value takes as JSON text; NaN where a number inside it is not finite. */
export function measureValue(value: JsonValue): number {
  switch (typeof value) {
    case 'string':
      return value.length + 2;
    case 'number':
      return Number.isFinite(value) ? NUMBER_BYTES : Number.NaN;
    case 'object':
      return value === null ? 4 : Array.isArray(value) ? measureArray(value) : measureObject(value as JsonObject);
    default:
      return 5;
  }
}

function measureArray(array: readonly JsonValue[]): number {
  let bytes = 2;
  for (const item of array) {
    bytes += measureValue(item) + 1;
  }
  return bytes;
}

function measureObject(object: JsonObject): number {
  let bytes = 2;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined) {
      bytes += key.length + 4 + measureValue(value);
    }
  }
  return bytes;
}

/** Refuses a result that JSON cannot hold. */
export function notFiniteError(): PerigeeError {
  return new PerigeeError(
    'QUERY_FAILED',
    'Cannot run the query: a result holds a number that is not finite, as from a division by zero. Filter such rows or test with IS_FINITE_NUMBER.',
    { subStatus: 4001, details: { errorNumber: 4001 } },
  );
}
