import type { JsonValue } from '../../core/json.ts';
import { scalar, type Argument, type FunctionEntry } from './function-entry.ts';
import { valueKey } from './value-key.ts';

type Items = ReadonlyMap<string, JsonValue>;

/** The distinct elements in the order of their first appearance. */
function distinct(array: readonly JsonValue[]): Items {
  const items = new Map<string, JsonValue>();
  for (const item of array) {
    const key = valueKey(item);
    if (!items.has(key)) {
      items.set(key, item);
    }
  }
  return items;
}

function pick(from: Items, keep: (key: string) => boolean): JsonValue[] {
  const picked: JsonValue[] = [];
  for (const [key, value] of from) {
    if (keep(key)) {
      picked.push(value);
    }
  }
  return picked;
}

function setFunction(name: string, alias: string, compute: (left: Items, right: Items) => JsonValue): FunctionEntry {
  const evaluate = (left: Argument, right: Argument): Argument =>
    Array.isArray(left) && Array.isArray(right) ? compute(distinct(left), distinct(right)) : undefined;
  return scalar('array', name, [2, 2], evaluate, { aliases: [alias] });
}

/** Arrays as sets: duplicates count once, elements are compared deeply. An intersection has the order of the second array. */
export const setFunctions: readonly FunctionEntry[] = [
  setFunction('SETDIFFERENCE', 'SET_DIFFERENCE', (left, right) => pick(left, (key) => !right.has(key))),
  setFunction('SETEQUAL', 'SET_EQUAL', (left, right) => left.size === right.size && [...left.keys()].every((key) => right.has(key))),
  setFunction('SETINTERSECT', 'SET_INTERSECT', (left, right) => pick(right, (key) => left.has(key))),
  setFunction('SETUNION', 'SET_UNION', (left, right) => [...left.values(), ...pick(right, (key) => !left.has(key))]),
];
