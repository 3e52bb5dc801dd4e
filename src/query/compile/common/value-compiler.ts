import { leftSpine } from '../../left-spine.ts';
import type { BinaryNode, BinaryOperator, CoalesceNode, ConditionalNode, ExpressionNode, LetNode, UnaryNode } from '../../syntax-nodes.ts';
import { insideLoop, leave, type CompileContext } from './compile-context.ts';
import { constantOf } from './constant-folder.ts';
import { isConditionCall } from './function-conditions.ts';
import { compileCallValue } from './call-value.ts';
import { pathValue, resolvePath } from './path-value.ts';
import type { NumericOperator } from './dialect.ts';
import { sql } from './sql-fragment.ts';
import { choice, computedValue, finiteNumber, TYPES, valueOfConstant, type SqlValue } from './sql-value.ts';

/** Longer chains of arithmetic are left to the evaluator: the engines bound the depth of an expression. */
const MAX_CHAIN = 32;
const UNDEFINED = valueOfConstant(undefined, {});

function lacks(type: number, ...values: readonly SqlValue[]): boolean {
  return values.some((value) => (value.types & type) === 0);
}

const NUMERIC: ReadonlySet<BinaryOperator> = new Set(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>']);

function applyBinary(operator: BinaryOperator, left: SqlValue, right: SqlValue, { dialect }: CompileContext): SqlValue | undefined {
  if (operator === '||') {
    return lacks(TYPES.string, left, right)
      ? UNDEFINED
      : computedValue(TYPES.string, sql`(${left.string()} || ${right.string()})`, [left, right]);
  }
  return lacks(TYPES.number, left, right) ? UNDEFINED : dialect.numeric(operator as NumericOperator, left, right);
}

function compileBinary(node: BinaryNode, context: CompileContext): SqlValue | undefined {
  if (!NUMERIC.has(node.operator) && node.operator !== '||') {
    return compileBoolean(node, context);
  }
  if (leftSpine(node).steps.length > MAX_CHAIN) {
    return leave(context, 'an expression is very long');
  }
  const left = context.value(node.left);
  const right = left === undefined ? undefined : context.value(node.right);
  return left === undefined || right === undefined ? undefined : applyBinary(node.operator, left, right, context);
}

function compileUnary(node: UnaryNode, context: CompileContext): SqlValue | undefined {
  if (node.operator === 'NOT') {
    return compileBoolean(node, context);
  }
  const operand = context.value(node.operand);
  if (operand === undefined) {
    return undefined;
  }
  if (lacks(TYPES.number, operand)) {
    return UNDEFINED;
  }
  if (node.operator === '+') {
    const result = operand.number();
    return operand.isFinite ? finiteNumber(result, [operand]) : computedValue(TYPES.number, result, [operand]);
  }
  return node.operator === '-' ? context.dialect.negative(operand) : context.dialect.complement(operand);
}

/** A condition as a value: true, false or undefined. */
function compileBoolean(node: ExpressionNode, context: CompileContext): SqlValue | undefined {
  const [holds, fails] = [context.condition(node, true), context.condition(node, false)];
  return holds.exact && fails.exact
    ? computedValue(TYPES.boolean, sql`CASE WHEN ${holds.sql} THEN TRUE WHEN ${fails.sql} THEN FALSE END`, [])
    : leave(context, 'the value of a condition is used that SQL cannot tell exactly');
}

function compileConditional(node: ConditionalNode, context: CompileContext): SqlValue | undefined {
  const condition = context.condition(node.condition, true);
  const whenTrue = condition.exact ? context.value(node.whenTrue) : undefined;
  const otherwise = whenTrue === undefined ? undefined : context.value(node.otherwise);
  return whenTrue === undefined || otherwise === undefined ? undefined : choice(condition.sql, whenTrue, otherwise);
}

function compileCoalesce(node: CoalesceNode, context: CompileContext): SqlValue | undefined {
  const left = context.value(node.left);
  const right = left === undefined ? undefined : context.value(node.right);
  return left === undefined || right === undefined ? undefined : choice(left.is(TYPES.defined), left, right);
}

/** Makes the name of a LET known while `compile` runs. */
export function withLet<T>(node: LetNode, context: CompileContext, compile: () => T): T {
  const slot = context.prepared.letSlots.get(node) as number;
  const path = resolvePath(node.value, context);
  if (path !== undefined && path !== 'nowhere' && path.binding.json !== undefined && !path.binding.isDocument) {
    const { binding, steps } = path;
    context.bindings.set(slot, steps.length === 0 ? binding : { ...binding, value: undefined, steps: [...binding.steps, ...steps] });
  } else {
    context.bindings.set(slot, {
      json: undefined,
      steps: [],
      value: insideLoop(context, () => context.value(node.value)),
      isDocument: false,
    });
  }
  return compile();
}

/** Compiles any expression to a value. */
export function compileValue(node: ExpressionNode, context: CompileContext): SqlValue | undefined {
  const constant = constantOf(node, context);
  if (constant !== undefined) {
    return context.dialect.constant(constant.value) ?? leave(context, 'a constant cannot be bound to a statement');
  }
  switch (node.kind) {
    case 'identifier':
    case 'member':
    case 'index': {
      const path = resolvePath(node, context);
      return path === undefined ? leave(context, 'a path is not known before the row') : pathValue(path, context);
    }
    case 'unary':
      return compileUnary(node, context);
    case 'binary':
      return compileBinary(node, context);
    case 'between':
    case 'in':
    case 'like':
    case 'subquery':
      return compileBoolean(node, context);
    case 'conditional':
      return compileConditional(node, context);
    case 'coalesce':
      return compileCoalesce(node, context);
    case 'call':
      return isConditionCall(node) ? compileBoolean(node, context) : compileCallValue(node, context);
    case 'let':
      return withLet(node, context, () => context.value(node.body));
    default:
      return leave(context, 'an array or object is made of values of the row');
  }
}
