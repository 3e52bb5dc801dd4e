import type { JsonValue } from '../../core/json.ts';
import type { Argument, ScalarFunction } from '../functions/function-entry.ts';
import type { CallNode } from '../syntax-nodes.ts';
import type { Evaluate } from './compile-scope.ts';

/** Shorter lists are looked through as fast. */
const MIN_LENGTH = 16;

function isPrimitive(value: Argument): boolean {
  return value === null || typeof value !== 'object';
}

/** Whether one of the values is among the members, or all are, with the language's undefined; undefined for values that have to be compared deeply. */
type Lookup = (members: ReadonlySet<JsonValue>, rest: readonly Argument[]) => { readonly result: Argument } | undefined;

function lookUpMany(decisive: boolean): Lookup {
  return (members, needles) => {
    if (!needles.every(isPrimitive)) {
      return undefined;
    }
    if (needles.some((needle) => needle !== undefined && members.has(needle) === decisive)) {
      return { result: decisive };
    }
    return { result: needles.includes(undefined) ? undefined : !decisive };
  };
}

const LOOKUPS: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  [
    'ARRAY_CONTAINS',
    (members, [needle, partial]) =>
      needle !== undefined && isPrimitive(needle) && (partial === undefined || typeof partial === 'boolean')
        ? { result: members.has(needle) }
        : undefined,
  ],
  ['ARRAY_CONTAINS_ANY', lookUpMany(true)],
  ['ARRAY_CONTAINS_ALL', lookUpMany(false)],
]);

/** Numbers, texts and the like of a list; what is not a number equals nothing, itself included. */
function membersOf(list: readonly JsonValue[]): ReadonlySet<JsonValue> {
  return new Set(list.filter((item) => isPrimitive(item) && !Number.isNaN(item)));
}

/** Whether a list stands in the text, item by item, so that it is the same for each row. */
function isWritten(node: CallNode['arguments'][number] | undefined): boolean {
  return node?.kind === 'array' && node.items.every(({ kind }) => kind === 'literal' || kind === 'number');
}

/**
 * ARRAY_CONTAINS and its kin over a list that stays the same from row to row, as a parameter does: its members are put into a set when it is met
 * the second time, and equality is the language's all the same. `undefined` for other functions.
 */
export function prepareList(
  name: string,
  node: CallNode,
  values: readonly Evaluate[],
  body: ScalarFunction,
): { readonly values: readonly Evaluate[]; readonly body: ScalarFunction } | undefined {
  const lookup = LOOKUPS.get(name);
  const [list, ...others] = values;
  if (lookup === undefined || list === undefined) {
    return undefined;
  }
  let written: { readonly value: Argument } | undefined;
  const first: Evaluate = isWritten(node.arguments[0]) ? (frame) => (written ??= { value: list(frame) }).value : list;
  let known: Argument;
  let members: ReadonlySet<JsonValue> | undefined;
  return {
    values: [first, ...others],
    body: (array, ...rest) => {
      if (!Array.isArray(array) || array.length < MIN_LENGTH) {
        return body(array, ...rest);
      }
      if (array !== known) {
        known = array;
        members = undefined;
        return body(array, ...rest);
      }
      members ??= membersOf(array as readonly JsonValue[]);
      const found = lookup(members, rest);
      return found === undefined ? body(array, ...rest) : found.result;
    },
  };
}
