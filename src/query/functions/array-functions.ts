import { equalValues } from '../../core/json-order.ts';
import { getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import { averageAccumulator, extremeAccumulator, sumAccumulator } from './aggregate-functions.ts';
import { scalar, type Accumulator, type Argument, type FunctionEntry, type ScalarFunction } from './function-entry.ts';

function isArray(value: Argument): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function folded(create: () => Accumulator): ScalarFunction {
  return (array) => {
    if (!isArray(array)) {
      return undefined;
    }
    const accumulator = create();
    for (const item of array) {
      accumulator.add(item);
    }
    return accumulator.result();
  };
}

function concatenate(...arrays: Argument[]): Argument {
  return arrays.every(isArray) ? arrays.flat(1) : undefined;
}

function holds(array: readonly JsonValue[], needle: JsonValue): boolean {
  return array.some((item) => equalValues(item, needle));
}

/** Whether every property of `part` is in `whole` with an equal value; values below the first level are compared whole. */
function includesMembers(whole: JsonValue, part: JsonObject): boolean {
  return isJsonObject(whole) && Object.keys(part).every((key) => Object.hasOwn(whole, key) && equalValues(whole[key], part[key]));
}

function arrayContains(array: Argument, needle: Argument, partial: Argument = false): Argument {
  if (!isArray(array) || needle === undefined || typeof partial !== 'boolean') {
    return undefined;
  }
  return partial && isJsonObject(needle) ? array.some((item) => includesMembers(item, needle)) : holds(array, needle);
}

/**
 * Three-valued AND (`decisive` false) or OR (`decisive` true) over "the array holds this needle".
 *
 * One needle decides whatever the others are; else an undefined one leaves the answer undefined.
 */
function containsMany(decisive: boolean): ScalarFunction {
  return (array, ...needles) => {
    if (!isArray(array)) {
      return undefined;
    }
    if (needles.some((needle) => needle !== undefined && holds(array, needle) === decisive)) {
      return decisive;
    }
    return needles.includes(undefined) ? undefined : !decisive;
  };
}

function median(array: Argument): Argument {
  if (!isArray(array) || array.length === 0 || !array.every((item) => typeof item === 'number')) {
    return undefined;
  }
  const sorted = array.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

function slice(array: Argument, start: Argument, count: Argument = Number.MAX_SAFE_INTEGER): Argument {
  if (!isArray(array) || !Number.isInteger(start) || !Number.isInteger(count)) {
    return undefined;
  }
  const from = (start as number) < 0 ? Math.max(array.length + (start as number), 0) : (start as number);
  return array.slice(from, from + Math.max(count as number, 0));
}

function choose(index: Argument, ...choices: Argument[]): Argument {
  return Number.isInteger(index) ? choices[(index as number) - 1] : undefined;
}

function objectToArray(object: Argument, keyName: Argument = 'k', valueName: Argument = 'v'): Argument {
  if (!isJsonObject(object) || typeof keyName !== 'string' || typeof valueName !== 'string') {
    return undefined;
  }
  return Object.keys(object).map((key) => {
    const pair = {};
    setOwn(pair, keyName, key);
    setOwn(pair, valueName, getOwn(object, key));
    return pair as JsonObject;
  });
}

const MANY = Number.POSITIVE_INFINITY;

/** The functions over arrays, CHOOSE and OBJECTTOARRAY among them. */
export const arrayFunctions: readonly FunctionEntry[] = [
  scalar('array', 'ARRAY_AVG', [1, 1], folded(averageAccumulator)),
  scalar('array', 'ARRAY_CONCAT', [2, MANY], concatenate),
  scalar('array', 'ARRAY_CONTAINS', [2, 3], arrayContains, { indexUse: 'precise' }),
  scalar('array', 'ARRAY_CONTAINS_ALL', [2, MANY], containsMany(false), { undefinedArguments: 'pass' }),
  scalar('array', 'ARRAY_CONTAINS_ANY', [2, MANY], containsMany(true), { undefinedArguments: 'pass' }),
  scalar('array', 'ARRAY_LENGTH', [1, 1], (array) => (isArray(array) ? array.length : undefined)),
  scalar(
    'array',
    'ARRAY_MAX',
    [1, 1],
    folded(() => extremeAccumulator(1)),
  ),
  scalar('array', 'ARRAY_MEDIAN', [1, 1], median),
  scalar(
    'array',
    'ARRAY_MIN',
    [1, 1],
    folded(() => extremeAccumulator(-1)),
  ),
  scalar('array', 'ARRAY_SLICE', [2, 3], slice),
  scalar('array', 'ARRAY_SUM', [1, 1], folded(sumAccumulator)),
  scalar('array', 'CHOOSE', [2, MANY], choose, { undefinedArguments: 'pass' }),
  scalar('array', 'OBJECTTOARRAY', [1, 3], objectToArray, { aliases: ['OBJECT_TO_ARRAY'] }),
];
