import type { CallNode, ExpressionNode, IdentifierNode, LetNode, QueryNode } from '../syntax-nodes.ts';
import { operandsOf } from '../walk.ts';
import { resolveSlot, type BindState, type Scope } from './bind-state.ts';
import { checkCall } from './call-rules.ts';

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
]);

/** Where an expression stands. */
export interface ExpressionPlace {
  readonly scope: Scope;
  /** The clause, where aggregates are not allowed in it. */
  readonly clause: 'FROM' | 'WHERE' | 'GROUP BY' | 'ORDER BY' | undefined;
  readonly aggregate: CallNode | undefined;
  /** Binds a subquery; given by the query binder, which calls this file. */
  readonly bindSubquery: (state: BindState, node: QueryNode, scope: Scope) => void;
}

function bindIdentifier(state: BindState, node: IdentifierNode, scope: Scope): void {
  const { name } = node;
  const slot = resolveSlot(scope, name);
  if (slot !== undefined) {
    state.identifiers.set(node, Object.freeze({ kind: 'variable', name, slot }));
    return;
  }
  const value = CONSTANTS.get(name);
  if (value === undefined) {
    state.error('SC2001', node, `Identifier '${name}' could not be resolved.`);
  } else {
    state.identifiers.set(node, Object.freeze({ kind: 'constant', name, value }));
  }
}

const NESTED_AGGREGATE = 'Cannot perform an aggregate function on an expression containing an aggregate or a subquery.';

function bindAggregate(state: BindState, node: CallNode, name: string, place: ExpressionPlace): void {
  if (place.aggregate !== undefined) {
    state.error('SC2101', place.aggregate, NESTED_AGGREGATE);
  } else if (place.clause !== undefined) {
    state.error(undefined, node, `An aggregate function such as ${name} is not allowed in the ${place.clause} clause.`);
  } else {
    const { aggregates } = place.scope.frame;
    const call = Object.freeze({ node, name, index: aggregates.length });
    aggregates.push(call);
    state.aggregateCalls.set(node, call);
  }
}

function bindCall(state: BindState, node: CallNode, place: ExpressionPlace): void {
  const signature = checkCall(state, node, false);
  const isAggregate = signature?.aggregate === true;
  if (isAggregate) {
    bindAggregate(state, node, signature.name, place);
  }
  const inner = isAggregate ? { ...place, aggregate: node } : place;
  for (const argument of node.arguments) {
    bindExpression(state, argument, inner);
  }
}

function bindLet(state: BindState, node: LetNode, place: ExpressionPlace): void {
  bindExpression(state, node.value, place);
  const slot = state.newSlot();
  state.letSlots.set(node, slot);
  const scope: Scope = { parent: place.scope, frame: place.scope.frame, names: new Map([[node.name, slot]]) };
  bindExpression(state, node.body, { ...place, scope });
}

/** Resolves every name in an expression and checks every call. Errors are collected, so the rest is bound as well. */
export function bindExpression(state: BindState, node: ExpressionNode, place: ExpressionPlace): void {
  switch (node.kind) {
    case 'identifier':
      bindIdentifier(state, node, place.scope);
      break;
    case 'parameter':
      state.note(state.parameters, node.name, node.start);
      break;
    case 'call':
      bindCall(state, node, place);
      break;
    case 'let':
      bindLet(state, node, place);
      break;
    case 'subquery':
      if (place.aggregate !== undefined) {
        state.error('SC2101', place.aggregate, NESTED_AGGREGATE);
      }
      if (place.clause === 'GROUP BY') {
        state.error(undefined, node, 'A subquery is not allowed in the GROUP BY clause.');
      }
      place.bindSubquery(state, node.query, place.scope);
      break;
    default:
      for (const operand of operandsOf(node)) {
        bindExpression(state, operand, place);
      }
  }
}
