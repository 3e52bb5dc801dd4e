import type { PreparedQuery } from '../prepared-query.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import { chooseAccess, type AccessOptions } from './choose-access.ts';
import { indexKey, type IndexColumn, type IndexDefinition } from './index-definition.ts';
import { pathKey, readConditions, type PathCondition, type QueryConditions } from './query-conditions.ts';

const column = ({ path }: Pick<PathCondition, 'path'>): IndexColumn => ({ path, descending: false });

/** Indexes with more columns help few queries and cost all writes. */
const MAX_COLUMNS = 4;

function candidatesOf(conditions: QueryConditions): readonly (readonly IndexColumn[])[] {
  const paths = [...conditions.paths.values()];
  const equal = paths.filter(({ constraint }) => constraint.kind === 'values');
  const ranges = paths.filter(({ constraint }) => constraint.kind === 'range');
  const fixed = equal.filter(({ constraint }) => constraint.kind === 'values' && constraint.values.length === 1);
  const isFixed = new Set(fixed.map(({ path }) => pathKey(path)));
  const order = (conditions.order ?? []).filter(({ path }) => !isFixed.has(pathKey(path)));
  return [
    ...paths.map((condition) => [column(condition)]),
    ...(order.length > 0 ? [order, ...fixed.map((one) => [column(one), ...order]), [...fixed.map(column), ...order]] : []),
    ...ranges.flatMap((range) => [...equal.map((one) => [column(one), column(range)]), [...equal.map(column), column(range)]]),
    equal.map(column),
  ];
}

/**
 * The indexes that might help a query, each once, simpler ones first: one for each path of WHERE, those in the order of ORDER BY, and those that put
 * paths with known values in front of it or of a range. Whether one does help, {@link chooseAccess} tells.
 *
 * @throws QUERY_INVALID for a bad value of TOP, OFFSET or LIMIT
 */
export function candidateIndexes(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: Pick<AccessOptions, 'computedProperties' | 'known'> = {},
): readonly IndexDefinition[] {
  const conditions = readConditions(prepared, parameters, options.computedProperties ?? new Set(), options.known);
  const found = new Map<string, IndexDefinition>();
  for (const columns of conditions === undefined ? [] : candidatesOf(conditions)) {
    const isDistinct = new Set(columns.map(({ path }) => pathKey(path))).size === columns.length;
    if (columns.length > 0 && columns.length <= MAX_COLUMNS && isDistinct) {
      const key = indexKey(columns);
      found.set(key, found.get(key) ?? { name: key, columns });
    }
  }
  return [...found.values()].sort((left, right) => left.columns.length - right.columns.length);
}

/** The one index of {@link candidateIndexes} that would serve a query best, beside those that there are; undefined where none would be used. */
export function proposeIndex(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  indexes: readonly IndexDefinition[],
  options: AccessOptions & { readonly isAllowed?: ((columns: readonly IndexColumn[]) => boolean) | undefined } = {},
): IndexDefinition | undefined {
  const existing = new Set(indexes.map(({ columns }) => indexKey(columns)));
  const candidates = candidateIndexes(prepared, parameters, options).filter(
    ({ columns }) => !existing.has(indexKey(columns)) && options.isAllowed?.(columns) !== false,
  );
  const chosen = chooseAccess(prepared, parameters, [...indexes, ...candidates], options)?.index;
  return chosen !== undefined && candidates.includes(chosen) ? chosen : undefined;
}
