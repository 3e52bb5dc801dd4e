import { PerigeeError } from '../core/errors.ts';
import { getOwn, hasLoneSurrogate, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { exceedsBytes, STORE_LIMITS } from './limits.ts';

/** One level of a partition key. `undefined` means that the document lacks the property: neither `null` nor any value. */
export type PartitionKeyComponent = string | number | boolean | null | undefined;

/** A partition key with one component per path of the container; shorter where a prefix is allowed. */
export type PartitionKey = readonly PartitionKeyComponent[];

/** A component as JSON has it: `{}` stands for a missing one, as in the header of the wire protocol. */
export type PartitionKeyJson = Exclude<PartitionKeyComponent, undefined> | Readonly<Record<string, never>>;

/** How callers pass a partition key: a single component for a container with one path, or an array. */
export type PartitionKeyInput = PartitionKeyComponent | PartitionKey;

/** A partition key as text: a JSON array in which a missing component is `{}`, as in the header of the wire protocol. Equal text is equal key. */
export type PartitionKeyText = string;

/** Splits a path such as `/a/b` or `/"a b"/c` into names. */
export function parsePropertyPath(path: string): readonly string[] {
  const names: string[] = [];
  const pattern = /\/(?:"((?:[^"\\]|\\.)*)"|([^/"]+))/gy;
  let end = 0;
  for (let match = pattern.exec(path); match !== null; match = pattern.exec(path)) {
    names.push(match[1] === undefined ? (match[2] as string) : match[1].replaceAll(/\\(.)/g, '$1'));
    end = pattern.lastIndex;
  }
  if (names.length === 0 || end !== path.length) {
    throw new PerigeeError('INVALID_CONTAINER', `Cannot read the path ${JSON.stringify(path)}: write it as /name or /name/name.`);
  }
  return names;
}

/** The value at a parsed path, `undefined` where any step is missing or not an object. */
export function valueAtPath(document: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const name of path) {
    if (!isJsonObject(value)) {
      return undefined;
    }
    value = getOwn(value, name);
  }
  return value;
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Checks one component: a finite number, a string of at most 2,048 bytes, a boolean, `null` or `undefined`. */
export function checkComponent(value: unknown): PartitionKeyComponent {
  switch (typeof value) {
    case 'string':
      if (exceedsBytes(value, STORE_LIMITS.partitionKeyBytes)) {
        throw new PerigeeError('BAD_REQUEST', 'The partition key is longer than 2,048 bytes.');
      }
      if (hasLoneSurrogate(value)) {
        throw new PerigeeError('BAD_REQUEST', 'The partition key holds a surrogate without its partner, which has no UTF-8 form.');
      }
      return value;
    case 'number':
      if (Number.isFinite(value)) {
        return value === 0 ? 0 : value;
      }
      break;
    case 'boolean':
    case 'undefined':
      return value;
    default:
      if (value === null) {
        return null;
      }
  }
  throw new PerigeeError(
    'BAD_REQUEST',
    `A partition key component is a string, a finite number, a boolean, null or undefined, not ${describe(value)}.`,
  );
}

/** Keys that somebody keeps and passes again and again, with their texts. */
const KEPT = new WeakMap<object, PartitionKeyText>();

/** Makes known that a checked key will be passed again, so that it need not be checked and written each time. It can no longer be changed. */
export function keepPartitionKey(key: PartitionKey): PartitionKey {
  KEPT.set(Object.freeze(key), writeKey(key));
  return key;
}

/**
 * Normalises what a caller passed to one component per path.
 *
 * @param prefix whether fewer components than paths are allowed (queries and change feeds).
 * @throws PARTITION_KEY_MISMATCH when the number of components is not that of the paths; BAD_REQUEST for a component of another type.
 */
export function normalizePartitionKey(input: PartitionKeyInput, pathCount: number, prefix = false): PartitionKey {
  const components: readonly unknown[] = Array.isArray(input) ? (input as readonly unknown[]) : [input];
  if (components.length > pathCount || components.length === 0 || (!prefix && components.length < pathCount)) {
    throw new PerigeeError(
      'PARTITION_KEY_MISMATCH',
      `The partition key has ${components.length} component(s), but the container has ${pathCount} partition key path(s).`,
    );
  }
  return KEPT.has(components) ? (components as PartitionKey) : components.map(checkComponent);
}

/** Whether a value is `{}`, which stands for a missing component, in a document as in the header of the wire protocol. */
function isMissing(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** Reads a component of {@link partitionKeyJson}. @throws BAD_REQUEST */
export function componentOfJson(value: unknown): PartitionKeyComponent {
  return checkComponent(isMissing(value) ? undefined : value);
}

/** The partition key found in a document. @throws BAD_REQUEST for arrays, and for objects that have members */
export function partitionKeyOf(document: JsonObject, paths: readonly (readonly string[])[]): PartitionKey {
  return paths.map((path) => {
    const value = valueAtPath(document, path);
    if (typeof value === 'object' && value !== null) {
      if (isMissing(value)) {
        return undefined;
      }
      throw new PerigeeError(
        'BAD_REQUEST',
        `The document has ${describe(value)} at the partition key path /${path.join('/')}; use a string, number, boolean or null.`,
      );
    }
    return checkComponent(value);
  });
}

/** A partition key as JSON has it: a missing component is `{}`. */
export function partitionKeyJson(key: PartitionKey): PartitionKeyJson[] {
  return key.map((component) => (component === undefined ? {} : component));
}

/** {@link PartitionKeyText} of a partition key. */
export function partitionKeyText(key: PartitionKey): PartitionKeyText {
  return KEPT.get(key) ?? writeKey(key);
}

function writeKey(key: PartitionKey): PartitionKeyText {
  let text = '[';
  for (let index = 0; index < key.length; index += 1) {
    const component = key[index];
    text += `${index === 0 ? '' : ','}${component === undefined ? '{}' : JSON.stringify(component)}`;
  }
  return `${text}]`;
}

/** Reads {@link partitionKeyText}, or the partition-key header of the wire protocol. @throws BAD_REQUEST */
export function parsePartitionKeyText(text: PartitionKeyText): PartitionKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PerigeeError('BAD_REQUEST', 'The partition key is not a JSON array.', { cause });
  }
  if (!Array.isArray(value)) {
    throw new PerigeeError('BAD_REQUEST', 'The partition key is not a JSON array.');
  }
  return value.map(componentOfJson);
}
