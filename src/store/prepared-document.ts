import { PerigeeError } from '../core/errors.ts';
import { hasLoneSurrogate, isJsonObject, setOwn, type JsonObject } from '../core/json.ts';
import { SYSTEM_PROPERTY_NAMES } from './document.ts';
import { checkDocumentId } from './ids.ts';
import { exceedsBytes, STORE_LIMITS } from './limits.ts';
import { partitionKeyOf, partitionKeyText, type PartitionKey, type PartitionKeyText } from './partition-key.ts';
import { checkTtl } from './time-to-live.ts';

/** A document that was checked once: what a backend's write hooks receive. */
export interface PreparedDocument {
  readonly id: string;
  readonly partitionKey: PartitionKey;
  readonly partitionKeyText: PartitionKeyText;
  /** JSON of the document without system properties; never `{}`, since there is an id. */
  readonly text: string;
  /** The document without system properties. Not a copy: a hook that keeps it parses `text`. */
  readonly value: JsonObject;
  /** Whether `value` is what `text` says; not where it holds instances of classes, which may write themselves as something else. */
  readonly isPlain: boolean;
  /** The document's own `ttl`: seconds, or -1; `undefined` where it has none. */
  readonly ttl: number | undefined;
}

function refuse(path: string, what: string): PerigeeError {
  return new PerigeeError('INVALID_DOCUMENT', `The document cannot be stored: ${path === '' ? 'it' : path} ${what}.`, {
    details: { path },
  });
}

/**
 * Checks that a value is JSON: no NaN, no infinite number, no bigint, function or symbol, no Map, Set or other class, not deeper than 128. Gives whether
 * it is made of plain objects alone.
 */
function checkJson(value: unknown, path: string, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      if (!Number.isFinite(value)) {
        throw refuse(path, 'is a number that JSON cannot hold (NaN or infinite)');
      }
      return true;
    case 'object':
      break;
    default:
      throw refuse(path, `is a ${typeof value}, which JSON cannot hold`);
  }
  if (value === null) {
    return true;
  }
  let isPlain = true;
  if (depth > STORE_LIMITS.documentDepth) {
    throw refuse(path.slice(0, 100), `is nested deeper than ${STORE_LIMITS.documentDepth} levels`);
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      if (item === undefined) {
        throw refuse(`${path}[${index}]`, 'is undefined, which an array in JSON cannot hold');
      }
      if (typeof item === 'object' || typeof item === 'number' || typeof item === 'bigint') {
        isPlain = checkJson(item, `${path}[${index}]`, depth + 1) && isPlain;
      }
    }
    return isPlain;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    isPlain = false;
    // An instance of a plain model class is an object like any other; a Map, a Set or a RegExp would be stored as {}.
    if (typeof (value as { toJSON?: unknown }).toJSON !== 'function' && Object.prototype.toString.call(value) !== '[object Object]') {
      throw refuse(path, 'is an instance of a class without toJSON, which JSON would lose');
    }
  }
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member !== 'string') {
      isPlain = checkJson(member, path === '' ? key : `${path}.${key}`, depth + 1) && isPlain;
    }
  }
  return isPlain;
}

/** Whether any string or key within has a lone surrogate; asked only when the JSON text shows an escape that could be one. */
function deepLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') {
    return hasLoneSurrogate(value);
  }
  if (Array.isArray(value)) {
    return value.some(deepLoneSurrogate);
  }
  return isJsonObject(value) && Object.entries(value).some(([key, member]) => hasLoneSurrogate(key) || deepLoneSurrogate(member));
}

/** A copy without the properties that the store writes itself; the same object where it has none. */
export function withoutSystemProperties(document: JsonObject): JsonObject {
  if (!SYSTEM_PROPERTY_NAMES.some((name) => Object.hasOwn(document, name))) {
    return document;
  }
  const copy = {};
  for (const key of Object.keys(document)) {
    if (!(SYSTEM_PROPERTY_NAMES as readonly string[]).includes(key)) {
      setOwn(copy, key, document[key]);
    }
  }
  return copy;
}

/**
 * Checks a document once and gives what every write hook needs.
 *
 * @param paths the container's partition key paths, parsed
 * @throws INVALID_DOCUMENT, INVALID_ID, BAD_REQUEST (partition key, ttl), TOO_LARGE
 */
export function prepareDocument(input: unknown, paths: readonly (readonly string[])[]): PreparedDocument {
  if (!isJsonObject(input)) {
    throw new PerigeeError('INVALID_DOCUMENT', 'A document is a JSON object.');
  }
  const id = checkDocumentId(Object.hasOwn(input, 'id') ? input['id'] : undefined);
  const value = withoutSystemProperties(input);
  const isPlain = checkJson(value, '', 1);
  const text = JSON.stringify(value);
  if (exceedsBytes(text, STORE_LIMITS.documentBytes)) {
    throw new PerigeeError('TOO_LARGE', 'The document is larger than 2 MB. Request size is too large.');
  }
  // JSON.stringify writes a lone surrogate as an escape, and pairs as they are.
  if (text.includes('\\ud') && deepLoneSurrogate(value)) {
    throw new PerigeeError(
      'INVALID_DOCUMENT',
      'The document cannot be stored: a string holds a surrogate without its partner, which has no UTF-8 form.',
    );
  }
  const partitionKey = partitionKeyOf(value, paths);
  const ttl = value['ttl'];
  return {
    id,
    partitionKey,
    partitionKeyText: partitionKeyText(partitionKey),
    text,
    value,
    isPlain,
    ttl: ttl === undefined || ttl === null ? checkOptionalTtl(ttl) : checkTtl(ttl),
  };
}

function checkOptionalTtl(ttl: null | undefined): undefined {
  if (ttl === null) {
    checkTtl(ttl);
  }
  return undefined;
}
