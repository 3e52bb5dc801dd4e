import { hasLoneSurrogate, type JsonValue } from '../../core/json.ts';
import { constantOf } from '../compile/common/constant-folder.ts';
import { readPattern } from '../compile/common/like-pattern.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import type { BinaryNode, CallNode, ExpressionNode, LikeNode } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';
import type { IndexRange, IndexValue } from './access-path.ts';
import { bothConstraints, prefixRange, type PathConstraint } from './path-constraint.ts';
import { MIRRORED } from '../mirrored-comparison.ts';

/** A condition that says something of one path. */
export interface ReadCondition {
  readonly path: readonly string[];
  readonly constraint: PathConstraint;
  /** Whether it holds for exactly the values of the constraint, or for some of them only. */
  readonly exact: boolean;
}

/** What a reader of conditions knows of the query. */
export interface ConditionScope {
  readonly prepared: PreparedQuery;
  readonly parameters: ReadonlyMap<string, JsonValue>;
  /** The slot of the documents' variable. */
  readonly slot: number;
  readonly computedProperties: ReadonlySet<string>;
}

/** Up to so many values of a list are looked up one by one. */
export const MAX_VALUES = 20_000;
/** OR in parentheses inside OR, beyond which nobody writes it. */
const MAX_DEPTH = 8;

/** The path of names from the document that an expression is; undefined for any other, and for computed properties. */
export function documentPath(node: ExpressionNode, { prepared, slot, computedProperties }: ConditionScope): readonly string[] | undefined {
  const path = pathOf(node);
  const binding = path === undefined ? undefined : prepared.identifiers.get(path.root);
  if (path === undefined || binding?.kind !== 'variable' || binding.slot !== slot) {
    return undefined;
  }
  const steps = path.steps.filter((step) => typeof step === 'string');
  const [first] = steps;
  return first === undefined || steps.length < path.steps.length || computedProperties.has(first) ? undefined : steps;
}

function isIndexValue(value: JsonValue | undefined): value is IndexValue {
  return value === null || (typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'object');
}

type Ordering = '<' | '<=' | '>' | '>=';

function ofValues(path: readonly string[], values: readonly IndexValue[]): ReadCondition {
  return { path, constraint: { kind: 'values', values: [...new Set(values)] }, exact: true };
}

function ofRange(path: readonly string[], range: IndexRange, exact: boolean = true): ReadCondition {
  return { path, constraint: { kind: 'range', range }, exact };
}

/** `path comparison value`; comparisons hold within a type only. */
function ordered(path: readonly string[], operator: Ordering, value: JsonValue | undefined): ReadCondition | undefined {
  const inclusive = operator.endsWith('=');
  switch (typeof value) {
    case 'number':
    case 'string': {
      if (!isIndexValue(value)) {
        return undefined;
      }
      const end = { value, inclusive };
      const type = typeof value === 'number' ? 'number' : 'string';
      return ofRange(path, operator.startsWith('<') ? { type, from: undefined, to: end } : { type, from: end, to: undefined });
    }
    case 'boolean': {
      const sign = operator.startsWith('<') ? -1 : 1;
      return ofValues(
        path,
        [false, true].filter((one) => (one === value ? inclusive : Math.sign(Number(one) - Number(value)) === sign)),
      );
    }
    case 'undefined':
      return ofValues(path, []);
    default:
      return value === null ? ofValues(path, inclusive ? [null] : []) : undefined;
  }
}

function readComparison(node: BinaryNode, scope: ConditionScope): ReadCondition | undefined {
  const { operator, left, right } = node;
  const leftPath = documentPath(left, scope);
  const path = leftPath ?? documentPath(right, scope);
  const constant = path === undefined ? undefined : constantOf(leftPath === undefined ? left : right, scope);
  if (path === undefined || constant === undefined) {
    return undefined;
  }
  if (operator === '=') {
    return isIndexValue(constant.value) ? ofValues(path, constant.value === undefined ? [] : [constant.value]) : undefined;
  }
  if (operator === '<' || operator === '<=' || operator === '>' || operator === '>=') {
    return ordered(path, leftPath === undefined ? MIRRORED[operator] : operator, constant.value);
  }
  return undefined;
}

/** The values of a list; undefined where one is not known before the row, or is an array or object. */
function valuesOf(values: readonly (JsonValue | undefined)[]): readonly IndexValue[] | undefined {
  const found: IndexValue[] = [];
  for (const value of values) {
    if (!isIndexValue(value)) {
      return undefined;
    }
    if (value !== undefined) {
      found.push(value);
    }
  }
  return found.length <= MAX_VALUES ? found : undefined;
}

function readIn(operand: ExpressionNode, items: readonly ExpressionNode[], scope: ConditionScope): ReadCondition | undefined {
  const path = documentPath(operand, scope);
  if (path === undefined || items.length > MAX_VALUES) {
    return undefined;
  }
  const values: (JsonValue | undefined)[] = [];
  for (const item of items) {
    const constant = constantOf(item, scope);
    if (constant === undefined) {
      return undefined;
    }
    values.push(constant.value);
  }
  const list = valuesOf(values);
  return list === undefined ? undefined : ofValues(path, list);
}

