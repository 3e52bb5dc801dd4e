import { pathText } from '../../../query/access/index-definition.ts';
import { ARRAY_STEP } from '../../../query/index-policy/policy-path.ts';
import { storedPathExpression } from '../../../query/compile/postgres/path-expression.ts';
import type { IndexPolicy } from '../../../query/index-policy/index-policy.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { indexedArraysOf, type WantedIndex } from '../../common/wanted-indexes.ts';
import { pathKey } from './path-index.ts';

/** Name in the catalogue of indexes over what stands in an array: GIN, of which each value at each path below is an entry of four bytes, however long it is. */
export const ARRAY = 'array';

/** The expression that is indexed, which every statement has to hold that is to use the index; undefined for a path that PostgreSQL cannot be told. */
export function arrayExpression(path: readonly string[]): string | undefined {
  return storedPathExpression(path);
}

/** What stands behind the name of the table in CREATE INDEX. */
export function arrayMethod(path: readonly string[]): string | undefined {
  const expression = arrayExpression(path);
  return expression === undefined ? undefined : `USING gin (${expression} jsonb_path_ops)`;
}

/** The indexes over arrays that a policy asks for. */
export function wantedArrayIndexes(policy: IndexPolicy, definition: ContainerDefinition): readonly WantedIndex[] {
  return indexedArraysOf(policy, definition).flatMap((path) => {
    const form = arrayMethod(path);
    return form === undefined ? [] : [{ kind: ARRAY, key: pathKey(path), form }];
  });
}

/** An index for people: `/tags/[]`. */
export function arrayText(path: readonly string[]): string {
  return `${pathText(path)}/${ARRAY_STEP}`;
}
