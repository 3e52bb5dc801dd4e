import type { JsonValue } from '../../core/json.ts';
import { leftSpine, type SpineStep } from '../left-spine.ts';
import type { BinaryNode, ExpressionNode } from '../syntax-nodes.ts';
import { constantOf, groupSlotOf, type CompileScope, type Evaluate, type Test } from './compile-scope.ts';
import { operations, type Operation } from './operators.ts';

/** Longer chains of operators run in a loop, because each nested closure takes a place on the stack. */
const MAX_NESTED = 16;

/** Operators that give no boolean where a side is undefined. */
const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);

/** AND (`decisive` false) or OR (`decisive` true): the decisive boolean decides; else only booleans give an answer. */
function compileLogic(decisive: boolean, operands: readonly Evaluate[]): Evaluate {
  return (frame) => {
    let known = true;
    for (const operand of operands) {
      const value = operand(frame);
      if (value === decisive) {
        return decisive;
      }
      known &&= value === !decisive;
    }
    return known ? !decisive : undefined;
  };
}

function compileOperation(operation: Operation, left: Evaluate, right: Evaluate): Evaluate {
  return (frame) => {
    const value = left(frame);
    return value === undefined ? undefined : operation(value, right(frame));
  };
}

function compileChain(first: Evaluate, steps: readonly { readonly operation: Operation; readonly operand: Evaluate }[]): Evaluate {
  return (frame) => {
    let value: JsonValue | undefined = first(frame);
    for (const { operation, operand } of steps) {
      if (value === undefined) {
        return undefined;
      }
      value = operation(value, operand(frame));
    }
    return value;
  };
}

function operationOf(step: SpineStep): Operation {
  return operations[step.operator as keyof typeof operations];
}

/** The length of the run of steps from `start` that are compiled as one. */
function runEnd(steps: readonly SpineStep[], start: number): number {
  const { operator } = steps[start] as SpineStep;
  const isLogic = operator === 'AND' || operator === 'OR';
  let end = start + 1;
  while (end < steps.length) {
    const next = (steps[end] as SpineStep).operator;
    if (isLogic ? next !== operator : next === 'AND' || next === 'OR') {
      break;
    }
    end += 1;
  }
  return end;
}

function compileRun(first: Evaluate, run: readonly SpineStep[], scope: CompileScope): Evaluate {
  const operands = run.map((step) => scope.tools.expression(step.operand, scope));
  const { operator } = run[0] as SpineStep;
  if (operator === 'AND' || operator === 'OR') {
    return compileLogic(operator === 'OR', [first, ...operands]);
  }
  const steps = run.map((step, index) => ({ operation: operationOf(step), operand: operands[index] as Evaluate }));
  return steps.length > MAX_NESTED
    ? compileChain(first, steps)
    : steps.reduce((left, { operation, operand }) => compileOperation(operation, left, operand), first);
}

/** Compiles a chain of binary operators, however long it is. */
export function compileBinary(node: BinaryNode, scope: CompileScope): Evaluate {
  const { first, steps } = leftSpine(node);
  let current = scope.tools.expression(first, scope);
  for (let start = 0; start < steps.length;) {
    const end = runEnd(steps, start);
    current = compileRun(current, steps.slice(start, end), scope);
    start = end;
  }
  return current;
}

/** The operands of the outermost run of AND or OR; undefined for another expression. */
function logicOperands(
  node: ExpressionNode,
): { readonly operator: 'AND' | 'OR'; readonly operands: readonly ExpressionNode[] } | undefined {
  if (node.kind !== 'binary' || (node.operator !== 'AND' && node.operator !== 'OR')) {
    return undefined;
  }
  const { operator } = node;
  const operands: ExpressionNode[] = [];
  let rest: ExpressionNode = node;
  while (rest.kind === 'binary' && rest.operator === operator) {
    operands.push(rest.right);
    rest = rest.left;
  }
  operands.push(rest);
  return { operator, operands: operands.toReversed() };
}

/** The one comparison that a condition is, where its right side is known; undefined for another expression. */
function comparisonWithConstant(
  node: ExpressionNode,
  scope: CompileScope,
): { readonly operation: Operation; readonly left: ExpressionNode; readonly right: JsonValue | undefined } | undefined {
  if (node.kind !== 'binary' || !COMPARISONS.has(node.operator)) {
    return undefined;
  }
  const constant = groupSlotOf(node.right, scope) === undefined ? constantOf(node.right, scope) : undefined;
  // Chains such as `a = b = c` may be too long for one closure in another.
  const isChain = node.left.kind === 'binary';
  return constant === undefined || isChain
    ? undefined
    : { operation: operations[node.operator as keyof typeof operations], left: node.left, right: constant.value };
}

/** Compiles the most frequent conditions with as few calls as can be: one of them is asked of every document. */
function compileComparison(node: ExpressionNode, scope: CompileScope): Test | undefined {
  const comparison = comparisonWithConstant(node, scope);
  if (comparison === undefined) {
    return undefined;
  }
  const { operation, right } = comparison;
  const left = scope.tools.expression(comparison.left, scope);
  if (operation === operations['='] && right !== undefined && (typeof right !== 'object' || right === null)) {
    // A value equals one that is neither array nor object exactly when it is the same.
    return (frame) => left(frame) === right;
  }
  return (frame) => operation(left(frame), right) === true;
}

/**
 * Compiles a condition of which only "exactly true" matters.
 *
 * There an undefined operand of AND is as good as false, and one of OR too, so each stops at the first operand that settles it.
 */
export function compileTest(node: ExpressionNode, scope: CompileScope): Test {
  const logic = groupSlotOf(node, scope) === undefined ? logicOperands(node) : undefined;
  if (logic === undefined) {
    const comparison = groupSlotOf(node, scope) === undefined ? compileComparison(node, scope) : undefined;
    if (comparison !== undefined) {
      return comparison;
    }
    const evaluate = scope.tools.expression(node, scope);
    return (frame) => evaluate(frame) === true;
  }
  const tests = logic.operands.map((operand) => scope.tools.test(operand, scope));
  if (logic.operator === 'OR') {
    return (frame) => tests.some((holds) => holds(frame));
  }
  const [first, second] = tests as [Test, Test];
  return tests.length === 2 ? (frame) => first(frame) && second(frame) : (frame) => tests.every((holds) => holds(frame));
}
