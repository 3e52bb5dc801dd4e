import { leftSpine } from '../../left-spine.ts';
import type { BinaryNode, BinaryOperator, CoalesceNode, ConditionalNode, ExpressionNode, LetNode, UnaryNode } from '../../syntax-nodes.ts';
import { insideLoop, leave, type CompileContext } from './compile-context.ts';
import { constantOf } from './constant-folder.ts';
import { isConditionCall } from './function-conditions.ts';
import { compileCallValue } from './function-values.ts';
import { pathValue, resolvePath } from './path-value.ts';
import { sql, type Sql } from './sql-fragment.ts';
import { choice, computedValue, constantValue, finiteNumber, TYPES, type SqlValue } from './sql-value.ts';

/** Longer chains of arithmetic are left to the evaluator: SQLite bounds the depth of an expression. */
const MAX_CHAIN = 32;

function lacks(type: number, ...values: readonly SqlValue[]): boolean {
  return values.some((value) => (value.types & type) === 0);
}

/** SQLite's NULL stands for NaN too. */
function notANumber(result: Sql, left: Sql, right: Sql): Sql {
  return sql`(${result} IS NULL AND ${left} IS NOT NULL AND ${right} IS NOT NULL)`;
}

function divided(operator: '/' | '%', left: SqlValue, right: SqlValue): SqlValue {
  const [dividend, divisor] = [left.number(), right.number()];
  const result = operator === '/' ? sql`(${dividend} / ${divisor})` : sql`mod(${dividend}, ${divisor})`;
  const unsure: Sql[] = [];
  const by = right.constant?.value;
  if (typeof by !== 'number' || by === 0) {
    unsure.push(sql`${divisor} = 0`);
  }
  // An infinity divided by a number is one; only by another infinity, or as a remainder, it makes a NaN.
  if (operator === '%' ? !left.isFinite : !left.isFinite && !right.isFinite) {
    unsure.push(notANumber(result, dividend, divisor));
  }
  return computedValue(TYPES.number, result, [left, right], unsure);
}

function arithmetic(operator: '+' | '-' | '*', left: SqlValue, right: SqlValue): SqlValue {
  const [one, other] = [left.number(), right.number()];
  const result = operator === '+' ? sql`(${one} + ${other})` : operator === '-' ? sql`(${one} - ${other})` : sql`(${one} * ${other})`;
  // Finite numbers overflow to an infinity at most, and only an infinity beside another, or times zero, makes a NaN.
  const isSafe = operator === '*' ? left.isFinite && right.isFinite : left.isFinite || right.isFinite;
  return computedValue(TYPES.number, result, [left, right], isSafe ? [] : [notANumber(result, one, other)]);
}

function int32(value: SqlValue): { readonly integer: Sql; readonly unsure: Sql } {
  const number = value.number();
  return { integer: sql`CAST(${number} AS INTEGER)`, unsure: sql`abs(${number}) >= 2147483648` };
}

function bitwise(operator: '&' | '|' | '^' | '<<' | '>>' | '>>>', left: SqlValue, right: SqlValue): SqlValue {
  const [a, b] = [int32(left), int32(right)];
  const compute: Readonly<Record<typeof operator, () => Sql>> = {
    '&': () => sql`(${a.integer} & ${b.integer})`,
    '|': () => sql`(${a.integer} | ${b.integer})`,
    '^': () => sql`((${a.integer} | ${b.integer}) & ~(${a.integer} & ${b.integer}))`,
    '<<': () => sql`((((${a.integer} << (${b.integer} & 31)) + 2147483648) & 4294967295) - 2147483648)`,
    '>>': () => sql`(${a.integer} >> (${b.integer} & 31))`,
    '>>>': () => sql`((${a.integer} & 4294967295) >> (${b.integer} & 31))`,
  };
  return finiteNumber(sql`CAST(${compute[operator]()} AS REAL)`, [left, right], [a.unsure, b.unsure]);
}

const NUMERIC: ReadonlySet<BinaryOperator> = new Set(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>']);

function applyBinary(operator: BinaryOperator, left: SqlValue, right: SqlValue): SqlValue | undefined {
  if (operator === '||') {
    return lacks(TYPES.string, left, right)
      ? constantValue(undefined)
      : computedValue(TYPES.string, sql`(${left.string()} || ${right.string()})`, [left, right]);
  }
  if (!NUMERIC.has(operator) || lacks(TYPES.number, left, right)) {
    return NUMERIC.has(operator) ? constantValue(undefined) : undefined;
  }
  switch (operator) {
    case '+':
    case '-':
    case '*':
      return arithmetic(operator, left, right);
    case '/':
    case '%':
      return divided(operator, left, right);
    default:
      return bitwise(operator as '&', left, right);
  }
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
  return left === undefined || right === undefined ? undefined : applyBinary(node.operator, left, right);
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
    return constantValue(undefined);
  }
  if (node.operator === '~') {
    const { integer, unsure } = int32(operand);
    return finiteNumber(sql`CAST(~${integer} AS REAL)`, [operand], [unsure]);
  }
  const result = node.operator === '-' ? sql`(-${operand.number()})` : operand.number();
  return operand.isFinite ? finiteNumber(result, [operand]) : computedValue(TYPES.number, result, [operand]);
}

/** A condition as a value: true, false or undefined. */
function compileBoolean(node: ExpressionNode, context: CompileContext): SqlValue | undefined {
  const [holds, fails] = [context.condition(node, true), context.condition(node, false)];
  return holds.exact && fails.exact
    ? computedValue(TYPES.boolean, sql`CASE WHEN ${holds.sql} THEN 1 WHEN ${fails.sql} THEN 0 END`, [])
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
    return constantValue(constant.value) ?? leave(context, 'a constant cannot be bound to a statement');
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
