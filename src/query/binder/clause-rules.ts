import { notSupportedEntry } from '../query-errors.ts';
import { QUERY_LIMITS } from '../query-limits.ts';
import type { BoundSource } from '../prepared-query.ts';
import type { CountNode, ExpressionNode, QueryNode } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';
import type { BindState } from './bind-state.ts';

function checkCount(
  state: BindState,
  node: CountNode | undefined,
  accepts: (value: number) => boolean,
  code: string,
  message: string,
): void {
  if (node === undefined) {
    return;
  }
  if (node.kind === 'parameter') {
    state.note(state.parameters, node.name, node.start);
  } else if (!accepts(node.value)) {
    state.error(code, node, message);
  }
}

/** The literal counts of TOP, OFFSET and LIMIT; those given as parameters are checked when the query runs. */
export function checkCounts(state: BindState, node: QueryNode): void {
  const isSmall = (value: number): boolean => value < QUERY_LIMITS.countBound;
  checkCount(
    state,
    node.top,
    (value) => isSmall(value) && Number.isInteger(value),
    'SC2060',
    'The count value provided for a TOP clause must be an integer.',
  );
  checkCount(state, node.offset, isSmall, 'SC2062', 'The OFFSET count value exceeds the maximum allowed value.');
  checkCount(state, node.limit, isSmall, 'SC2061', 'The LIMIT count value exceeds the maximum allowed value.');
  if (node.top !== undefined && node.offset !== undefined) {
    state.error(undefined, node.offset, 'TOP and OFFSET LIMIT cannot stand in one query.');
  }
}

/** What the service refuses in every subquery although it parses. */
export function checkSubqueryClauses(state: BindState, node: QueryNode): void {
  if (node.orderBy !== undefined) {
    const [code, name] = node.orderBy.rank ? ['SC2228', 'ORDER BY RANK'] : ['SC2202', 'ORDER BY'];
    state.error(code, node.orderBy, `'${name}' is not supported in subqueries.`);
  }
  if (node.top !== undefined) {
    state.error('SC2203', node.top, `'TOP' is not supported in subqueries.`);
  }
  if (node.offset !== undefined) {
    state.error('SC2204', node.offset, `'OFFSET LIMIT' is not supported in subqueries.`);
  }
}

/** Where `SELECT *` has no one value to give. */
export function checkStar(state: BindState, node: QueryNode): void {
  if (node.select.kind !== 'select-star') {
    return;
  }
  if (node.from === undefined) {
    state.error(undefined, node.select, "'SELECT *' is not valid if FROM clause is omitted.");
  } else if (node.from.kind === 'join') {
    state.error(undefined, node.select, "'SELECT *' is only valid with a single input set.");
  }
  if (node.groupBy !== undefined) {
    state.error('SC2041', node.select, "'SELECT *' is not allowed with GROUP BY.");
  }
}

/** Functions that may stand in ORDER BY, alone. */
const DISTANCE_FUNCTIONS: ReadonlySet<string> = new Set(['VECTORDISTANCE', 'ST_DISTANCE', '_FULLTEXTSCORE']);

function checkOrderItem(state: BindState, node: ExpressionNode, sources: readonly BoundSource[], alone: boolean): void {
  if (node.kind === 'call' && alone && DISTANCE_FUNCTIONS.has(node.name.toUpperCase())) {
    return;
  }
  const path = pathOf(node);
  const binding = path === undefined ? undefined : state.identifiers.get(path.root);
  const source = binding?.kind === 'variable' ? sources.find(({ slot }) => slot === binding.slot) : undefined;
  if (path !== undefined && binding === undefined) {
    return;
  }
  if (source?.input.kind === 'variable' || (source !== undefined && source.iterate)) {
    state.error(undefined, node, 'Order-by over correlated collections is not supported.');
  } else if (source?.input.kind !== 'container' || (path?.steps.length === 0 && source.input.path.length === 0)) {
    state.error('SC2206', node, 'Unsupported ORDER BY clause. ORDER BY item expression could not be mapped to a document path.');
  }
}

/**
 * ORDER BY takes paths of documents, or one distance; call it when its names are bound. `isAggregate`: of one row it may say anything, as it means
 * nothing there.
 */
export function checkOrderBy(state: BindState, node: QueryNode, sources: readonly BoundSource[], isAggregate: boolean): void {
  const { orderBy } = node;
  if (orderBy === undefined || orderBy.rank) {
    return;
  }
  if (node.groupBy !== undefined) {
    state.errors.push(notSupportedEntry(orderBy, 'ORDER BY with GROUP BY'));
  } else if (isAggregate) {
    return;
  }
  for (const { expression } of orderBy.items) {
    checkOrderItem(state, expression, sources, orderBy.items.length === 1);
  }
}
