import type { FunctionCatalog } from '../function-catalog.ts';
import type { BoundQuery, PreparedQuery, RankClause, SourceInput } from '../prepared-query.ts';
import { queryInvalidError } from '../query-errors.ts';
import type { ExpressionNode, QueryNode } from '../syntax-nodes.ts';
import { BindState, namesInOrder, type QueryFrame, type Scope } from './bind-state.ts';
import { checkCounts, checkOrderBy, checkStar, checkSubqueryClauses } from './clause-rules.ts';
import { bindExpression, type ExpressionPlace } from './expression-binder.ts';
import { checkGrouping } from './group-rules.ts';
import { outputColumns } from './output-columns.ts';
import { bindRank } from './rank-rules.ts';
import { bindSources } from './source-binder.ts';

function newScope(parent: Scope | undefined, mayNameContainer: boolean): Scope {
  const frame: QueryFrame = { parent: parent?.frame, mayNameContainer, ownSlots: new Set(), outerSlots: new Set(), aggregates: [] };
  return { parent, frame, names: new Map() };
}

function bindSubquery(state: BindState, node: QueryNode, parent: Scope): void {
  checkSubqueryClauses(state, node);
  bindOne(state, node, newScope(parent, false));
}

function bindSourceSubquery(state: BindState, node: QueryNode, parent: Scope, mayNameContainer: boolean): SourceInput {
  checkSubqueryClauses(state, node);
  return Object.freeze({ kind: 'subquery', query: bindOne(state, node, newScope(parent, mayNameContainer)) });
}

function selectExpressions(node: QueryNode): readonly ExpressionNode[] {
  const { select } = node;
  return select.kind === 'select-list'
    ? select.items.map((item) => item.expression)
    : select.kind === 'select-value'
      ? [select.expression]
      : [];
}

/** Binds what stands in the clauses; the answer is the scores of ORDER BY RANK, which only the whole query has. */
function bindClauses(state: BindState, node: QueryNode, scope: Scope): RankClause | undefined {
  const place = (clause: ExpressionPlace['clause']): ExpressionPlace => ({ scope, clause, aggregate: undefined, bindSubquery });
  const bindAll = (nodes: readonly ExpressionNode[], clause: ExpressionPlace['clause']): void => {
    for (const expression of nodes) {
      bindExpression(state, expression, place(clause));
    }
  };
  bindAll(selectExpressions(node), undefined);
  bindAll(node.where === undefined ? [] : [node.where], 'WHERE');
  bindAll(node.groupBy ?? [], 'GROUP BY');
  const { orderBy } = node;
  if (orderBy?.rank !== true) {
    bindAll(orderBy?.items.map((item) => item.expression) ?? [], 'ORDER BY');
    return undefined;
  }
  return scope.parent === undefined ? bindRank(state, node, orderBy, (argument) => bindAll([argument], 'ORDER BY')) : undefined;
}

function bindOne(state: BindState, node: QueryNode, scope: Scope): BoundQuery {
  const { frame } = scope;
  const sources = bindSources(state, node.from, scope, bindSourceSubquery);
  const rank = bindClauses(state, node, scope);
  checkStar(state, node);
  checkCounts(state, node);
  if (scope.parent === undefined) {
    checkOrderBy(state, node, sources, frame.aggregates.length > 0);
  }
  if (node.orderBy?.rank === true && node.groupBy === undefined && frame.aggregates.length > 0) {
    state.error(undefined, node.orderBy, 'Aggregates are not allowed with the ORDER BY RANK clause.');
  }
  if (node.groupBy !== undefined || frame.aggregates.length > 0) {
    checkGrouping(state, frame, node.select, node.groupBy ?? []);
  }
  const query: BoundQuery = Object.freeze({
    node,
    sources,
    columns: outputColumns(node.select),
    hasSelectValue: node.select.kind === 'select-value',
    distinct: node.distinct,
    where: node.where,
    groupBy: node.groupBy,
    aggregates: Object.freeze(frame.aggregates),
    isAggregate: frame.aggregates.length > 0 && node.groupBy === undefined,
    orderBy: node.orderBy?.items ?? Object.freeze([]),
    rank,
    top: node.top,
    offset: node.offset,
    limit: node.limit,
    outerSlots: Object.freeze([...frame.outerSlots].toSorted((left, right) => left - right)),
  });
  state.queries.set(node, query);
  return query;
}

/**
 * Resolves the names of a parsed query and checks what the grammar cannot.
 *
 * @throws QUERY_INVALID with every error found, in the order of the text; QUERY_NOT_SUPPORTED when all of them refuse a feature by name;
 * QUERY_LIMIT for too many calls of user-defined functions.
 */
export function bindQuery(node: QueryNode, text: string, catalog: FunctionCatalog): PreparedQuery {
  const state = new BindState(text, catalog);
  const root = bindOne(state, node, newScope(undefined, true));
  if (state.errors.length > 0) {
    throw queryInvalidError(
      text,
      state.errors.toSorted((left, right) => left.location.start - right.location.start),
    );
  }
  return Object.freeze({
    text,
    node,
    root,
    queries: state.queries,
    identifiers: state.identifiers,
    letSlots: state.letSlots,
    aggregateCalls: state.aggregateCalls,
    groupReferences: state.groupReferences,
    slotCount: state.slotCount,
    parameters: namesInOrder(state.parameters),
    udfs: namesInOrder(state.udfs),
    isStreamable: root.orderBy.length === 0 && root.groupBy === undefined && !root.isAggregate,
  });
}
