import type { Argument, ScalarFunction } from './function-entry.ts';
import { KIND_READERS, type Parameter, type ValuesOf } from './parameter.ts';

type Read = (value: Argument) => unknown;

function unary(read: Read, compute: ScalarFunction): ScalarFunction {
  return (given) => {
    const value = read(given) as Argument;
    return value === undefined ? undefined : compute(value);
  };
}

function binary(readFirst: Read, readSecond: Read, compute: ScalarFunction): ScalarFunction {
  return (first, second) => {
    const left = readFirst(first) as Argument;
    const right = left === undefined ? undefined : (readSecond(second) as Argument);
    return right === undefined ? undefined : compute(left, right);
  };
}

function rounded(compute: (...values: Argument[]) => bigint | undefined): ScalarFunction {
  return (...values) => {
    const result = compute(...values);
    return result === undefined ? undefined : Number(BigInt.asIntN(64, result));
  };
}

function general(parameters: readonly Parameter[], compute: ScalarFunction): ScalarFunction {
  const reads: readonly Read[] = parameters.map(({ kind }) => KIND_READERS[kind]);
  const last = reads.length - 1;
  return (...given) => {
    const values: Argument[] = [];
    for (const [index, argument] of given.entries()) {
      const value = reads[Math.min(index, last)]?.(argument) as Argument;
      if (value === undefined) {
        return undefined;
      }
      values.push(value);
    }
    return compute(...values);
  };
}

/**
 * A function over any values from one over values of the right kinds: one of another kind, undefined included, makes it undefined. The two
 * shapes that most functions have, one and two required arguments, get bodies without a loop. `givesInt64` says that `compute` gives 64-bit
 * integers, which become doubles here.
 */
export function guard<P extends readonly Parameter[]>(
  parameters: P,
  compute: (...values: ValuesOf<P>) => Argument | bigint,
  givesInt64: boolean,
): ScalarFunction {
  // Readers give what `compute` takes, kind by kind; the compiler cannot follow that through a loop.
  const typed = compute as unknown as (...values: Argument[]) => Argument;
  const body = givesInt64 ? rounded(compute as unknown as (...values: Argument[]) => bigint | undefined) : typed;
  const [first, second, third] = parameters;
  const requiredOnly = parameters.every(({ presence }) => presence === 'required');
  if (requiredOnly && first !== undefined && second === undefined) {
    return unary(KIND_READERS[first.kind], body);
  }
  if (requiredOnly && first !== undefined && second !== undefined && third === undefined) {
    return binary(KIND_READERS[first.kind], KIND_READERS[second.kind], body);
  }
  return first === undefined ? body : general(parameters, body);
}
