import { PerigeeError } from '../core/errors.ts';
import { cloneJson, getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from '../core/json.ts';
import { SYSTEM_PROPERTY_NAMES } from './document.ts';
import { STORE_LIMITS } from './limits.ts';
import type { PatchOperation } from './operations.ts';

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_PATCH', message);
}

/** Splits a JSON pointer (RFC 6901) into names. @throws INVALID_PATCH */
export function parsePatchPath(path: unknown): readonly string[] {
  if (typeof path !== 'string' || !path.startsWith('/') || path.length < 2) {
    throw invalid(`A patch path is a JSON pointer such as /name or /list/0, not ${JSON.stringify(path)}.`);
  }
  return path
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((name, index) => path[index] === name);
}

/**
 * Checks a patch before anything is read: 1 to 10 operations, known kinds, readable paths, and none that touches the id, the partition key or a
 * system property.
 *
 * @throws INVALID_PATCH
 */
export function checkPatch(
  operations: unknown,
  partitionKeyPaths: readonly (readonly string[])[],
  allowMove: boolean,
): readonly PatchOperation[] {
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > STORE_LIMITS.patchOperations) {
    throw invalid(`A patch has 1 to ${STORE_LIMITS.patchOperations} operations.`);
  }
  const fixed = [['id'], ...SYSTEM_PROPERTY_NAMES.map((name) => [name]), ...partitionKeyPaths];
  for (const operation of operations as readonly Partial<Record<string, unknown>>[]) {
    const kind = operation?.['op'];
    const paths = [parsePatchPath(operation?.['path'])];
    switch (kind) {
      case 'add':
      case 'set':
      case 'replace':
        if (operation['value'] === undefined) {
          throw invalid(`The patch operation ${kind} needs a value.`);
        }
        break;
      case 'incr':
        if (typeof operation['value'] !== 'number' || !Number.isFinite(operation['value'])) {
          throw invalid('The patch operation incr needs a finite number as its value.');
        }
        break;
      case 'remove':
        break;
      case 'move':
        if (!allowMove) {
          throw new PerigeeError('NOT_SUPPORTED', 'The patch operation move is not available on this backend; use add and remove.', {
            details: { capability: 'patchMove' },
          });
        }
        paths.push(parsePatchPath(operation['from']));
        break;
      default:
        throw invalid(`Unknown patch operation ${JSON.stringify(kind)}: use add, set, replace, remove, incr or move.`);
    }
    for (const path of paths) {
      if (fixed.some((name) => startsWith(path, name) || startsWith(name, path))) {
        throw invalid(`A patch cannot change /${path.join('/')}: the id, the partition key and system properties are fixed.`);
      }
    }
  }
  return operations as readonly PatchOperation[];
}

type Container = JsonObject | JsonValue[];

function parentOf(document: JsonObject, path: readonly string[]): Container {
  let value: JsonValue | undefined = document;
  for (const name of path.slice(0, -1)) {
    value = Array.isArray(value) ? value[arrayIndex(name, value.length - 1)] : isJsonObject(value) ? getOwn(value, name) : undefined;
  }
  if (Array.isArray(value) || isJsonObject(value)) {
    return value as Container;
  }
  throw invalid(`The patch path /${path.join('/')} does not exist: its parent is missing or is neither an object nor an array.`);
}

function arrayIndex(name: string, highest: number): number {
  const index = /^(?:0|[1-9]\d{0,9})$/u.test(name) ? Number(name) : -1;
  if (index < 0 || index > highest) {
    throw invalid(`The array index ${JSON.stringify(name)} in a patch path is out of range.`);
  }
  return index;
}

function readAt(parent: Container, name: string): JsonValue | undefined {
  if (Array.isArray(parent)) {
    return /^(?:0|[1-9]\d{0,9})$/u.test(name) ? parent[Number(name)] : undefined;
  }
  return getOwn(parent, name);
}

function existing(parent: Container, name: string, path: string): JsonValue {
  const value = readAt(parent, name);
  if (value === undefined) {
    throw invalid(`The patch path ${path} does not exist.`);
  }
  return value;
}

function put(parent: Container, name: string, value: JsonValue, kind: 'add' | 'set' | 'replace'): void {
  if (!Array.isArray(parent)) {
    setOwn(parent, name, value);
  } else if (kind === 'add') {
    parent.splice(name === '-' ? parent.length : arrayIndex(name, parent.length), 0, value);
  } else if (kind === 'set' && (name === '-' || name === String(parent.length))) {
    parent.push(value);
  } else {
    parent[arrayIndex(name, parent.length - 1)] = value;
  }
}

function drop(parent: Container, name: string): void {
  if (Array.isArray(parent)) {
    parent.splice(Number(name), 1);
  } else {
    delete (parent as Record<string, unknown>)[name];
  }
}

function applyOne(document: JsonObject, operation: PatchOperation): void {
  const path = parsePatchPath(operation.path);
  const name = path.at(-1) as string;
  const parent = parentOf(document, path);
  switch (operation.op) {
    case 'add':
    case 'set':
      put(parent, name, cloneJson(operation.value), operation.op);
      return;
    case 'replace':
      existing(parent, name, operation.path);
      put(parent, name, cloneJson(operation.value), 'replace');
      return;
    case 'remove':
      existing(parent, name, operation.path);
      drop(parent, name);
      return;
    case 'incr': {
      const current = Array.isArray(parent) ? existing(parent, name, operation.path) : (readAt(parent, name) ?? 0);
      const sum = typeof current === 'number' ? current + operation.value : Number.NaN;
      if (!Number.isFinite(sum)) {
        throw invalid(`The patch operation incr needs a number at ${operation.path} and a finite sum.`);
      }
      put(parent, name, sum, 'replace');
      return;
    }
    case 'move': {
      const from = parsePatchPath(operation.from);
      if (startsWith(path, from)) {
        throw invalid(`The patch cannot move ${operation.from} into itself.`);
      }
      const source = parentOf(document, from);
      const value = existing(source, from.at(-1) as string, operation.from);
      drop(source, from.at(-1) as string);
      put(parentOf(document, path), name, value, 'add');
      return;
    }
    default:
      operation satisfies never;
  }
}

/**
 * Applies a checked patch to a document and returns the new document; the given one is not changed.
 *
 * `add` inserts into arrays and sets members; `set` replaces or creates; `replace` and `remove` need an existing target; `incr` adds to a number,
 * a missing member counts as 0; `move` takes a value from one path to another.
 *
 * @throws INVALID_PATCH when an operation does not apply; then none does
 * @see https://learn.microsoft.com/azure/cosmos-db/partial-document-update
 */
export function applyPatch(document: JsonObject, operations: readonly PatchOperation[]): JsonObject {
  const copy = cloneJson(document);
  for (const operation of operations) {
    applyOne(copy, operation);
  }
  return copy;
}
