import { leftSpine } from './left-spine.ts';
import type { CollectionNode, ExpressionNode, QueryNode } from './syntax-nodes.ts';

/** The expressions directly inside a query, in the order of the text; those of FROM are reached through {@link sourcesOf}. */
export function expressionsOf(query: QueryNode): readonly ExpressionNode[] {
  const { select } = query;
  return [
    ...(query.top === undefined ? [] : [query.top]),
    ...(select.kind === 'select-value' ? [select.expression] : []),
    ...(select.kind === 'select-list' ? select.items.map((item) => item.expression) : []),
    ...(query.where === undefined ? [] : [query.where]),
    ...(query.groupBy ?? []),
    ...(query.orderBy?.items.map((item) => item.expression) ?? []),
    ...(query.offset === undefined ? [] : [query.offset]),
    ...(query.limit === undefined ? [] : [query.limit]),
  ];
}

/** The sources of a FROM clause, left to right. */
export function sourcesOf(from: CollectionNode | undefined): readonly Exclude<CollectionNode, { kind: 'join' }>[] {
  const sources: Exclude<CollectionNode, { kind: 'join' }>[] = [];
  let rest = from;
  while (rest !== undefined && rest.kind === 'join') {
    sources.push(rest.right);
    rest = rest.left;
  }
  return rest === undefined ? [] : [rest, ...sources.toReversed()];
}

/**
 * The operands of an expression, in the order of the text; what is inside a subquery is not among them.
 *
 * A chain of binary operators gives the operands of the whole chain, so recursion over operands stays as shallow as the parser's own limits.
 */
export function operandsOf(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.kind) {
    case 'member':
      return [node.target];
    case 'index':
      return [node.target, node.index];
    case 'unary':
      return [node.operand];
    case 'binary': {
      const { first, steps } = leftSpine(node);
      return [first, ...steps.map((step) => step.operand)];
    }
    case 'between':
      return [node.operand, node.low, node.high];
    case 'in':
      return [node.operand, ...node.items];
    case 'like':
      return [node.operand, node.pattern];
    case 'conditional':
      return [node.condition, node.whenTrue, node.otherwise];
    case 'coalesce':
      return [node.left, node.right];
    case 'call':
      return node.arguments;
    case 'array':
      return node.items;
    case 'object':
      return node.members.map((member) => member.value);
    case 'let':
      return [node.value, node.body];
    default:
      return [];
  }
}

/** A path such as `c.a["b"][0]` taken apart; `undefined` for any other expression. */
export interface PathExpression {
  readonly root: Extract<ExpressionNode, { kind: 'identifier' }>;
  readonly steps: readonly (string | number)[];
}

/** Reads an expression as a path of names and non-negative indexes behind an identifier. */
export function pathOf(node: ExpressionNode): PathExpression | undefined {
  const steps: (string | number)[] = [];
  let rest = node;
  for (;;) {
    if (rest.kind === 'identifier') {
      return { root: rest, steps: steps.toReversed() };
    }
    if (rest.kind === 'member') {
      steps.push(rest.name);
    } else if (rest.kind === 'index' && rest.index.kind === 'literal' && typeof rest.index.value === 'string') {
      steps.push(rest.index.value);
    } else if (rest.kind === 'index' && rest.index.kind === 'number' && Number.isSafeInteger(rest.index.value)) {
      steps.push(rest.index.value);
    } else {
      return undefined;
    }
    rest = rest.target;
  }
}
