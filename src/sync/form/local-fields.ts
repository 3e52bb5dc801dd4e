import { PerigeeError } from '../../core/errors.ts';
import { getOwn, isJsonObject, setOwn, type JsonObject } from '../../core/json.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';

/** Names below a property; one without any is a local field itself. */
interface FieldNode {
  readonly members: Map<string, FieldNode>;
}

/** Whether one of two parsed paths lies within the other, or is it. */
export function pathsOverlap(left: readonly string[], right: readonly string[]): boolean {
  return left.slice(0, right.length).every((name, index) => name === right[index]);
}

/** Properties of a container's documents that never leave the device. Pure. */
export class LocalFields {
  readonly paths: readonly (readonly string[])[];
  readonly #root: FieldNode = { members: new Map() };

  /** @throws INVALID_OPTION for a path that cannot be read, or that lies within another */
  constructor(paths: readonly string[]) {
    this.paths = paths.map(parseLocalPath);
    for (const [index, path] of this.paths.entries()) {
      if (this.paths.slice(0, index).some((other) => pathsOverlap(path, other))) {
        throw new PerigeeError(
          'INVALID_OPTION',
          `The local field ${JSON.stringify(paths[index])} is declared twice, or within another one.`,
        );
      }
      let node = this.#root;
      for (const name of path) {
        const next = node.members.get(name) ?? { members: new Map() };
        node.members.set(name, next);
        node = next;
      }
    }
  }

  /**
   * The document as everybody but the device sees it; the same object where that is all of it. An object above a local field that holds nothing else goes
   * with the field, and an empty one does so too: where only a local field was set, nothing else has changed.
   */
  shared(document: JsonObject): JsonObject {
    return this.paths.length === 0 ? document : without(this.#root, document);
  }

  /** A shared document with the local fields that the device's own version has. One has no place where an object above it is now another value. */
  carried(shared: JsonObject, own: JsonObject): JsonObject {
    return this.paths.length === 0 ? shared : withFields(this.#root, shared, own);
  }
}

function parseLocalPath(path: string): readonly string[] {
  try {
    return parsePropertyPath(path);
  } catch (cause) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `Cannot read the path ${JSON.stringify(path)} of a local field: write it as /name or /name/name.`,
      {
        cause,
      },
    );
  }
}

function without(node: FieldNode, object: JsonObject): JsonObject {
  const kept = {};
  let isWhole = true;
  for (const name of Object.keys(object)) {
    const value = object[name];
    const inner = node.members.get(name);
    if (inner === undefined || (inner.members.size > 0 && !isJsonObject(value))) {
      setOwn(kept, name, value);
      continue;
    }
    const rest = inner.members.size === 0 ? undefined : without(inner, value as JsonObject);
    if (rest !== undefined && Object.keys(rest).length > 0) {
      setOwn(kept, name, rest);
    }
    isWhole &&= rest === value && Object.keys(rest as JsonObject).length > 0;
  }
  return isWhole ? object : kept;
}

function withFields(node: FieldNode, shared: JsonObject, own: JsonObject): JsonObject {
  const result = {};
  for (const name of Object.keys(shared)) {
    setOwn(result, name, shared[name]);
  }
  for (const [name, inner] of node.members) {
    const value = getOwn(own, name);
    if (value === undefined) {
      continue;
    }
    if (inner.members.size === 0) {
      setOwn(result, name, value);
      continue;
    }
    const beside = getOwn(result, name) ?? {};
    if (isJsonObject(value) && isJsonObject(beside)) {
      const filled = withFields(inner, beside, value);
      if (Object.keys(filled).length > 0) {
        setOwn(result, name, filled);
      }
    }
  }
  return result;
}
