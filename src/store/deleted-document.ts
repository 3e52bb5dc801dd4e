import { setOwn, type JsonObject } from '../core/json.ts';
import type { StoredDocument, SystemProperties } from './document.ts';
import type { PartitionKey } from './partition-key.ts';

/** What is left of a deleted document: its id, its partition key where it had one, and the system properties given. */
export function deletedDocument<T extends object = JsonObject>(
  id: string,
  partitionKey: PartitionKey,
  paths: readonly (readonly string[])[],
  system: SystemProperties,
): StoredDocument<T> {
  const document: Record<string, unknown> = { id };
  for (const [index, path] of paths.entries()) {
    const value = partitionKey[index];
    if (value !== undefined) {
      setAtPath(document, path, value);
    }
  }
  return Object.assign(document, system) as unknown as StoredDocument<T>;
}

function setAtPath(document: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let target = document;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(target, name)) {
      setOwn(target, name, {});
    }
    target = Object.getOwnPropertyDescriptor(target, name)?.value as Record<string, unknown>;
  }
  setOwn(target, path.at(-1) as string, value);
}
