import type { NumericOperator } from '../common/dialect.ts';
import { sql, type Sql } from '../common/sql-fragment.ts';
import { computedValue, finiteNumber, TYPES, type SqlValue } from '../common/sql-value.ts';

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

/** An operator over two numbers. */
export function numericValue(operator: NumericOperator, left: SqlValue, right: SqlValue): SqlValue {
  switch (operator) {
    case '+':
    case '-':
    case '*':
      return arithmetic(operator, left, right);
    case '/':
    case '%':
      return divided(operator, left, right);
    default:
      return bitwise(operator, left, right);
  }
}

/** `-` of a number. */
export function negativeValue(operand: SqlValue): SqlValue {
  const result = sql`(-${operand.number()})`;
  return operand.isFinite ? finiteNumber(result, [operand]) : computedValue(TYPES.number, result, [operand]);
}

/** `~` of a number. */
export function complementValue(operand: SqlValue): SqlValue {
  const { integer, unsure } = int32(operand);
  return finiteNumber(sql`CAST(~${integer} AS REAL)`, [operand], [unsure]);
}
