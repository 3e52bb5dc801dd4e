import type { BinaryNode, BinaryOperator, ExpressionNode } from './syntax-nodes.ts';

/** One step of a {@link LeftSpine}. */
export interface SpineStep {
  readonly node: BinaryNode;
  readonly operator: BinaryOperator;
  readonly operand: ExpressionNode;
}

/** A chain of binary operators taken apart: `first`, then each operator with its right operand. */
export interface LeftSpine {
  readonly first: ExpressionNode;
  readonly steps: readonly SpineStep[];
}

/**
 * Takes a chain of left-associative operators apart without recursion.
 *
 * `a OR b OR c` is `(a OR b) OR c` in the tree, and a text may chain tens of thousands: whoever walks the tree by recursion must walk the left
 * operands with this, or overflows the stack. Everything else that nests is bounded by the parser.
 */
export function leftSpine(node: BinaryNode): LeftSpine {
  const steps: SpineStep[] = [];
  let current: ExpressionNode = node;
  while (current.kind === 'binary') {
    steps.push({ node: current, operator: current.operator, operand: current.right });
    current = current.left;
  }
  steps.reverse();
  return { first: current, steps };
}
