import { getOwn, isJsonObject, setOwn, type JsonObject } from '../../core/json.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { parsePropertyPath, type PartitionKey } from '../../store/partition-key.ts';

/** Sets a value at a path, making objects on the way; leaves the document as it is where a step is already a value, or the target is there. */
function setAtPath(document: JsonObject, path: readonly string[], value: unknown): void {
  let target = document;
  for (const name of path.slice(0, -1)) {
    let next = getOwn(target, name);
    if (next === undefined) {
      next = {};
      setOwn(target, name, next);
    }
    if (!isJsonObject(next)) {
      return;
    }
    target = next;
  }
  const last = path.at(-1) as string;
  if (getOwn(target, last) === undefined) {
    setOwn(target, last, value);
  }
}

/**
 * What stays at the remote of a deleted document, so that other devices hear of the deletion: id, partition key, a time to live, and at each
 * unique-key path a value that follows from the id. Without that value it would count as null, and the second tombstone of a partition key would
 * be refused.
 *
 * In a container without `defaultTtl` the remote ignores `ttl` and keeps the tombstone.
 */
export function tombstoneBody(id: string, partitionKey: PartitionKey, definition: ContainerDefinition, ttlSeconds: number): JsonObject {
  const body: JsonObject = { id };
  definition.partitionKey.paths.forEach((path, index) => {
    const component = partitionKey[index];
    if (component !== undefined) {
      setAtPath(body, parsePropertyPath(path), component);
    }
  });
  for (const path of definition.uniqueKeys.flat()) {
    setAtPath(body, parsePropertyPath(path), `deleted:${id}`);
  }
  setAtPath(body, ['ttl'], ttlSeconds);
  return body;
}
