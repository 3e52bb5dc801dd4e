import { operations } from '../../evaluator/operators.ts';
import type { NumericOperator } from '../common/dialect.ts';
import { rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { computedValue, finiteNumber, TYPES, type SqlValue } from '../common/sql-value.ts';
import { firstFinite, firstInfinite, firstNonZero, firstZero } from './double-limits.ts';
import { boundNumber, constantValue } from './json-value.ts';

/**
 * Arithmetic of doubles that never fails. PostgreSQL raises an error where a result overflows, underflows to 0 or is divided by 0, so whatever is
 * near that is told by a comparison in a CASE first. With a constant the limits are known, and results are those of JavaScript, infinities included;
 * of two values of a row, extreme ones are unsure. No NaN ever comes to be, since it would equal itself.
 */

const INFINITY = rawSql("'Infinity'::float8");
const ZERO = rawSql("'0'::float8");
/** Sums and products of numbers within these neither overflow nor underflow. */
const SUM_LIMIT = rawSql("'8e307'::float8");
const PRODUCT_LOW = rawSql("'1e-150'::float8");
const PRODUCT_HIGH = rawSql("'1e150'::float8");
const INT32_LIMIT = rawSql("'2147483648'::float8");
const INT64_LIMIT = rawSql("'9223372036854775808'::float8");
const EXACT_INTEGERS = rawSql("'9007199254740992'::float8");
/** All doubles that 64 bits cannot hold are multiples of it. */
const STEP_BEYOND_INT64 = 2048;

function numberResult(result: Sql, operands: readonly SqlValue[], isFinite: boolean, unsure: readonly Sql[] = []): SqlValue {
  return isFinite ? finiteNumber(result, operands, unsure) : computedValue(TYPES.number, result, operands, unsure);
}

/** What stands behind a guard, and is unsure where the guard does not hold. */
function guarded(guard: Sql, result: Sql, operands: readonly SqlValue[]): SqlValue {
  return finiteNumber(sql`CASE WHEN ${guard} THEN ${result} END`, operands, [sql`NOT (${guard})`]);
}

/** `x + constant`. */
function plusConstant(operand: SqlValue, constant: number): SqlValue {
  const number = operand.number();
  const sum = sql`(${number} + ${boundNumber(constant)})`;
  const limit = firstInfinite((value) => value + Math.abs(constant));
  if (limit === undefined) {
    return numberResult(sum, [operand], operand.isFinite);
  }
  const result =
    constant > 0
      ? sql`CASE WHEN ${number} >= ${boundNumber(limit)} THEN ${INFINITY} ELSE ${sum} END`
      : sql`CASE WHEN ${number} <= ${boundNumber(-limit)} THEN -${INFINITY} ELSE ${sum} END`;
  return numberResult(result, [operand], false);
}

/** `x * constant` or `x / constant`, by what it does to a positive number; undefined as for {@link numericValue}. */
export function scaledValue(operator: '*' | '/', operand: SqlValue, constant: number): SqlValue | undefined {
  if (constant === 0) {
    return operator === '*' && operand.isFinite ? finiteNumber(sql`(${operand.number()} * ${ZERO})`, [operand]) : undefined;
  }
  const number = operand.number();
  const compute = (value: number): number => (operator === '*' ? value * Math.abs(constant) : value / Math.abs(constant));
  const result = sql`(${number} ${rawSql(operator)} ${boundNumber(constant)})`;
  const sign = rawSql(constant > 0 ? '' : '-');
  const tooLarge = firstInfinite(compute);
  if (tooLarge !== undefined) {
    const whole = sql`CASE WHEN abs(${number}) >= ${boundNumber(tooLarge)} THEN ${number} * ${sign}${INFINITY} ELSE ${result} END`;
    return numberResult(whole, [operand], false);
  }
  const least = firstNonZero(compute);
  return numberResult(
    least === Number.MIN_VALUE || least === undefined
      ? result
      : sql`CASE WHEN abs(${number}) < ${boundNumber(least)} THEN ${number} * ${sign}${ZERO} ELSE ${result} END`,
    [operand],
    operand.isFinite,
  );
}

/** `constant / x`. Only a 0 of a document is known to be a positive one. */
function constantDividedBy(constant: number, operand: SqlValue): SqlValue {
  const number = operand.number();
  const magnitude = Math.abs(constant);
  const infinity = rawSql(constant > 0 ? "'Infinity'::float8" : "'-Infinity'::float8");
  const isStored = operand.raw !== undefined && constant !== 0;
  const cases = [sql`WHEN ${number} = 0 THEN ${isStored ? infinity : rawSql('NULL')}`];
  if (constant !== 0) {
    const least = firstFinite((value) => magnitude / value);
    if (least !== undefined && least !== Number.MIN_VALUE) {
      cases.push(sql`WHEN abs(${number}) < ${boundNumber(least)} THEN sign(${number}) * ${infinity}`);
    }
    const tooLarge = firstZero((value) => magnitude / value);
    if (tooLarge !== undefined) {
      cases.push(sql`WHEN abs(${number}) >= ${boundNumber(tooLarge)} THEN ${ZERO}`);
    }
  }
  const all = cases.reduce((one, other) => sql`${one} ${other}`);
  const result = sql`CASE ${all} ELSE ${boundNumber(constant)} / ${number} END`;
  return numberResult(result, [operand], false, isStored ? [] : [sql`${number} = 0`]);
}

/** `x % constant`: of whole numbers in integers, to which the fraction is added again. */
function remainderBy(operand: SqlValue, constant: number): SqlValue | undefined {
  const magnitude = Math.abs(constant);
  if (!Number.isSafeInteger(magnitude) || magnitude === 0) {
    return undefined;
  }
  const number = operand.number();
  const whole = sql`trunc(${number})`;
  const rest = sql`((${whole}::bigint % ${boundNumber(magnitude)}::bigint)::float8 + (${number} - ${whole}))`;
  const isSmall = sql`abs(${number}) < ${INT64_LIMIT}`;
  return operand.isFinite && STEP_BEYOND_INT64 % magnitude === 0
    ? finiteNumber(sql`CASE WHEN ${isSmall} THEN ${rest} ELSE ${number} * ${ZERO} END`, [operand])
    : guarded(isSmall, rest, [operand]);
}

function isProductSafe(number: Sql): Sql {
  return sql`(abs(${number}) BETWEEN ${PRODUCT_LOW} AND ${PRODUCT_HIGH})`;
}

/** An operator over two values of a row. */
function betweenValues(operator: '+' | '-' | '*' | '/' | '%', left: SqlValue, right: SqlValue): SqlValue {
  const [one, other] = [left.number(), right.number()];
  const result = sql`(${one} ${rawSql(operator)} ${other})`;
  switch (operator) {
    case '+':
    case '-':
      return guarded(sql`(abs(${one}) <= ${SUM_LIMIT} AND abs(${other}) <= ${SUM_LIMIT})`, result, [left, right]);
    case '*':
      return guarded(sql`((${isProductSafe(one)} OR ${one} = 0) AND (${isProductSafe(other)} OR ${other} = 0))`, result, [left, right]);
    case '/':
      return guarded(sql`((${isProductSafe(one)} OR ${one} = 0) AND ${isProductSafe(other)})`, result, [left, right]);
    default: {
      const isWhole = (number: Sql): Sql => sql`(abs(${number}) <= ${EXACT_INTEGERS} AND ${number} = trunc(${number}))`;
      const integers = sql`(${one}::bigint % ${other}::bigint)::float8`;
      return guarded(sql`(${isWhole(one)} AND ${isWhole(other)} AND ${other} <> 0)`, integers, [left, right]);
    }
  }
}

function constantNumber(value: SqlValue): number | undefined {
  const constant = value.constant?.value;
  return typeof constant === 'number' ? constant : undefined;
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', left: SqlValue, right: SqlValue): SqlValue | undefined {
  const [one, other] = [constantNumber(left), constantNumber(right)];
  const constant = one ?? other;
  if (constant === undefined) {
    return betweenValues(operator, left, right);
  }
  // An infinity makes NaN of some, and is no constant of a sensible query.
  if (!Number.isFinite(constant)) {
    return undefined;
  }
  switch (operator) {
    case '+':
      return plusConstant(one === undefined ? left : right, constant);
    case '-':
      return one === undefined ? plusConstant(left, -constant) : plusConstant(negativeValue(right), constant);
    case '*':
      return scaledValue('*', one === undefined ? left : right, constant);
    case '/':
      return one === undefined ? scaledValue('/', left, constant) : constantDividedBy(constant, right);
    default:
      return one === undefined ? remainderBy(left, constant) : betweenValues('%', left, right);
  }
}

/** A number as 32 bits, as JavaScript takes it, and where that is told. */
function int32(value: SqlValue): { readonly integer: Sql; readonly guard: Sql | undefined } {
  const constant = constantNumber(value);
  if (constant !== undefined) {
    return { integer: sql`${boundNumber(constant | 0)}::int`, guard: undefined };
  }
  const number = value.number();
  return { integer: sql`trunc(${number})::int`, guard: sql`abs(${number}) < ${INT32_LIMIT}` };
}

type Bitwise = Exclude<NumericOperator, '+' | '-' | '*' | '/' | '%'>;

function bitwise(operator: Bitwise, left: SqlValue, right: SqlValue): SqlValue {
  const [a, b] = [int32(left), int32(right)];
  const compute: Readonly<Record<Bitwise, () => Sql>> = {
    '&': () => sql`(${a.integer} & ${b.integer})`,
    '|': () => sql`(${a.integer} | ${b.integer})`,
    '^': () => sql`(${a.integer} # ${b.integer})`,
    '<<': () => sql`(${a.integer} << (${b.integer} & 31))`,
    '>>': () => sql`(${a.integer} >> (${b.integer} & 31))`,
    '>>>': () => sql`((${a.integer}::bigint & 4294967295) >> (${b.integer} & 31))`,
  };
  const guards = [a.guard, b.guard].filter((guard) => guard !== undefined);
  const guard = guards.reduce((one, other) => sql`(${one} AND ${other})`);
  return guarded(guard, sql`${compute[operator]()}::float8`, [left, right]);
}

/** An operator over two numbers; undefined where PostgreSQL has no equal. */
export function numericValue(operator: NumericOperator, left: SqlValue, right: SqlValue): SqlValue | undefined {
  const [one, other] = [constantNumber(left), constantNumber(right)];
  if (one !== undefined && other !== undefined) {
    return constantValue(operations[operator](one, other));
  }
  switch (operator) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, left, right);
    default:
      return bitwise(operator, left, right);
  }
}

/** `-` of a number. */
export function negativeValue(operand: SqlValue): SqlValue {
  return numberResult(sql`(-${operand.number()})`, [operand], operand.isFinite);
}

/** `~` of a number. */
export function complementValue(operand: SqlValue): SqlValue | undefined {
  const { integer, guard } = int32(operand);
  return guard === undefined ? undefined : guarded(guard, sql`(~${integer})::float8`, [operand]);
}

/** `x * x`. */
export function squareValue(operand: SqlValue): SqlValue {
  const number = operand.number();
  const square = (value: number): number => value * value;
  const [tooLarge, least] = [firstInfinite(square) as number, firstNonZero(square) as number];
  const result = sql`CASE WHEN abs(${number}) >= ${boundNumber(tooLarge)} THEN ${INFINITY} WHEN abs(${number}) < ${boundNumber(least)} THEN ${ZERO} ELSE ${number} * ${number} END`;
  return numberResult(result, [operand], false);
}
