import type { PreparedQuery } from '../prepared-query.ts';
import type { ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import type { AccessPath, IndexRange, IndexValue } from './access-path.ts';
import type { IndexDefinition } from './index-definition.ts';
import { pathKey, readConditions, type KnownValue, type OrderTerm, type PathCondition, type QueryConditions } from './query-conditions.ts';

/** What {@link chooseAccess} is told besides the query. All of it is optional, and changes which access is chosen, never what it means. */
export interface AccessOptions {
  /** Names of the container's computed properties, which hide what is stored. */
  readonly computedProperties?: ReadonlySet<string> | undefined;
  /** What is known of all documents that the query may give, beside WHERE. */
  readonly known?: readonly KnownValue[] | undefined;
  /** About how many documents the container has; 10,000 unless said otherwise. */
  readonly documents?: number | undefined;
  /** How many documents are looked at without an index, where that is not all of them, as within a partition key. */
  readonly otherwise?: number | undefined;
  /** Rows of a page, where neither TOP nor LIMIT says how many are wanted: 100 unless said otherwise. */
  readonly pageRows?: number | undefined;
  /** How many entries of its index an access reads, where the store can tell cheaply. */
  estimate?(access: AccessPath): number | undefined;
}

const DEFAULT_DOCUMENTS = 10_000;
/** Below this the costs of documents say little beside those of the statements. */
const MIN_DOCUMENTS = 1000;
const DEFAULT_PAGE_ROWS = 100;
/** Lists that are longer are looked up, but not combined with those of a second column. */
const MAX_COMBINATIONS = 20_000;

/** What looking at a document through an index costs beside looking at it in a scan. */
const ENTRY_COST = 1.5;
/** Equal entries that are met last first are turned around. */
const BACKWARD_COST = 1.6;
/** Entries that are not in creation order are collected and sorted first. */
const COLLECTED_COST = 2;
/** Documents that do not come in the order of the query are all read before the first row. */
const SORTED_COST = 0.5;

/** The part of the documents that pass a condition, where nothing is known of the values. */
const SHARES = { value: 0.005, fewValues: 0.3, openRange: 0.33, range: 0.1, prefix: 0.05, other: 0.5 };

function valueShare(value: IndexValue): number {
  return typeof value === 'number' || typeof value === 'string' ? SHARES.value : SHARES.fewValues;
}

function shareOf({ constraint }: PathCondition): number {
  if (constraint.kind === 'values') {
    // However many values are looked up, it is rarely worth less than a scan; the store gives up where it is.
    return Math.min(
      SHARES.fewValues,
      constraint.values.reduce<number>((share, value) => share + valueShare(value), 0),
    );
  }
  return rangeShare(constraint.range);
}

function rangeShare({ type, from, to }: IndexRange): number {
  if (from !== undefined && to !== undefined) {
    return type === 'string' && typeof from.value === 'string' && typeof to.value === 'string' && from.value.length <= to.value.length
      ? SHARES.prefix
      : SHARES.range;
  }
  return from === undefined && to === undefined ? 1 : SHARES.openRange;
}

/** The leading columns of an index whose values are known. */
function leadingValues(index: IndexDefinition, conditions: QueryConditions, isSingle: boolean): readonly PathCondition[] {
  const found: PathCondition[] = [];
  let combinations = 1;
  for (const { path } of index.columns) {
    const condition = conditions.paths.get(pathKey(path));
    if (condition?.constraint.kind !== 'values') {
      break;
    }
    const { length } = condition.constraint.values;
    combinations *= length;
    if ((isSingle && length !== 1) || (found.length > 0 && combinations > MAX_COMBINATIONS)) {
      break;
    }
    found.push(condition);
  }
  return found;
}

function valuesOf({ constraint }: PathCondition): readonly IndexValue[] {
  return constraint.kind === 'values' ? constraint.values : [];
}

/** An access over some leading columns, and the range of the next one. */
function accessOf(index: IndexDefinition, conditions: QueryConditions, leading: readonly PathCondition[], documents: number): AccessPath {
  const next = index.columns[leading.length];
  const behind = next === undefined ? undefined : conditions.paths.get(pathKey(next.path));
  const ranged = behind?.constraint.kind === 'range' ? behind : undefined;
  const used = ranged === undefined ? leading : [...leading, ranged];
  const served: ExpressionNode[] = used.flatMap((condition) => condition.served);
  return {
    index,
    equal: leading.map(valuesOf),
    range: ranged?.constraint.kind === 'range' ? ranged.constraint.range : undefined,
    order: undefined,
    orderItems: [],
    served,
    coversFilter: served.length === conditions.conjuncts.length,
    expectedRows: Math.ceil(used.reduce((rows, condition) => rows * shareOf(condition), documents)),
  };
}

function filterAccess(index: IndexDefinition, conditions: QueryConditions, documents: number): AccessPath | undefined {
  const access = accessOf(index, conditions, leadingValues(index, conditions, false), documents);
  return access.equal.length === 0 && access.range === undefined ? undefined : access;
}

/** Which way an index has to be walked for some terms of ORDER BY; undefined where neither way is right. */
function directionOf(index: IndexDefinition, skipped: number, terms: readonly OrderTerm[]): AccessPath['order'] {
  const columns = index.columns.slice(skipped);
  if (columns.length !== terms.length || !columns.every(({ path }, at) => pathKey(path) === pathKey((terms[at] as OrderTerm).path))) {
    return undefined;
  }
  const turned = columns.filter(({ descending }, at) => descending !== terms[at]?.descending).length;
  return turned === 0 ? 'forward' : turned === columns.length ? 'backward' : undefined;
}

/**
 * An access in the order of the query. Terms with one value say nothing of the order; of the index, leading columns with one value are skipped,
 * and the rest has to be the order, no more and no less, since equal entries have to lie in creation order.
 */
function orderedAccess(index: IndexDefinition, conditions: QueryConditions, documents: number): AccessPath | undefined {
  if (conditions.order === undefined) {
    return undefined;
  }
  const isFixed = (path: readonly string[]): boolean => {
    const constraint = conditions.paths.get(pathKey(path))?.constraint;
    return constraint?.kind === 'values' && constraint.values.length === 1;
  };
  const seen = new Set<string>();
  const orderItems: number[] = [];
  for (const [at, { path }] of conditions.order.entries()) {
    if (!seen.has(pathKey(path)) && !isFixed(path)) {
      orderItems.push(at);
    }
    seen.add(pathKey(path));
  }
  const { order: terms } = conditions;
  const leading = leadingValues(index, conditions, true);
  const order = directionOf(
    index,
    leading.length,
    orderItems.map((at) => terms[at] as OrderTerm),
  );
  return order === undefined ? undefined : { ...accessOf(index, conditions, leading, documents), order, orderItems };
}

/** What an access costs, in documents looked at by a scan. */
function costOf(access: AccessPath, conditions: QueryConditions, pageRows: number): number {
  const { order, equal, range, expectedRows } = access;
  if (order === undefined) {
    const isInOrder = range === undefined && equal.every(({ length }) => length === 1) && equal.length === access.index.columns.length;
    return expectedRows * ((isInOrder ? ENTRY_COST : COLLECTED_COST) + (conditions.order === undefined ? 0 : SORTED_COST));
  }
  const used = new Set(access.index.columns.slice(0, equal.length + (range === undefined ? 0 : 1)).map(({ path }) => pathKey(path)));
  const rest = [...conditions.paths.entries()].filter(([key]) => !used.has(key)).map(([, condition]) => shareOf(condition));
  const read = conditions.conjuncts.length - access.served.length - rest.length;
  const passing = rest.reduce((share, one) => share * one, SHARES.other ** Math.max(0, read));
  const entries = Math.min(expectedRows, (conditions.rows ?? pageRows) / passing);
  return entries * (order === 'backward' ? BACKWARD_COST : ENTRY_COST);
}

/**
 * Chooses the index that serves a query best, or none where looking at every document is no worse.
 *
 * It depends on its arguments alone, so what it would do with one index more can be asked by passing one more. Of two that cost the same it takes
 * the one with fewer columns, then the first.
 *
 * @throws QUERY_INVALID for a bad value of TOP, OFFSET or LIMIT
 */
export function chooseAccess(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  indexes: readonly IndexDefinition[],
  options: AccessOptions = {},
): AccessPath | undefined {
  const conditions =
    indexes.length === 0 ? undefined : readConditions(prepared, parameters, options.computedProperties ?? new Set(), options.known);
  if (conditions === undefined) {
    return undefined;
  }
  const documents = Math.max(options.documents ?? DEFAULT_DOCUMENTS, MIN_DOCUMENTS);
  const pageRows = options.pageRows ?? DEFAULT_PAGE_ROWS;
  let best: AccessPath | undefined;
  let bestCost = options.otherwise ?? documents;
  for (const index of indexes) {
    for (const found of [filterAccess(index, conditions, documents), orderedAccess(index, conditions, documents)]) {
      const counted = found === undefined ? undefined : options.estimate?.(found);
      const access = found === undefined || counted === undefined ? found : { ...found, expectedRows: counted };
      const cost = access === undefined ? Number.POSITIVE_INFINITY : costOf(access, conditions, pageRows);
      const isSimpler = best === undefined || index.columns.length < best.index.columns.length;
      if (access !== undefined && (cost < bestCost || (cost === bestCost && best !== undefined && isSimpler))) {
        best = access;
        bestCost = cost;
      }
    }
  }
  return best;
}
