import { documentPath, type ConditionScope } from '../../query/access/condition-reader.ts';
import type { IndexColumn, IndexDefinition } from '../../query/access/index-definition.ts';
import { pathKey } from '../../query/access/query-conditions.ts';
import { conjunctsOf, isDocumentSource } from '../../query/compile/common/query-shape.ts';
import { MIRRORED } from '../../query/mirrored-comparison.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { BinaryNode, ExpressionNode } from '../../query/syntax-nodes.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import type { ContainerInfo } from '../../store/backend.ts';

/** Where a value comes from. */
export type Operand = { readonly parameter: string } | { readonly value: unknown };

type RangeOperator = '<' | '<=' | '>' | '>=';

/** One end of the range of a column. */
export interface DirectEnd {
  readonly operator: RangeOperator;
  readonly operand: Operand;
}

/** A query that an index answers by itself: its text tells all but the values. `Statements` is what an engine runs for it. */
export interface DirectShape<Statements = unknown> {
  readonly index: IndexDefinition;
  /** Values of the leading columns. */
  readonly equal: readonly Operand[];
  /** The range of the column behind them. */
  readonly ends: readonly DirectEnd[];
  /** The columns behind those of `equal`: those of ORDER BY, in its order and direction. None where rows are wanted in creation order. */
  readonly order: readonly IndexColumn[];
  /** Statements by the types of the values. */
  readonly statements: Map<string, Statements>;
}

/** A container with the indexes that its queries may use. */
export interface IndexedContainer {
  readonly info: Pick<ContainerInfo, 'definition'>;
  readonly indexes: { readonly ranges: readonly IndexDefinition[] };
}

interface KnownShape<Statements> {
  readonly ranges: readonly IndexDefinition[];
  readonly definition: object;
  readonly shape: DirectShape<Statements> | undefined;
}

/** The shapes that one engine knows. */
export type KnownShapes<Statements> = WeakMap<PreparedQuery, KnownShape<Statements>>;

function operandOf(node: ExpressionNode): Operand | undefined {
  switch (node.kind) {
    case 'parameter':
      return { parameter: node.name };
    case 'literal':
    case 'number':
      return { value: node.value };
    default:
      return undefined;
  }
}

function isPlainSelection({ root }: PreparedQuery): boolean {
  return (
    root.node.select.kind === 'select-star' &&
    root.sources.length === 1 &&
    isDocumentSource(root.sources[0]) &&
    !root.distinct &&
    root.groupBy === undefined &&
    root.node.orderBy?.rank !== true &&
    root.offset === undefined
  );
}

interface Comparisons {
  readonly equal: Map<string, Operand>;
  readonly ranges: Map<string, DirectEnd[]>;
}

/** Notes `path comparison operand`; false for any other condition. */
function note(node: BinaryNode, scope: ConditionScope, { equal, ranges }: Comparisons): boolean {
  const left = documentPath(node.left, scope);
  const path = left ?? documentPath(node.right, scope);
  const operand = operandOf(left === undefined ? node.left : node.right);
  if (path === undefined || operand === undefined) {
    return false;
  }
  const key = pathKey(path);
  switch (node.operator) {
    case '=': {
      const isNew = !equal.has(key);
      equal.set(key, operand);
      return isNew;
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const ends = ranges.get(key) ?? [];
      ranges.set(key, [...ends, { operator: left === undefined ? MIRRORED[node.operator] : node.operator, operand }]);
      return true;
    }
    default:
      return false;
  }
}

/** The columns of ORDER BY; undefined where some of it is no path. */
function orderOf({ root }: PreparedQuery, scope: ConditionScope): readonly IndexColumn[] | undefined {
  const columns: IndexColumn[] = [];
  for (const { expression, descending } of root.orderBy) {
    const path = documentPath(expression, scope);
    if (path === undefined) {
      return undefined;
    }
    columns.push({ path, descending });
  }
  return columns;
}

function isSameColumn(one: IndexColumn, other: IndexColumn | undefined): boolean {
  return other !== undefined && one.descending === other.descending && pathKey(one.path) === pathKey(other.path);
}

/** Whether an index has just the columns asked for: those with one value in any order, then those of ORDER BY. */
function fits({ columns }: IndexDefinition, { equal, ranges }: Comparisons, order: readonly IndexColumn[]): boolean {
  const [first] = order;
  const isRangeFirst = ranges.size === 0 || (ranges.size === 1 && first !== undefined && ranges.has(pathKey(first.path)));
  return (
    isRangeFirst &&
    columns.length === equal.size + order.length &&
    columns.slice(0, equal.size).every(({ path }) => equal.has(pathKey(path))) &&
    order.every((column, at) => isSameColumn(column, columns[equal.size + at]) && !equal.has(pathKey(column.path)))
  );
}

function findShape<Statements>({ info, indexes }: IndexedContainer, prepared: PreparedQuery): DirectShape<Statements> | undefined {
  const { definition } = info;
  if (!isPlainSelection(prepared) || definition.computedProperties.length > 0) {
    return undefined;
  }
  const scope: ConditionScope = {
    prepared,
    parameters: new Map(),
    slot: prepared.root.sources[0]?.slot ?? -1,
    computedProperties: new Set(),
  };
  const found: Comparisons = { equal: new Map(), ranges: new Map() };
  const isRead = conjunctsOf(prepared.root.where).every((node) => node.kind === 'binary' && note(node, scope, found));
  const order = orderOf(prepared, scope);
  // Where the key of a document or of its partition is asked for, there may be a shorter way.
  const keys = [...definition.partitionKey.paths, '/id'].map((path) => pathKey(parsePropertyPath(path)));
  if (!isRead || order === undefined || found.equal.size + order.length === 0 || keys.some((key) => found.equal.has(key))) {
    return undefined;
  }
  const index = indexes.ranges.find((one) => fits(one, found, order));
  return index === undefined
    ? undefined
    : {
        index,
        equal: index.columns.slice(0, found.equal.size).map(({ path }) => found.equal.get(pathKey(path)) as Operand),
        ends: [...found.ranges.values()].flat(),
        order,
        statements: new Map(),
      };
}

/**
 * How an index answers a query by itself; undefined where one does not. Such queries are `SELECT * FROM c WHERE c.a = @x AND c.b > @y ORDER BY c.b` with
 * an index on just these paths, as most queries are that are no point reads. Nothing has to be compiled or evaluated for them, which would take
 * longer than reading their rows.
 */
export function directShape<Statements>(
  container: IndexedContainer,
  prepared: PreparedQuery,
  shapes: KnownShapes<Statements>,
): DirectShape<Statements> | undefined {
  const { ranges } = container.indexes;
  const { definition } = container.info;
  const known = shapes.get(prepared);
  if (known !== undefined && known.ranges === ranges && known.definition === definition) {
    return known.shape;
  }
  const shape = findShape<Statements>(container, prepared);
  shapes.set(prepared, { ranges, definition, shape });
  return shape;
}
