import { checkComponent, type PartitionKey, type PartitionKeyComponent } from '../store/partition-key.ts';
import { PerigeeError } from '../core/errors.ts';

/** A component of a partition key as JSON: `{}` stands for a missing one. */
export type WireComponent = Exclude<PartitionKeyComponent, undefined> | Readonly<Record<string, never>>;

const MAX_LEVELS = 3;

/** A partition key as JSON. */
export function wireKey(key: PartitionKey): WireComponent[] {
  return key.map((component) => component ?? (component === null ? null : {}));
}

/** Reads a partition key from JSON: a list of components, or a single one. @throws BAD_REQUEST */
export function readWireKey(value: unknown): PartitionKey {
  const components: readonly unknown[] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (components.length === 0 || components.length > MAX_LEVELS) {
    throw new PerigeeError('BAD_REQUEST', `A partition key has 1 to ${MAX_LEVELS} components.`);
  }
  return components.map((component) => {
    const isMissing =
      typeof component === 'object' && component !== null && !Array.isArray(component) && Object.keys(component).length === 0;
    if (component === undefined) {
      throw new PerigeeError('BAD_REQUEST', 'A partition key component is missing; write {} for one that documents lack.');
    }
    return checkComponent(isMissing ? undefined : component);
  });
}
