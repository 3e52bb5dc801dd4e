import type { ContainerDefinition } from '../store/container-definition.ts';
import { normalizePartitionKey } from '../store/partition-key.ts';
import { LATE } from './late-parts.ts';
import { loadPart } from './load-part.ts';
import type { CheckedEntry } from './state/scope.ts';
import type { ScopeEntry } from './sync-options.ts';

/** Checks an entry. @throws INVALID_OPTION, PARTITION_KEY_MISMATCH, BAD_REQUEST; UNREACHABLE */
export async function checkEntry({ container, partitionKey, types }: ScopeEntry, definition: ContainerDefinition): Promise<CheckedEntry> {
  const key = normalizePartitionKey(partitionKey, definition.partitionKey.paths.length);
  if (types === undefined) {
    return { container, partitionKey: key, types };
  }
  const { TypeFilter } = await loadPart(LATE.typeFilter);
  return { container, partitionKey: key, types: new TypeFilter(types) };
}
