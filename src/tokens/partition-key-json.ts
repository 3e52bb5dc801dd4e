import { PerigeeError } from '../core/errors.ts';
import { componentOfJson, type PartitionKey } from '../store/partition-key.ts';

const MAX_LEVELS = 3;

/** Reads a partition key from JSON: a list of components, or a single one. @throws BAD_REQUEST */
export function readWireKey(value: unknown): PartitionKey {
  const components: readonly unknown[] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (components.length === 0 || components.length > MAX_LEVELS) {
    throw new PerigeeError('BAD_REQUEST', `A partition key has 1 to ${MAX_LEVELS} components.`);
  }
  return components.map((component) => {
    if (component === undefined) {
      throw new PerigeeError('BAD_REQUEST', 'A partition key component is missing; write {} for one that documents lack.');
    }
    return componentOfJson(component);
  });
}
