import type { BinaryNode, BinaryOperator, CallNode, ConditionalNode, ExpressionNode, LikeNode } from '../../syntax-nodes.ts';
import { leave, type CompileContext } from './compile-context.ts';
import { allOf, anyOf, decided, NONE, opposite, over, UNKNOWN, type Condition } from './condition.ts';
import { constantOf } from './constant-folder.ts';
import type { Comparison } from './dialect.ts';
import { compileExists } from './exists-compiler.ts';
import { compileCallCondition, isConditionCall } from './function-conditions.ts';
import { readPattern } from './like-pattern.ts';
import { TYPES, type SqlValue } from './sql-value.ts';
import { withLet } from './value-compiler.ts';

const COMPARISONS: ReadonlySet<BinaryOperator> = new Set(['=', '!=', '<', '<=', '>', '>=']);
const OPPOSITE = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const;

function operandsOf(node: BinaryNode): readonly ExpressionNode[] {
  const operands: ExpressionNode[] = [];
  let rest: ExpressionNode = node;
  while (rest.kind === 'binary' && rest.operator === node.operator) {
    operands.push(rest.right);
    rest = rest.left;
  }
  operands.push(rest);
  return operands.toReversed();
}

/** A chain of AND is false where one operand is, and true where all are; OR the other way round. */
function compileLogic(node: BinaryNode, wanted: boolean, context: CompileContext): Condition {
  const conditions = operandsOf(node).map((operand) => context.condition(operand, wanted));
  return (node.operator === 'AND') === wanted ? allOf(conditions) : anyOf(conditions);
}

function compare(comparison: Comparison, left: SqlValue, right: SqlValue, wanted: boolean, { dialect }: CompileContext): Condition {
  return comparison === '=' || comparison === '!='
    ? dialect.equals(left, right, (comparison === '=') === wanted)
    : dialect.compares(left, wanted ? comparison : OPPOSITE[comparison], right);
}

function compileComparison(node: BinaryNode, wanted: boolean, context: CompileContext): Condition {
  const left = context.value(node.left);
  const right = left === undefined ? undefined : context.value(node.right);
  return left === undefined || right === undefined ? UNKNOWN : compare(node.operator as Comparison, left, right, wanted, context);
}

function valuesOf(nodes: readonly ExpressionNode[], context: CompileContext): readonly SqlValue[] | undefined {
  const values: SqlValue[] = [];
  for (const node of nodes) {
    const value = context.value(node);
    if (value === undefined) {
      return undefined;
    }
    values.push(value);
  }
  return values;
}

function compileLike(node: LikeNode, wanted: boolean, context: CompileContext): Condition {
  const text = context.value(node.operand);
  const pattern = constantOf(node.pattern, context);
  if (text === undefined || pattern === undefined) {
    leave(context, 'a pattern of LIKE is not known before the row');
    return UNKNOWN;
  }
  if (typeof pattern.value !== 'string' || (text.types & TYPES.string) === 0) {
    return NONE;
  }
  const read = readPattern(pattern.value, node.escape);
  const constant = read === undefined || read.kind === 'pattern' ? undefined : context.dialect.constant(read.text);
  const matches =
    read?.kind === 'pattern'
      ? context.dialect.like(text, read, wanted)
      : read === undefined || constant === undefined
        ? undefined
        : context.dialect.text(read.kind, text, constant, wanted);
  if (matches === undefined) {
    leave(context, `a pattern of LIKE has no equal in ${context.dialect.name}`);
    return UNKNOWN;
  }
  return matches;
}

/** `IIF` as a condition; unlike `?:` it is undefined for an undefined condition. */
function compileIif(node: CallNode, wanted: boolean, context: CompileContext): Condition {
  const [condition, whenTrue, otherwise] = node.arguments as [ExpressionNode, ExpressionNode, ExpressionNode];
  return branches(context.condition(condition, true), whenTrue, otherwise, wanted, context, () => {
    const value = context.value(condition);
    return value === undefined ? UNKNOWN : over(value.is(TYPES.defined), value);
  });
}

function branches(
  holds: Condition,
  whenTrue: ExpressionNode,
  otherwise: ExpressionNode,
  wanted: boolean,
  context: CompileContext,
  isThere: () => Condition,
): Condition {
  return anyOf([
    allOf([holds, context.condition(whenTrue, wanted)]),
    allOf([opposite(holds), isThere(), context.condition(otherwise, wanted)]),
  ]);
}

function compileConditional(node: ConditionalNode, wanted: boolean, context: CompileContext): Condition {
  return branches(context.condition(node.condition, true), node.whenTrue, node.otherwise, wanted, context, () => decided(true));
}

/** Any other expression: its value must be the boolean. */
function compileTruth(node: ExpressionNode, wanted: boolean, context: CompileContext): Condition {
  const value = context.value(node);
  const boolean = context.dialect.constant(wanted);
  return value === undefined || boolean === undefined ? UNKNOWN : context.dialect.equals(value, boolean, true);
}

function compileBinary(node: BinaryNode, wanted: boolean, context: CompileContext): Condition {
  if (node.operator === 'AND' || node.operator === 'OR') {
    return compileLogic(node, wanted, context);
  }
  return COMPARISONS.has(node.operator) ? compileComparison(node, wanted, context) : NONE;
}

/**
 * Compiles the rows where an expression is exactly `true` (`wanted`), or exactly `false`: these, or more.
 *
 * Both are compiled on their own, for the opposite of a superset would be no superset.
 */
export function compileCondition(node: ExpressionNode, wanted: boolean, context: CompileContext): Condition {
  const constant = constantOf(node, context);
  if (constant !== undefined) {
    return decided(constant.value === wanted);
  }
  switch (node.kind) {
    case 'binary':
      return compileBinary(node, wanted, context);
    case 'unary':
      return node.operator === 'NOT' ? context.condition(node.operand, !wanted) : NONE;
    case 'between': {
      const values = valuesOf([node.operand, node.low, node.high], context);
      if (values === undefined) {
        return UNKNOWN;
      }
      const [operand, low, high] = values as [SqlValue, SqlValue, SqlValue];
      const inside = node.negated ? !wanted : wanted;
      const ends = [compare('>=', operand, low, inside, context), compare('<=', operand, high, inside, context)];
      return inside ? allOf(ends) : anyOf(ends);
    }
    case 'in': {
      const needle = context.value(node.operand);
      const items = needle === undefined ? undefined : valuesOf(node.items, context);
      return needle === undefined || items === undefined ? UNKNOWN : context.dialect.isIn(needle, items, node.negated ? !wanted : wanted);
    }
    case 'like':
      return compileLike(node, node.negated ? !wanted : wanted, context);
    case 'conditional':
      return compileConditional(node, wanted, context);
    case 'call':
      if (isConditionCall(node)) {
        return compileCallCondition(node, wanted, context);
      }
      return !node.udf && node.name.toUpperCase() === 'IIF' ? compileIif(node, wanted, context) : compileTruth(node, wanted, context);
    case 'subquery':
      if (node.form === 'exists' || node.form === 'all') {
        return compileExists(node, wanted, context);
      }
      leave(context, 'a subquery is used as a value');
      return UNKNOWN;
    case 'let':
      return withLet(node, context, () => context.condition(node.body, wanted));
    default:
      return compileTruth(node, wanted, context);
  }
}
