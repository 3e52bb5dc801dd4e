import type { JsonValue } from '../../core/json.ts';
import { conjunctsOf, isDocumentSource, readerOf } from '../compile/common/query-shape.ts';
import { rowsMayFail } from '../may-fail.ts';
import { everyRowHasValue } from '../executor/every-row-has-value.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { queryCounts } from '../query-counts.ts';
import type { ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import type { IndexValue } from './access-path.ts';
import { documentPath, readCondition, type ConditionScope } from './condition-reader.ts';
import { bothConstraints, type PathConstraint } from './path-constraint.ts';

/** Something that is known of a document's value at a path besides WHERE, such as a partition key that the caller gave. */
export interface KnownValue {
  readonly path: readonly string[];
  readonly value: IndexValue;
}

/** What WHERE says of one path. */
export interface PathCondition {
  readonly path: readonly string[];
  readonly constraint: PathConstraint;
  /** The conditions that it stands for exactly. */
  readonly served: readonly ExpressionNode[];
}

/** One term of ORDER BY that is a path. */
export interface OrderTerm {
  readonly path: readonly string[];
  readonly descending: boolean;
}

/** What an index can help a query with. */
export interface QueryConditions {
  /** By {@link pathKey}. */
  readonly paths: ReadonlyMap<string, PathCondition>;
  /** All conditions that are joined by AND in WHERE. */
  readonly conjuncts: readonly ExpressionNode[];
  /** ORDER BY, where all of it are paths of the document and rows come from documents one after the other; undefined for all else. */
  readonly order: readonly OrderTerm[] | undefined;
  /** How many rows are taken from the start of the order, as far as TOP, OFFSET and LIMIT say. */
  readonly rows: number | undefined;
}

/** The same text exactly for the same path. */
export function pathKey(path: readonly string[]): string {
  return path.length === 1 ? (path[0] as string) : JSON.stringify(path);
}

function readOrder(prepared: PreparedQuery, scope: ConditionScope): readonly OrderTerm[] | undefined {
  const { root } = prepared;
  if (root.orderBy.length === 0 || root.distinct || root.groupBy !== undefined || root.isAggregate || readerOf(root) !== root) {
    return undefined;
  }
  const terms: OrderTerm[] = [];
  for (const { expression, descending } of root.orderBy) {
    const path = root.node.orderBy?.rank === true ? undefined : documentPath(expression, scope);
    if (path === undefined) {
      return undefined;
    }
    terms.push({ path, descending });
  }
  return terms;
}

function rowsOf(prepared: PreparedQuery, parameters: readonly QueryParameter[]): number | undefined {
  if (!everyRowHasValue(prepared.root)) {
    return undefined;
  }
  const { top, offset, limit } = queryCounts(prepared, parameters);
  const taken = top ?? limit;
  return taken === undefined ? undefined : taken + (offset ?? 0);
}

/**
 * Reads what an index can help a query with; undefined where documents must not be left out, since making the rows of some may fail, and for
 * queries whose rows are not documents.
 *
 * @throws QUERY_INVALID for a bad value of TOP, OFFSET or LIMIT
 */
export function readConditions(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  computedProperties: ReadonlySet<string>,
  known: readonly KnownValue[] = [],
): QueryConditions | undefined {
  const reader = readerOf(prepared.root);
  const [source] = reader.sources;
  if (source === undefined || !isDocumentSource(source) || rowsMayFail(reader.node)) {
    return undefined;
  }
  const scope: ConditionScope = {
    prepared,
    parameters: new Map(parameters.map(({ name, value }): [string, JsonValue] => [name, value])),
    slot: source.slot,
    computedProperties,
  };
  const paths = new Map<string, PathCondition>();
  const add = (path: readonly string[], constraint: PathConstraint, served: readonly ExpressionNode[]): void => {
    const before = paths.get(pathKey(path));
    paths.set(
      pathKey(path),
      before === undefined
        ? { path, constraint, served }
        : { path, constraint: bothConstraints(before.constraint, constraint), served: [...before.served, ...served] },
    );
  };
  const conjuncts = conjunctsOf(reader.where);
  for (const node of conjuncts) {
    const read = readCondition(node, scope);
    if (read !== undefined) {
      add(read.path, read.constraint, read.exact ? [node] : []);
    }
  }
  for (const { path, value } of known) {
    add(path, { kind: 'values', values: [value] }, []);
  }
  return { paths, conjuncts, order: readOrder(prepared, scope), rows: rowsOf(prepared, parameters) };
}
