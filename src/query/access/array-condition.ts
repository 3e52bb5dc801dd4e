import { hasLoneSurrogate, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { constantOf } from '../compile/common/constant-folder.ts';
import { conjunctsOf, isDocumentSource, readerOf } from '../compile/common/query-shape.ts';
import { takesExactIntegers } from '../evaluator/exact-integers.ts';
import { lookupFunction } from '../functions/function-table.ts';
import { leftSpine } from '../left-spine.ts';
import { rowsMayFail } from '../may-fail.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from '../prepared-query.ts';
import type { BinaryNode, CallNode, ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';
import { documentPath, type ConditionScope } from './condition-reader.ts';

/** What WHERE and JOIN say of the elements of arrays: it holds for each document that gives a row, and for others. */
export type ArrayCondition =
  /**
   * The array at a path has elements that contain each of the needles, or at least one: a primitive contains itself, and an object contains another one
   * whose members are among its own. `isExact`: it is a call such as ARRAY_CONTAINS of primitives, and says no more and no less.
   */
  | {
      readonly kind: 'elements';
      readonly path: readonly string[];
      readonly every: boolean;
      readonly needles: readonly JsonValue[];
      readonly isExact: boolean;
    }
  | { readonly kind: 'group'; readonly every: boolean; readonly conditions: readonly ArrayCondition[] };

/** More than these in one condition are left to others: all of them would stand in one statement. */
const MAX_PARTS = 64;
/** Subqueries in FROM, or parentheses, beyond which nobody writes them. */
const MAX_DEPTH = 8;

interface Reader extends ConditionScope {
  /** Whether there is an index over the elements of the array at a path. */
  readonly isIndexed: (path: readonly string[]) => boolean;
}

/** Functions of an array and values: whether all of these have to be among its elements. */
const CALLS: ReadonlyMap<string, boolean> = new Map([
  ['ARRAY_CONTAINS', true],
  ['ARRAY_CONTAINS_ALL', true],
  ['ARRAY_CONTAINS_ANY', false],
]);

/** A value of which every engine can tell whether a document holds it. */
function isPlain(value: JsonValue | undefined): boolean {
  switch (typeof value) {
    case 'string':
      return !value.includes('\u0000') && !hasLoneSurrogate(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return value === null || typeof value === 'boolean';
  }
}

/** What an element that is equal to a value contains; undefined where that says nothing. */
function needleOf(value: JsonValue | undefined): JsonValue | undefined {
  if (value === undefined || isPlain(value)) {
    return value;
  }
  if (!isJsonObject(value)) {
    return undefined;
  }
  const members = Object.entries(value).filter(([name, member]) => isPlain(name) && isPlain(member));
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function elements(
  path: readonly string[] | undefined,
  every: boolean,
  needles: readonly (JsonValue | undefined)[],
  isCall: boolean,
  reader: Reader,
): ArrayCondition | undefined {
  const told = needles.filter((needle) => needle !== undefined);
  const isTold = every ? told.length > 0 : told.length > 0 && told.length === needles.length;
  return path === undefined || !isTold || told.length > MAX_PARTS || !reader.isIndexed(path)
    ? undefined
    : { kind: 'elements', path, every, needles: told, isExact: isCall && told.length === needles.length && told.every(isPlain) };
}

function readCall(node: CallNode, reader: Reader): ArrayCondition | undefined {
  const name = node.udf ? undefined : lookupFunction(node.name.toUpperCase())?.name;
  const every = name === undefined ? undefined : CALLS.get(name);
  const [array, ...others] = node.arguments;
  if (every === undefined || array === undefined || takesExactIntegers(node)) {
    return undefined;
  }
  // The third argument of ARRAY_CONTAINS says that an object may have more members than are looked for, which is what a needle means.
  const values = (name === 'ARRAY_CONTAINS' ? others.slice(0, 1) : others).map((argument) => constantOf(argument, reader));
  return elements(
    documentPath(array, reader),
    every,
    values.map((constant) => needleOf(constant?.value)),
    true,
    reader,
  );
}

/** The names that lead from an element to what an expression reads of it; undefined for any other expression. */
function elementPath(node: ExpressionNode, slot: number, { prepared }: Reader): readonly string[] | undefined {
  const path = pathOf(node);
  const binding = path === undefined ? undefined : prepared.identifiers.get(path.root);
  const steps = path?.steps.filter((step) => typeof step === 'string');
  return path !== undefined && binding?.kind === 'variable' && binding.slot === slot && steps?.length === path.steps.length
    ? steps
    : undefined;
}

function nested(path: readonly string[], value: JsonValue): JsonValue {
  return path.reduceRight<JsonValue>((inner, name): JsonObject => Object.fromEntries([[name, inner]]), value);
}

/** What an element contains for which a condition is true: one of some needles; undefined where that is not known. */
function elementNeedles(node: ExpressionNode, slot: number, reader: Reader, depth: number): readonly JsonValue[] | undefined {
  if (depth > MAX_DEPTH) {
    return undefined;
  }
  if (node.kind === 'in') {
    return node.negated ? undefined : oneOf(elementPath(node.operand, slot, reader), node.items, reader);
  }
  if (node.kind !== 'binary') {
    return undefined;
  }
  if (node.operator === '=') {
    const left = elementPath(node.left, slot, reader);
    return oneOf(left ?? elementPath(node.right, slot, reader), [left === undefined ? node.left : node.right], reader);
  }
  const operands = chained(node);
  const all = operands?.map((operand) => elementNeedles(operand, slot, reader, depth + 1));
  if (node.operator === 'AND') {
    return all?.find((needles) => needles !== undefined);
  }
  return all?.every((needles) => needles !== undefined) === true ? all.flat() : undefined;
}

/** The operands of a chain of AND, or of OR; undefined for other operators, and for chains that are long or mixed. */
function chained(node: BinaryNode): readonly ExpressionNode[] | undefined {
  const { first, steps } = leftSpine(node);
  const isChain = node.operator === 'AND' || node.operator === 'OR';
  return isChain && steps.length < MAX_PARTS && steps.every((step) => step.operator === node.operator)
    ? [first, ...steps.map(({ operand }) => operand)]
    : undefined;
}

function oneOf(path: readonly string[] | undefined, others: readonly ExpressionNode[], reader: Reader): readonly JsonValue[] | undefined {
  if (path?.every(isPlain) !== true || others.length > MAX_PARTS) {
    return undefined;
  }
  const values = others.map((other) => constantOf(other, reader)?.value);
  return values.every((value) => value !== undefined && isPlain(value))
    ? values.map((value) => nested(path, value as JsonValue))
    : undefined;
}

/** The path of the array whose elements a source gives. */
function arrayPath({ input, iterate }: BoundSource, { slot, computedProperties }: Reader): readonly string[] | undefined {
  if (!iterate || input.kind === 'subquery' || (input.kind === 'variable' && input.slot !== slot)) {
    return undefined;
  }
  const names = input.path.filter((step) => typeof step === 'string');
  const [first] = names;
  return first === undefined || names.length < input.path.length || computedProperties.has(first) ? undefined : names;
}

/** What has to hold for a query to give a row, of the arrays over whose elements it goes. */
function readSources({ sources, where }: BoundQuery, reader: Reader, depth: number): readonly ArrayCondition[] {
  const conjuncts = conjunctsOf(where);
  return sources.flatMap((source): readonly ArrayCondition[] => {
    const { input, slot } = source;
    if (input.kind === 'subquery') {
      return isPlainRows(input.query) && depth < MAX_DEPTH ? readSources(input.query, reader, depth + 1) : [];
    }
    const path = arrayPath(source, reader);
    return path === undefined || !reader.isIndexed(path)
      ? []
      : conjuncts.flatMap((node) => {
          const needles = elementNeedles(node, slot, reader, 0);
          return (needles && elements(path, false, needles, false, reader)) ?? [];
        });
  });
}

/** Whether a query gives a row only where one of its sources passes. */
function isPlainRows({ isAggregate, groupBy }: BoundQuery): boolean {
  return !isAggregate && groupBy === undefined;
}

function read(node: ExpressionNode, reader: Reader): ArrayCondition | undefined {
  if (node.kind === 'call') {
    return readCall(node, reader);
  }
  if (node.kind === 'subquery') {
    const query = node.form === 'exists' ? reader.prepared.queries.get(node.query) : undefined;
    const conditions = query === undefined || !isPlainRows(query) ? [] : readSources(query, reader, 0);
    return conditions.length === 0 ? undefined : { kind: 'group', every: true, conditions };
  }
  const all = node.kind === 'binary' ? chained(node)?.map((operand) => read(operand, reader)) : undefined;
  if (all === undefined) {
    return undefined;
  }
  const conditions = all.filter((condition) => condition !== undefined);
  const every = node.kind === 'binary' && node.operator === 'AND';
  const isTold = every ? conditions.length > 0 : conditions.length === all.length;
  return isTold ? { kind: 'group', every, conditions } : undefined;
}

/**
 * What a query says of arrays whose elements have an index, to be joined by AND; none where it says nothing, or where no document may be left out because
 * rows of some may fail.
 */
export function readArrayConditions(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  { computedProperties, isIndexed }: Pick<Reader, 'computedProperties' | 'isIndexed'>,
): readonly ArrayCondition[] {
  const query = readerOf(prepared.root);
  const [source] = query.sources;
  if (source?.input.kind !== 'container' || rowsMayFail(query.node)) {
    return [];
  }
  const reader: Reader = {
    prepared,
    parameters: new Map(parameters.map(({ name, value }): [string, JsonValue] => [name, value])),
    // Of `FROM t IN c.tags` no variable is the document.
    slot: isDocumentSource(source) ? source.slot : -1,
    computedProperties,
    isIndexed,
  };
  const ofWhere = conjunctsOf(query.where).map((node) => read(node, reader));
  return [...ofWhere.filter((condition) => condition !== undefined), ...readSources(query, reader, 0)].slice(0, MAX_PARTS);
}
