import type { NumberedError } from './sandbox-types.ts';

/**
 * Gives the sandbox what the service's engine has beside ECMAScript: errors with numbers and the list of their names, and a `Math.random`
 * that starts from the seed given.
 *
 * `new Error(404, 'text')` makes an error whose `number` is 404, and the request that ends with it has the number for a sub-status.
 */
export function installGlobals(seed: readonly number[]): void {
  const NativeError = Error;
  const { construct, setPrototypeOf } = Reflect;
  const NumberedErrors = function (this: unknown, ...values: unknown[]): NumberedError {
    const hasNumber = typeof values[0] === 'number' && values.length > 1;
    const error = construct(NativeError, hasNumber ? values.slice(1) : values, new.target ?? NumberedErrors) as NumberedError;
    if (hasNumber) {
      Object.defineProperty(error, 'number', { value: values[0], configurable: true, enumerable: false, writable: true });
    }
    return error;
  };
  Object.defineProperty(NumberedErrors, 'name', { value: 'Error' });
  Object.defineProperty(NumberedErrors, 'prototype', { value: NativeError.prototype, writable: false });
  Object.defineProperty(NativeError.prototype, 'constructor', { value: NumberedErrors });
  for (const Kind of [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    setPrototypeOf(Kind, NumberedErrors);
  }
  const codes = {
    BadRequest: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    RequestEntityTooLarge: 413,
    RetryWith: 449,
    InternalServerError: 500,
  };
  Object.defineProperty(globalThis, 'Error', { value: NumberedErrors });
  Object.defineProperty(globalThis, 'ErrorCodes', { value: Object.freeze(codes), enumerable: true });

  // sfc32, which passes the usual tests of chance and has a state of four words.
  let [a = 0, b = 0, c = 0, d = 0] = seed;
  const random = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  };
  Object.defineProperty(Math, 'random', { value: random });
}
