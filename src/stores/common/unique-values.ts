import { canonicalJson } from '../../core/json-order.ts';
import { valueAtPath } from '../../store/partition-key.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';

/** One text for each unique key of the container: equal only within one partition key and for equal values. A missing value counts as null. */
export function uniqueValues(
  uniquePaths: readonly (readonly (readonly string[])[])[],
  document: Pick<PreparedDocument, 'partitionKeyText' | 'value'>,
): readonly string[] {
  return uniquePaths.map((paths, index) => {
    const values = paths.map((path) => valueAtPath(document.value, path) ?? null);
    return `${index}${document.partitionKeyText}${canonicalJson(values)}`;
  });
}
