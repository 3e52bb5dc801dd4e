import { canonicalJson, compareStrings, compareValues, equalValues } from '../../core/json-order.ts';
import { getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';

/** How the value of a property is merged; members of it may have ways of their own. */
export interface MergeNode {
  readonly kind: 'value' | 'counter' | 'set';
  readonly members: ReadonlyMap<string, MergeNode>;
}

/** Chooses between two values that both sides have changed. */
export type Choose = () => 'local' | 'remote';

type Maybe = JsonValue | undefined;

const PLAIN: MergeNode = { kind: 'value', members: new Map() };

/**
 * Merges two versions of a value over the one that both come from: what one side changed is taken, what both changed is merged by its kind, and
 * otherwise `choose` decides. The same three versions give the same value whichever side is which.
 */
export function mergeValues(node: MergeNode, base: Maybe, local: Maybe, remote: Maybe, choose: Choose): Maybe {
  if (equalValues(local, base)) {
    return remote;
  }
  if (equalValues(remote, base)) {
    return local;
  }
  const merged = node.kind === 'counter' ? mergeCounters(base, local, remote) : node.kind === 'set' ? mergeSets(base, local, remote) : NOT;
  if (merged !== NOT) {
    return merged as Maybe;
  }
  if (isJsonObject(local) && isJsonObject(remote)) {
    return mergeObjects(node, isJsonObject(base) ? base : {}, local, remote, choose);
  }
  return equalValues(local, remote) || choose() === 'remote' ? remote : local;
}

/** Merges two objects by member: those of the base in its order, then the new ones by name. */
export function mergeObjects(node: MergeNode, base: JsonObject, local: JsonObject, remote: JsonObject, choose: Choose): JsonObject {
  const known = Object.keys(base);
  const added = [...new Set([...Object.keys(local), ...Object.keys(remote)])].filter((name) => !Object.hasOwn(base, name));
  const merged = {};
  for (const name of [...known, ...added.toSorted(compareStrings)]) {
    const member = node.members.get(name) ?? PLAIN;
    const value = mergeValues(member, getOwn(base, name), getOwn(local, name), getOwn(remote, name), choose);
    if (value !== undefined) {
      setOwn(merged, name, value);
    }
  }
  return merged;
}

/** What a kind gives for values that are not of it. */
const NOT = Symbol('not of this kind');

/** Both changes count. A counter that one side removed and the other changed is no matter of addition. */
function mergeCounters(base: Maybe, local: Maybe, remote: Maybe): Maybe | typeof NOT {
  const start = base ?? 0;
  if (typeof start !== 'number' || typeof local !== 'number' || typeof remote !== 'number') {
    return NOT;
  }
  const sum = start + (local - start + (remote - start));
  return Number.isFinite(sum) ? sum : NOT;
}

/** What either side added is in, what either side removed is out. A side without the property has removed everything. */
function mergeSets(base: Maybe, local: Maybe, remote: Maybe): Maybe | typeof NOT {
  const [before, left, right] = [base ?? [], local ?? [], remote ?? []];
  if (!Array.isArray(before) || !Array.isArray(left) || !Array.isArray(right)) {
    return NOT;
  }
  const [known, inLeft, inRight] = [keyed(before), keyed(left), keyed(right)];
  const kept = [...known].filter(([key]) => inLeft.has(key) && inRight.has(key)).map(([, value]) => value);
  const added = [...new Map([...inLeft, ...inRight])].filter(([key]) => !known.has(key)).map(([, value]) => value);
  const items = [...kept, ...added.toSorted(compareValues)];
  return items.length === 0 && (local === undefined || remote === undefined) ? undefined : items;
}

function keyed(items: readonly JsonValue[]): Map<string, JsonValue> {
  return new Map(items.map((item) => [canonicalJson(item), item]));
}
