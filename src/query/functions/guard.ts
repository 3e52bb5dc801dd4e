import type { Argument, ScalarFunction } from './function-entry.ts';
import { arityOf, KIND_READERS, type Parameter, type ValuesOf } from './parameter.ts';

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

function ternary([readFirst, readSecond, readThird]: readonly [Read, Read, Read], least: number, compute: ScalarFunction): ScalarFunction {
  return (first, second, third) => {
    const left = readFirst(first) as Argument;
    if (left === undefined) {
      return undefined;
    }
    const middle = readSecond(second) as Argument;
    if (middle === undefined && (second !== undefined || least > 1)) {
      return undefined;
    }
    const right = readThird(third) as Argument;
    return right === undefined && (third !== undefined || least > 2) ? undefined : compute(left, middle, right);
  };
}

function general(parameters: readonly Parameter[], least: number, compute: ScalarFunction): ScalarFunction {
  const reads: readonly Read[] = parameters.map(({ kind }) => KIND_READERS[kind]);
  const last = reads[reads.length - 1] as Read;
  return (...given) => {
    const values: Argument[] = [];
    for (let index = 0; index < given.length; index += 1) {
      const argument = given[index];
      const value = (reads[index] ?? last)(argument) as Argument;
      if (value === undefined && (argument !== undefined || index < least)) {
        return undefined;
      }
      values.push(value);
    }
    return compute(...values);
  };
}

const absent: Read = () => undefined;

/**
 * A function over any values from one over values of the right kinds: one of another kind makes it undefined, and so does undefined but for
 * an optional parameter, which counts as absent then. Up to three parameters get bodies without a loop. `givesInt64` says that `compute`
 * gives 64-bit integers, which become doubles here.
 */
export function guard<P extends readonly Parameter[]>(
  parameters: P,
  compute: (...values: ValuesOf<P>) => Argument | bigint,
  givesInt64: boolean,
): ScalarFunction {
  // Readers give what `compute` takes, kind by kind; the compiler cannot follow that through a loop.
  const typed = compute as unknown as (...values: Argument[]) => Argument;
  const body = givesInt64 ? rounded(compute as unknown as (...values: Argument[]) => bigint | undefined) : typed;
  const [first, second, third] = parameters.map(({ kind }) => KIND_READERS[kind] as Read);
  const [least, most] = arityOf(parameters);
  if (first === undefined) {
    return body;
  }
  if (least === 0 || most > 3) {
    return general(parameters, least, body);
  }
  if (least === most && most < 3) {
    return second === undefined ? unary(first, body) : binary(first, second, body);
  }
  return ternary([first, second ?? absent, third ?? absent], least, body);
}
