import { compareStrings, equalValues } from '../../core/json-order.ts';
import type { JsonValue } from '../../core/json.ts';
import type { BinaryOperator } from '../syntax-nodes.ts';

/** A value of the language, undefined included. */
type Value = JsonValue | undefined;

/** A binary operator over two values. */
export type Operation = (left: Value, right: Value) => Value;

function arithmetic(compute: (left: number, right: number) => number): Operation {
  return (left, right) => (typeof left === 'number' && typeof right === 'number' ? compute(left, right) : undefined);
}

/** Order of two primitives of one type other than numbers; undefined for all others, arrays and objects included. */
function primitiveOrder(left: Value, right: Value): number | undefined {
  if (typeof left === 'string') {
    return typeof right === 'string' ? compareStrings(left, right) : undefined;
  }
  if (typeof left === 'boolean') {
    return typeof right === 'boolean' ? Number(left) - Number(right) : undefined;
  }
  return left === null && right === null ? 0 : undefined;
}

/** `ofNumbers` is the same comparison of two numbers, which most values are that are compared. */
function ordered(holds: (order: number) => boolean, ofNumbers: (left: number, right: number) => boolean): Operation {
  return (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') {
      return ofNumbers(left, right);
    }
    const order = primitiveOrder(left, right);
    return order === undefined ? undefined : holds(order);
  };
}

/** `<=`, also for BETWEEN. */
export const lessOrEqual: Operation = ordered(
  (order) => order <= 0,
  (left, right) => left <= right,
);
/** `>=`, also for BETWEEN. */
export const greaterOrEqual: Operation = ordered(
  (order) => order >= 0,
  (left, right) => left >= right,
);

/** Every binary operator but AND and OR, which need not evaluate both sides. */
export const operations: Readonly<Record<Exclude<BinaryOperator, 'AND' | 'OR'>, Operation>> = {
  '+': arithmetic((left, right) => left + right),
  '-': arithmetic((left, right) => left - right),
  '*': arithmetic((left, right) => left * right),
  '/': arithmetic((left, right) => left / right),
  '%': arithmetic((left, right) => left % right),
  '&': arithmetic((left, right) => left & right),
  '|': arithmetic((left, right) => left | right),
  '^': arithmetic((left, right) => left ^ right),
  '<<': arithmetic((left, right) => left << right),
  '>>': arithmetic((left, right) => left >> right),
  '>>>': arithmetic((left, right) => left >>> right),
  '||': (left, right) => (typeof left === 'string' && typeof right === 'string' ? left + right : undefined),
  '=': (left, right) => (left === undefined || right === undefined ? undefined : equalValues(left, right)),
  '!=': (left, right) => (left === undefined || right === undefined ? undefined : !equalValues(left, right)),
  '<': ordered(
    (order) => order < 0,
    (left, right) => left < right,
  ),
  '<=': lessOrEqual,
  '>': ordered(
    (order) => order > 0,
    (left, right) => left > right,
  ),
  '>=': greaterOrEqual,
};

/** NOT: undefined for whatever is no boolean. */
export function not(value: Value): boolean | undefined {
  return typeof value === 'boolean' ? !value : undefined;
}

/** AND of two values that are both there: false decides, anything but booleans is undefined. */
export function and(left: Value, right: Value): boolean | undefined {
  if (left === false || right === false) {
    return false;
  }
  return left === true && right === true ? true : undefined;
}
