import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';

const NUMBER_BYTES = 8;
/** Stores make etags of different lengths; a document has the same size on each, so that its charge is the same. */
const ETAG = '_etag';
const ETAG_BYTES = 40;
/** The largest result. */
const MAX_BYTES = 2 ** 28;

let allFinite = true;

/** About how many bytes a value takes as JSON text; NaN where a number inside it is not finite. @throws RangeError as {@link sizeOf} */
export function measureValue(value: JsonValue): number {
  allFinite = true;
  const bytes = sizeOf(value, MAX_BYTES);
  return allFinite ? bytes : Number.NaN;
}

/**
 * About how many bytes a value takes as JSON text, whatever numbers it holds.
 *
 * Parts of a value may be one and the same, so a short query can build a value whose text has no end: the walk stops at `most` bytes.
 *
 * @throws RangeError where the value takes more than `most` bytes: a run of a query turns it into QUERY_LIMIT
 */
export function sizeOf(value: JsonValue, most: number): number {
  switch (typeof value) {
    case 'string':
      return bounded(value.length + 2, most);
    case 'number':
      allFinite &&= Number.isFinite(value);
      return NUMBER_BYTES;
    case 'object':
      return value === null ? 4 : Array.isArray(value) ? sizeOfArray(value, most) : sizeOfObject(value as JsonObject, most);
    default:
      return 5;
  }
}

function bounded(bytes: number, most: number): number {
  if (bytes > most) {
    throw new RangeError('A value is too large.');
  }
  return bytes;
}

function sizeOfArray(array: readonly JsonValue[], most: number): number {
  let bytes = 2;
  for (const item of array) {
    bytes = bounded(bytes + sizeOf(item, most - bytes) + 1, most);
  }
  return bytes;
}

function sizeOfObject(object: JsonObject, most: number): number {
  let bytes = 2;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined) {
      const size = key === ETAG && typeof value === 'string' && value.length < 64 ? ETAG_BYTES : sizeOf(value, most - bytes);
      bytes = bounded(bytes + key.length + 4 + size, most);
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
