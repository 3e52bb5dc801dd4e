import { leftSpine } from '../left-spine.ts';
import { printExpression } from '../printer.ts';
import type { BoundQuery } from '../prepared-query.ts';
import type { BinaryNode, ExpressionNode, PathCollectionNode, QueryNode, SelectNode, SourceRange } from '../syntax-nodes.ts';
import { expressionsOf, operandsOf, pathOf, sourcesOf } from '../walk.ts';
import type { BindState, QueryFrame } from './bind-state.ts';

/** What the walk below needs at every node. */
interface GroupCheck {
  readonly state: BindState;
  readonly frame: QueryFrame;
  /** Position of each GROUP BY expression by its key. */
  readonly keys: ReadonlyMap<string, number>;
  /** Lengths of the operator chains among them, so that a long chain in SELECT is compared where it can match only. */
  readonly chainLengths: ReadonlySet<number>;
}

function pathKey(slot: number, steps: readonly (string | number)[]): string {
  return `${slot}${JSON.stringify(steps)}`;
}

/** Equal for equal expressions; `c.a` and `c["a"]` are equal. */
function keyOf(state: BindState, node: ExpressionNode): string {
  const path = pathOf(node);
  const binding = path === undefined ? undefined : state.identifiers.get(path.root);
  return path !== undefined && binding?.kind === 'variable' ? pathKey(binding.slot, path.steps) : printExpression(node);
}

/** Whether `node` is a group expression; notes it where it is. */
function isGroupExpression({ state, keys }: GroupCheck, node: ExpressionNode): boolean {
  const position = keys.size === 0 ? undefined : keys.get(keyOf(state, node));
  if (position === undefined) {
    return false;
  }
  state.groupReferences.set(node, position);
  return true;
}

function refuse({ state }: GroupCheck, location: SourceRange, path: string): void {
  const message = `Property reference '${path}' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.`;
  state.error('SC2102', location, message);
}

/** A chain of `.name` and `[…]`: it is fine when any beginning of it is a group expression. */
function checkPath(check: GroupCheck, node: ExpressionNode): void {
  let rest = node;
  while (rest.kind === 'member' || rest.kind === 'index') {
    if (rest.kind === 'index') {
      checkExpression(check, rest.index);
    }
    rest = rest.target;
    if (isGroupExpression(check, rest)) {
      return;
    }
  }
  if (rest.kind !== 'identifier') {
    checkExpression(check, rest);
    return;
  }
  const binding = check.state.identifiers.get(rest);
  if (binding?.kind === 'variable' && check.frame.ownSlots.has(binding.slot)) {
    refuse(check, node, printExpression(node));
  }
}

function checkChain(check: GroupCheck, node: BinaryNode): void {
  const { first, steps } = leftSpine(node);
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const step = steps[index];
    if (step === undefined || (check.chainLengths.has(index + 1) && isGroupExpression(check, step.node))) {
      return;
    }
    checkExpression(check, step.operand);
  }
  checkExpression(check, first);
}

function checkSourcePath(check: GroupCheck, node: PathCollectionNode, query: BoundQuery, position: number): void {
  const input = query.sources[position]?.input;
  if (input?.kind !== 'variable' || !check.frame.ownSlots.has(input.slot)) {
    return;
  }
  const isCovered = [...node.path.keys(), node.path.length].some((length) =>
    check.keys.has(pathKey(input.slot, node.path.slice(0, length))),
  );
  if (!isCovered) {
    refuse(check, node, [node.root, ...node.path].join('.'));
  }
}

function checkSubquery(check: GroupCheck, node: QueryNode): void {
  const query = check.state.queries.get(node);
  if (query === undefined) {
    return;
  }
  for (const [position, { input }] of sourcesOf(node.from).entries()) {
    if (input.kind === 'path-collection') {
      checkSourcePath(check, input, query, position);
    } else {
      checkSubquery(check, input.query);
    }
  }
  for (const expression of expressionsOf(node)) {
    checkExpression(check, expression);
  }
}

function checkExpression(check: GroupCheck, node: ExpressionNode): void {
  if (node.kind === 'binary') {
    checkChain(check, node);
    return;
  }
  const call = node.kind === 'call' ? check.state.aggregateCalls.get(node) : undefined;
  if (isGroupExpression(check, node) || (call !== undefined && check.frame.aggregates[call.index] === call)) {
    return;
  }
  switch (node.kind) {
    case 'subquery':
      checkSubquery(check, node.query);
      break;
    case 'identifier':
    case 'member':
    case 'index':
      checkPath(check, node);
      break;
    default:
      for (const operand of operandsOf(node)) {
        checkExpression(check, operand);
      }
  }
}

/** In a query with GROUP BY or aggregates, SELECT may read a row only through group expressions and aggregates (SC2102). */
export function checkGrouping(state: BindState, frame: QueryFrame, select: SelectNode, groupBy: readonly ExpressionNode[]): void {
  const check: GroupCheck = {
    state,
    frame,
    keys: new Map(groupBy.map((node, position) => [keyOf(state, node), position] as const)),
    chainLengths: new Set(groupBy.flatMap((node) => (node.kind === 'binary' ? [leftSpine(node).steps.length] : []))),
  };
  const listed = select.kind === 'select-list' ? select.items.map((item) => item.expression) : [];
  for (const node of select.kind === 'select-value' ? [select.expression] : listed) {
    checkExpression(check, node);
  }
}
