import { equalValues } from '../../core/json-order.ts';
import type { JsonValue } from '../../core/json.ts';
import type { BetweenNode, ExpressionNode, InNode, LikeNode } from '../syntax-nodes.ts';
import { constantOf, type CompileScope, type Evaluate } from './compile-scope.ts';
import { compileLikePattern } from './like-matcher.ts';
import { and, greaterOrEqual, lessOrEqual, not } from './operators.ts';

type Value = JsonValue | undefined;

/** From this many constants on a hash set is faster than comparing one after the other. */
const SET_THRESHOLD = 16;

function negatedIf(negated: boolean, evaluate: Evaluate): Evaluate {
  return negated ? (frame) => not(evaluate(frame)) : evaluate;
}

/** `x BETWEEN low AND high` is `x >= low AND x <= high`. */
export function compileBetween(node: BetweenNode, scope: CompileScope): Evaluate {
  const operand = scope.tools.expression(node.operand, scope);
  const low = scope.tools.expression(node.low, scope);
  const high = scope.tools.expression(node.high, scope);
  return negatedIf(node.negated, (frame) => {
    const value = operand(frame);
    return and(greaterOrEqual(value, low(frame)), lessOrEqual(value, high(frame)));
  });
}

/** Whether equality of the value is identity, so that a set can hold it. NaN equals nothing. */
function isHashable(value: Value): boolean {
  return value === null || (value !== undefined && typeof value !== 'object' && !Number.isNaN(value));
}

function splitItems(items: readonly ExpressionNode[], scope: CompileScope): { hashed: Set<Value>; others: ExpressionNode[] } {
  const hashed = new Set<Value>();
  const others: ExpressionNode[] = [];
  for (const item of items) {
    const constant = constantOf(item, scope);
    if (constant !== undefined && isHashable(constant.value)) {
      hashed.add(constant.value);
    } else {
      others.push(item);
    }
  }
  return { hashed, others };
}

/** IN: undefined for an undefined needle; else whether any item is deeply equal. An undefined item never is. */
export function compileIn(node: InNode, scope: CompileScope): Evaluate {
  const operand = scope.tools.expression(node.operand, scope);
  const { hashed, others } = node.items.length > SET_THRESHOLD ? splitItems(node.items, scope) : { hashed: undefined, others: node.items };
  const items = others.map((item) => scope.tools.expression(item, scope));
  return negatedIf(node.negated, (frame) => {
    const value = operand(frame);
    if (value === undefined) {
      return undefined;
    }
    return hashed?.has(value) === true || items.some((item) => equalValues(value, item(frame)));
  });
}

/** Compiles patterns that only the row knows; a pattern mostly repeats from row to row. */
function cachedMatcher(escape: string | undefined): (pattern: string) => (text: string) => boolean {
  let last = '';
  let matcher = compileLikePattern(last, escape);
  return (pattern) => {
    if (pattern !== last) {
      matcher = compileLikePattern(pattern, escape);
      last = pattern;
    }
    return matcher;
  };
}

/** LIKE: undefined unless both sides are strings. */
export function compileLike(node: LikeNode, scope: CompileScope): Evaluate {
  const operand = scope.tools.expression(node.operand, scope);
  const constant = constantOf(node.pattern, scope);
  if (typeof constant?.value === 'string') {
    const matches = compileLikePattern(constant.value, node.escape);
    return negatedIf(node.negated, (frame) => {
      const text = operand(frame);
      return typeof text === 'string' ? matches(text) : undefined;
    });
  }
  const pattern = scope.tools.expression(node.pattern, scope);
  const matcher = cachedMatcher(node.escape);
  return negatedIf(node.negated, (frame) => {
    const text = operand(frame);
    const value = pattern(frame);
    return typeof text === 'string' && typeof value === 'string' ? matcher(value)(text) : undefined;
  });
}
