import type { PartitionKeyText } from '../../store/partition-key.ts';

/**
 * One text that names a document in its container. A partition key text is an array in JSON, which shows its own end, so the two parts cannot
 * run together.
 */
export function documentKey({ partitionKeyText, id }: { readonly partitionKeyText: PartitionKeyText; readonly id: string }): string {
  return partitionKeyText + id;
}
