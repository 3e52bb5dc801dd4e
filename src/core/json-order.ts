import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Rank of each type in the order of Cosmos DB: undefined < null < boolean < number < string < array < object. */
export function typeRank(value: JsonValue | undefined): 0 | 1 | 2 | 3 | 4 | 5 | 6 {
  switch (typeof value) {
    case 'undefined':
      return 0;
    case 'boolean':
      return 2;
    case 'number':
      return 3;
    case 'string':
      return 4;
    default:
      return value === null ? 1 : Array.isArray(value) ? 5 : 6;
  }
}

/**
 * Compares two strings by code point, which is also the order of their UTF-8 bytes.
 *
 * JavaScript's `<` compares UTF-16 units and puts U+1F600 before U+FF5E; SQLite's BINARY and PostgreSQL's `C` do not.
 */
export function compareStrings(left: string, right: string): number {
  if (left === right) {
    return 0;
  }
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      return fixUp(a) - fixUp(b);
    }
  }
  return left.length - right.length;
}

/** Moves surrogates above U+E000..U+FFFF, so that comparing units compares code points. */
function fixUp(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}

/**
 * Total order over JSON values and `undefined`, as Cosmos DB sorts across types.
 *
 * Within arrays and objects the service orders by hash; Perigee orders arrays by element and objects by sorted (key, value) pairs,
 * so that the order is total and equal exactly when {@link equalValues} says equal.
 *
 * @example
 * ```ts
 * import { compareValues } from 'perigee';
 *
 * const mixed = ['b', 2, null, true, [1], { a: 1 }];
 * console.log(JSON.stringify(mixed.sort(compareValues))); // -> [null,true,2,"b",[1],{"a":1}]
 * ```
 */
export function compareValues(left: JsonValue | undefined, right: JsonValue | undefined): number {
  // Most values that are put in an order are numbers.
  if (typeof left === 'number' && typeof right === 'number') {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const rank = typeRank(left);
  const difference = rank - typeRank(right);
  if (difference !== 0) {
    return difference;
  }
  switch (rank) {
    case 2:
      return Number(left) - Number(right);
    case 4:
      return compareStrings(left as string, right as string);
    case 5:
      return compareArrays(left as readonly JsonValue[], right as readonly JsonValue[]);
    case 6:
      return compareObjects(left as JsonObject, right as JsonObject);
    default:
      return 0;
  }
}

function compareArrays(left: readonly JsonValue[], right: readonly JsonValue[]): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const order = compareValues(left[index], right[index]);
    if (order !== 0) {
      return order;
    }
  }
  return left.length - right.length;
}

function definedKeys(value: JsonObject): string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined);
}

function compareObjects(left: JsonObject, right: JsonObject): number {
  const leftKeys = definedKeys(left).sort(compareStrings);
  const rightKeys = definedKeys(right).sort(compareStrings);
  const length = Math.min(leftKeys.length, rightKeys.length);
  for (let index = 0; index < length; index += 1) {
    const leftKey = leftKeys[index] as string;
    const rightKey = rightKeys[index] as string;
    const order = compareStrings(leftKey, rightKey) || compareValues(left[leftKey], right[rightKey]);
    if (order !== 0) {
      return order;
    }
  }
  return leftKeys.length - rightKeys.length;
}

/**
 * Deep equality of Cosmos DB: no coercion, arrays by position, objects by key set whatever the order, `0` equals `-0`.
 *
 * `undefined` equals only `undefined` here; the language's `=` yields undefined before it would ask.
 */
export function equalValues(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) {
    return true;
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item: JsonValue, index) => equalValues(item, right[index] as JsonValue))
    );
  }
  if (!isJsonObject(left) || !isJsonObject(right)) {
    return false;
  }
  const keys = definedKeys(left);
  return keys.length === definedKeys(right).length && keys.every((key) => Object.hasOwn(right, key) && equalValues(left[key], right[key]));
}

/** Text that is the same exactly for values that {@link equalValues} calls equal: keys sorted by code point, `-0` as `0`. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) {
    return `[${value.map((item: JsonValue) => canonicalJson(item)).join(',')}]`;
  }
  if (isJsonObject(value)) {
    const members = definedKeys(value)
      .sort(compareStrings)
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as JsonValue)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
