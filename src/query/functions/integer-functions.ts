import { scalar, type FunctionEntry, type ScalarFunction } from './function-entry.ts';

const BITS = 64;
const LIMIT = 2 ** 63;

/** The number as a 64-bit integer; undefined unless it is whole and in range. 2^63 counts as the largest, which no double can hold. */
function toInteger(value: unknown): bigint | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > LIMIT) {
    return undefined;
  }
  return value === LIMIT ? BigInt(LIMIT) - 1n : BigInt(value);
}

function integers(compute: (left: bigint, right: bigint) => bigint | undefined): ScalarFunction {
  return (leftValue, rightValue) => {
    const left = toInteger(leftValue);
    const right = toInteger(rightValue);
    const result = left === undefined || right === undefined ? undefined : compute(left, right);
    return result === undefined ? undefined : Number(BigInt.asIntN(BITS, result));
  };
}

function binary(
  name: string,
  compute: (left: bigint, right: bigint) => bigint | undefined,
  aliases: readonly string[] = [],
): FunctionEntry {
  return scalar('integer', name, [2, 2], integers(compute), { aliases });
}

/** Shifting by a negative amount, or by 64 and more, has no documented meaning and gives undefined. */
function shift(compute: (value: bigint, by: bigint) => bigint): (value: bigint, by: bigint) => bigint | undefined {
  return (value, by) => (by < 0n || by >= BigInt(BITS) ? undefined : compute(value, by));
}

/**
 * Arithmetic on 64-bit integers, wrapping around on overflow.
 *
 * Undefined unless every argument is a whole number in range. Arguments and results are doubles like all numbers of a document: beyond 2^53
 * they are exact only where a double is.
 */
export const integerFunctions: readonly FunctionEntry[] = [
  binary('INTADD', (left, right) => left + right),
  binary('INTBITAND', (left, right) => left & right, ['INTBITWISEAND']),
  binary(
    'INTBITLEFTSHIFT',
    shift((value, by) => value << by),
    ['INTBITWISELEFTSHIFT'],
  ),
  scalar(
    'integer',
    'INTBITNOT',
    [1, 1],
    (value) => {
      const integer = toInteger(value);
      return integer === undefined ? undefined : Number(~integer);
    },
    { aliases: ['INTBITWISENOT'] },
  ),
  binary('INTBITOR', (left, right) => left | right, ['INTBITWISEOR']),
  binary(
    'INTBITRIGHTSHIFT',
    shift((value, by) => value >> by),
    ['INTBITWISERIGHTSHIFT'],
  ),
  binary('INTBITXOR', (left, right) => left ^ right, ['INTBITWISEXOR']),
  binary('INTDIV', (left, right) => (right === 0n ? undefined : left / right)),
  binary('INTMOD', (left, right) => (right === 0n ? undefined : left % right)),
  binary('INTMUL', (left, right) => left * right, ['INTMULTIPLY']),
  binary('INTSUB', (left, right) => left - right),
];
