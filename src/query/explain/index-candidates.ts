import { indexKey, type IndexColumn } from '../access/index-definition.ts';
import type { PathCondition, QueryConditions } from '../access/query-conditions.ts';

/** A composite index has 2 to 8 columns in an index policy. */
const MAX_COLUMNS = 8;
const MAX_CANDIDATES = 32;

function ascending({ path }: { readonly path: readonly string[] }): IndexColumn {
  return { path, descending: false };
}

function hasPath(columns: readonly IndexColumn[], path: readonly string[]): boolean {
  return columns.some((column) => JSON.stringify(column.path) === JSON.stringify(path));
}

/** ORDER BY as columns; an order that goes down everywhere is that of an index that goes up, read backwards. */
function orderColumns({ order = [] }: QueryConditions): readonly IndexColumn[] {
  const columns: IndexColumn[] = [];
  const turn = order.every(({ descending }) => descending);
  for (const { path, descending } of order) {
    if (!hasPath(columns, path)) {
      columns.push({ path, descending: turn ? false : descending });
    }
  }
  return columns;
}

function valueCount({ constraint }: PathCondition): number {
  return constraint.kind === 'values' ? constraint.values.length : Number.POSITIVE_INFINITY;
}

/**
 * Indexes that may serve a query: one for each path of WHERE, and of its values, ranges and order the combinations that an index can serve at
 * once (columns with known values first, then one range, or the order). Whether they are any good is the planner's to say.
 */
export function indexCandidates(conditions: QueryConditions): readonly (readonly IndexColumn[])[] {
  const all = [...conditions.paths.values()];
  // Few values first: each value of the columns in front multiplies the places to look at.
  const known = all
    .filter(({ constraint }) => constraint.kind === 'values')
    .toSorted((left, right) => valueCount(left) - valueCount(right));
  const ranges = all.filter(({ constraint }) => constraint.kind === 'range');
  const order = orderColumns(conditions);
  const single = known.filter((condition) => valueCount(condition) === 1);
  const fixed = single.filter(({ path }) => !hasPath(order, path)).map(ascending);
  const movable = order.filter(({ path }) => !single.some((condition) => hasPath([ascending(condition)], path)));

  const candidates: (readonly IndexColumn[])[] = [
    ...all.map((condition) => [ascending(condition)]),
    known.map(ascending),
    ...ranges.map((condition) => [...known.map(ascending), ascending(condition)]),
    order,
    [...fixed, ...order],
    [...fixed, ...movable],
  ];
  const seen = new Set<string>();
  return candidates
    .filter((columns) => {
      const key = indexKey(columns);
      const isNew = columns.length > 0 && columns.length <= MAX_COLUMNS && !seen.has(key);
      seen.add(key);
      return isNew;
    })
    .slice(0, MAX_CANDIDATES);
}
