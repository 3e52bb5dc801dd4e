import { isPerigeeError, PerigeeError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { UserDefinedFunction, UserDefinedFunctions } from '../store/user-functions.ts';
import type { ScalarFunction } from './functions/function-entry.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;
/** As deep as a document may be, and far from the end of the stack. */
const MAX_DEPTH = 128;

/** Why a value is no JSON; `undefined` where it is. */
function flawOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'string':
      return undefined;
    case 'object':
      break;
    default:
      return `a ${typeof value}`;
  }
  if (value === null) {
    return undefined;
  }
  if (depth > MAX_DEPTH) {
    return `a value of more than ${MAX_DEPTH} levels`;
  }
  if (Array.isArray(value)) {
    return firstFlaw(value, depth);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    return value instanceof Promise ? 'a promise' : 'an object of a class';
  }
  return firstFlaw(
    Object.values(value).filter((member) => member !== undefined),
    depth,
  );
}

function firstFlaw(values: readonly unknown[], depth: number): string | undefined {
  for (const value of values) {
    const flaw = flawOf(value, depth + 1);
    if (flaw !== undefined) {
      return flaw;
    }
  }
  return undefined;
}

function failed(name: string, reason: string, cause?: unknown): PerigeeError {
  return new PerigeeError('QUERY_FAILED', `Cannot run the query: the user-defined function '${name}' ${reason}.`, {
    cause,
    details: { udf: name },
  });
}

function guarded(name: string, call: UserDefinedFunction): ScalarFunction {
  return (...values) => {
    let result: JsonValue | undefined;
    try {
      result = call(...values);
    } catch (error) {
      if (isPerigeeError(error)) {
        throw error;
      }
      throw failed(name, 'threw an error; its cause is attached', error);
    }
    const flaw = result === undefined ? undefined : flawOf(result, 0);
    if (flaw !== undefined) {
      throw failed(name, `returned ${flaw}, which is no JSON value`);
    }
    return result;
  };
}

/** Checks the functions a caller supplies, and guards each: whatever goes wrong in it becomes an error of the query. @throws INVALID_OPTION */
export function prepareUserFunctions(given: UserDefinedFunctions | undefined): ReadonlyMap<string, ScalarFunction> {
  return new Map(
    Object.entries(given ?? {}).map(([name, call]) => {
      if (!NAME.test(name)) {
        throw new PerigeeError(
          'INVALID_OPTION',
          `A user-defined function cannot have the name ${JSON.stringify(name)}: use letters, digits and _, as in udf.name().`,
        );
      }
      if (typeof call !== 'function') {
        throw new PerigeeError('INVALID_OPTION', `The user-defined function '${name}' is no function.`);
      }
      return [name, guarded(name, call)] as const;
    }),
  );
}

/** The functions of one query: those it brings along, and, for other names, those of its backend. @throws INVALID_OPTION */
export function functionsOfQuery(
  backend: ReadonlyMap<string, ScalarFunction>,
  given: UserDefinedFunctions | undefined,
): ReadonlyMap<string, ScalarFunction> {
  return given === undefined ? backend : new Map([...backend, ...prepareUserFunctions(given)]);
}