/** `a = 1 OR a = 2 OR a IN (3, 4)`: one list, where all sides are about one path. */
function readOr(node: BinaryNode, scope: ConditionScope, depth: number): ReadCondition | undefined {
  const sides: ExpressionNode[] = [];
  let rest: ExpressionNode = node;
  while (rest.kind === 'binary' && rest.operator === 'OR') {
    sides.push(rest.right);
    rest = rest.left;
  }
  sides.push(rest);
  if (sides.length > MAX_VALUES || depth > MAX_DEPTH) {
    return undefined;
  }
  const values: IndexValue[] = [];
  let path: readonly string[] | undefined;
  let exact = true;
  for (const side of sides.toReversed()) {
    const read = readCondition(side, scope, depth + 1);
    if (read?.constraint.kind !== 'values' || (path !== undefined && JSON.stringify(path) !== JSON.stringify(read.path))) {
      return undefined;
    }
    path = read.path;
    exact &&= read.exact;
    values.push(...read.constraint.values);
  }
  return path === undefined || values.length > MAX_VALUES ? undefined : { ...ofValues(path, values), exact };
}

/** The characters of a pattern before the first that stands for others. */
function literalStart(pattern: string, escape: string | undefined): string {
  const end = Array.from(pattern).findIndex((character) => '%_['.includes(character) || character === escape);
  return end === -1 ? pattern : Array.from(pattern).slice(0, end).join('');
}

function readLike(node: LikeNode, scope: ConditionScope): ReadCondition | undefined {
  const path = node.negated ? undefined : documentPath(node.operand, scope);
  const pattern = path === undefined ? undefined : constantOf(node.pattern, scope);
  if (path === undefined || typeof pattern?.value !== 'string' || hasLoneSurrogate(pattern.value)) {
    return undefined;
  }
  const read = readPattern(pattern.value, node.escape);
  if (read?.kind === 'text') {
    return ofValues(path, [read.text]);
  }
  const start = read?.kind === 'prefix' ? read.text : literalStart(pattern.value, node.escape);
  return start === '' ? undefined : ofRange(path, prefixRange(start), read?.kind === 'prefix');
}

const TYPE_TESTS: Readonly<Record<string, PathConstraint>> = {
  IS_NULL: { kind: 'values', values: [null] },
  IS_BOOL: { kind: 'values', values: [false, true] },
  IS_NUMBER: { kind: 'range', range: { type: 'number', from: undefined, to: undefined } },
  IS_STRING: { kind: 'range', range: { type: 'string', from: undefined, to: undefined } },
};

function readCall({ udf, name, arguments: given }: CallNode, scope: ConditionScope): ReadCondition | undefined {
  const upper = udf ? '' : name.toUpperCase();
  const [first, second, third] = given;
  if (first === undefined || (third !== undefined && constantOf(third, scope)?.value !== false)) {
    return undefined;
  }
  const test = Object.hasOwn(TYPE_TESTS, upper) ? TYPE_TESTS[upper] : undefined;
  const path = documentPath(upper === 'ARRAY_CONTAINS' && second !== undefined ? second : first, scope);
  if (path === undefined || test !== undefined) {
    return path === undefined || test === undefined ? undefined : { path, constraint: test, exact: true };
  }
  const constant = second === undefined ? undefined : constantOf(upper === 'ARRAY_CONTAINS' ? first : second, scope);
  const value = constant?.value;
  switch (upper) {
    case 'STARTSWITH':
      return typeof value === 'string' && value !== '' && !hasLoneSurrogate(value) ? ofRange(path, prefixRange(value)) : undefined;
    case 'STRINGEQUALS':
      return typeof value === 'string' ? ofValues(path, [value]) : undefined;
    case 'ARRAY_CONTAINS': {
      const list = Array.isArray(value) ? valuesOf(value as readonly JsonValue[]) : undefined;
      return list === undefined ? undefined : ofValues(path, list);
    }
    default:
      return undefined;
  }
}

function readNot(operand: ExpressionNode, scope: ConditionScope): ReadCondition | undefined {
  if (operand.kind === 'call' && !operand.udf && operand.name.toUpperCase() === 'IS_DEFINED') {
    const path = operand.arguments[0] === undefined ? undefined : documentPath(operand.arguments[0], scope);
    return path === undefined ? undefined : ofValues(path, [undefined]);
  }
  const path = documentPath(operand, scope);
  return path === undefined ? undefined : ofValues(path, [false]);
}

/**
 * Reads a condition as one about the value at a path of the document; undefined where it is about more, or about nothing that an index tells.
 *
 * Every document for which the condition is true has a value of the constraint there.
 */
export function readCondition(node: ExpressionNode, scope: ConditionScope, depth: number = 0): ReadCondition | undefined {
  switch (node.kind) {
    case 'binary':
      return node.operator === 'OR' ? readOr(node, scope, depth) : readComparison(node, scope);
    case 'in':
      return node.negated ? undefined : readIn(node.operand, node.items, scope);
    case 'between': {
      const path = node.negated ? undefined : documentPath(node.operand, scope);
      const low = path === undefined ? undefined : constantOf(node.low, scope);
      const high = path === undefined ? undefined : constantOf(node.high, scope);
      if (path === undefined || low === undefined || high === undefined) {
        return undefined;
      }
      const ends = [ordered(path, '>=', low.value), ordered(path, '<=', high.value)] as const;
      return ends[0] === undefined || ends[1] === undefined
        ? undefined
        : { path, constraint: bothConstraints(ends[0].constraint, ends[1].constraint), exact: true };
    }
    case 'like':
      return readLike(node, scope);
    case 'call':
      return readCall(node, scope);
    case 'unary':
      return node.operator === 'NOT' ? readNot(node.operand, scope) : undefined;
    case 'member':
    case 'index': {
      const path = documentPath(node, scope);
      return path === undefined ? undefined : ofValues(path, [true]);
    }
    default:
      return undefined;
  }
}
