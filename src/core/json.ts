/** A JSON value. `undefined` is never one: a member with that value is absent. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Keys such as `__proto__` are own properties like any other. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Whether `value` is a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Sets an own property whatever its name.
 *
 * Plain assignment to `__proto__` would change the prototype and lose the member.
 */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    (target as Record<string, unknown>)[key] = value;
  }
}

/** Reads an own property; a name inherited from `Object.prototype` is absent. */
export function getOwn(target: object, key: string): JsonValue | undefined {
  return Object.hasOwn(target, key) ? (target as JsonObject)[key] : undefined;
}

/** A deep copy that keeps property order and keys such as `__proto__`. */
export function cloneJson<T extends JsonValue>(value: T): T {
  if (Array.isArray(value)) {
    return value.map((item: JsonValue) => cloneJson(item)) as unknown as T;
  }
  if (isJsonObject(value)) {
    const copy = {};
    for (const key of Object.keys(value)) {
      const member = value[key];
      if (member !== undefined) {
        setOwn(copy, key, cloneJson(member));
      }
    }
    return copy as T;
  }
  return value;
}

const HIGH_START = 0xd800;
const LOW_START = 0xdc00;
const SURROGATE_END = 0xdfff;

/** Whether a string holds a surrogate without its partner; such a string has no UTF-8 form. */
export function hasLoneSurrogate(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < HIGH_START || unit > SURROGATE_END) {
      continue;
    }
    if (unit >= LOW_START) {
      return true;
    }
    const next = text.charCodeAt(index + 1);
    if (!(next >= LOW_START && next <= SURROGATE_END)) {
      return true;
    }
    index += 1;
  }
  return false;
}
