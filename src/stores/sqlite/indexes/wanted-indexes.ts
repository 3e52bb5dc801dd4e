import type { IndexColumn } from '../../../query/access/index-definition.ts';
import type { IndexPolicy } from '../../../query/index-policy/index-policy.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { canIndex, rangeIndexOf, wantedRangeIndexesOf, type WantedIndex } from '../../common/wanted-indexes.ts';
import { indexTerms } from './index-expressions.ts';

export { policyOf, type WantedIndex } from '../../common/wanted-indexes.ts';

/** {@link canIndex} for an index of SQLite. */
export function isIndexable(columns: readonly IndexColumn[], definition: ContainerDefinition): boolean {
  return canIndex(columns, definition, indexTerms);
}

/** The range index of some columns. */
export function rangeIndex(columns: readonly IndexColumn[]): WantedIndex {
  return rangeIndexOf(columns, indexTerms);
}

/** {@link wantedRangeIndexesOf} for SQLite. */
export function wantedRangeIndexes(policy: IndexPolicy, definition: ContainerDefinition): readonly WantedIndex[] {
  return wantedRangeIndexesOf(policy, definition, indexTerms);
}
