import type { JsonValue } from '../../../core/json.ts';
import { isJsonObject } from '../../../core/json.ts';
import { takesExactIntegers } from '../../evaluator/exact-integers.ts';
import { lookupFunction } from '../../functions/function-table.ts';
import { lookupPattern } from '../../functions/regex/pattern-cache.ts';
import { PatternFault } from '../../functions/regex/pattern-fault.ts';
import type { CallNode } from '../../syntax-nodes.ts';
import { boundedLoop, insideLoop, leave, type CompileContext } from './compile-context.ts';
import { allOf, anyOf, NONE, opposite, over, UNKNOWN, type Condition } from './condition.ts';
import type { Dialect, ElementLoop, TextTest } from './dialect.ts';
import { sql, type Sql } from './sql-fragment.ts';
import { isDefined, TYPES, type SqlValue } from './sql-value.ts';

/** Compiles a call whose arguments are values; `wanted` as in {@link CompileContext.condition}. `reads`: how often its needles read the document. */
type Compile = (values: readonly SqlValue[], wanted: boolean, context: CompileContext, reads: number) => Condition;

/** A type check, which has an answer for undefined. */
function typeCheck(types: number): Compile {
  return ([value], wanted) => (value === undefined ? UNKNOWN : over(value.is(wanted ? types : TYPES.any & ~types), value));
}

/** A check of numbers that all other values fail. */
function numberCheck(holds: (value: SqlValue, dialect: Dialect) => Condition): Compile {
  return ([value], wanted, { dialect }) => {
    if (value === undefined) {
      return UNKNOWN;
    }
    const condition = (value.types & TYPES.number) === 0 ? NONE : holds(value, dialect);
    return wanted ? condition : opposite(condition);
  };
}

/** A test of two texts with an optional flag that ignores case. */
function textTest(kind: TextTest): Compile {
  return ([value, other, flag], wanted, { dialect }) => {
    const ignoreCase = flag === undefined ? false : flag.constant === undefined ? undefined : flag.constant.value;
    if (value === undefined || other === undefined || ignoreCase === undefined) {
      return flag?.constant === undefined ? UNKNOWN : NONE;
    }
    if (typeof ignoreCase !== 'boolean' || (value.types & other.types & TYPES.string) === 0) {
      return NONE;
    }
    return ignoreCase ? dialect.text(kind, dialect.folded(value), dialect.folded(other), wanted) : dialect.text(kind, value, other, wanted);
  };
}

/** Three-valued AND or OR of a test over the first value and each of the others. */
function forEachOf(every: boolean, single: Compile): Compile {
  return ([value, ...others], wanted, context, reads) => {
    const conditions = others.map((other) => single([value as SqlValue, other], wanted, context, reads));
    return every === wanted ? allOf(conditions) : anyOf(conditions);
  };
}

function containsFolded(values: readonly SqlValue[], wanted: boolean, { dialect }: CompileContext): Condition {
  const [value, other] = values as [SqlValue, SqlValue];
  const bothTexts = (value.types & other.types & TYPES.string) !== 0;
  return bothTexts ? dialect.text('infix', dialect.folded(value), dialect.folded(other), wanted) : NONE;
}

/** Where an object has members equal to those given. */
function includesMembers(element: SqlValue, json: Sql, members: JsonValue, { dialect }: CompileContext): Condition {
  const conditions: Condition[] = [{ sql: element.is(TYPES.object), exact: true }];
  for (const [name, member] of Object.entries(isJsonObject(members) ? members : {})) {
    const actual = dialect.at(json, [name]);
    const expected = dialect.constant(member);
    conditions.push(actual === undefined || expected === undefined ? UNKNOWN : dialect.equals(actual, expected, true));
  }
  return allOf(conditions);
}

function elementMatches({ value: element, json }: ElementLoop, needle: SqlValue, partial: boolean, context: CompileContext): Condition {
  if (!partial || (needle.types & TYPES.object) === 0) {
    return context.dialect.equals(element, needle, true);
  }
  const members = needle.constant?.value;
  return members === undefined ? UNKNOWN : includesMembers(element, json, members, context);
}

/** Whether an array in the document holds a value, by a loop over its elements. */
function arrayHolds(
  array: SqlValue,
  needle: SqlValue,
  partial: boolean,
  wanted: boolean,
  context: CompileContext,
  reads: number,
): Condition {
  if (array.unsure.length > 0) {
    return UNKNOWN;
  }
  const isArray = over(array.is(TYPES.array), array);
  const isThere = over(isDefined(needle), needle);
  const isPartial = partial && (needle.types & TYPES.object) !== 0;
  const direct = isPartial ? undefined : context.dialect.holds(array, needle);
  if (direct !== undefined) {
    return allOf([isArray, isThere, wanted ? direct : opposite(direct)]);
  }
  context.aliases += 1;
  const loop = context.dialect.elementsOf(array, context.aliases);
  if (loop === undefined) {
    return UNKNOWN;
  }
  const matches = elementMatches(loop, needle, isPartial, context);
  const exists = sql`EXISTS (SELECT 1 FROM ${loop.table} WHERE ${matches.sql})`;
  const found = boundedLoop(context, { sql: exists, exact: matches.exact }, reads);
  return allOf([isArray, isThere, wanted ? found : opposite(found)]);
}

function isConstantArray(value: SqlValue): value is SqlValue & { readonly constant: { readonly value: readonly JsonValue[] } } {
  return Array.isArray(value.constant?.value);
}

const arrayContains: Compile = ([array, needle, flag], wanted, context, reads) => {
  const partial = flag === undefined ? false : flag.constant?.value;
  if (array === undefined || needle === undefined || (flag !== undefined && flag.constant === undefined)) {
    return UNKNOWN;
  }
  if (typeof partial !== 'boolean' || (array.types & TYPES.array) === 0 || needle.types === TYPES.undefined) {
    return NONE;
  }
  if (!isConstantArray(array)) {
    return arrayHolds(array, needle, partial, wanted, context, reads);
  }
  if (partial && (needle.types & TYPES.object) !== 0) {
    return UNKNOWN;
  }
  return context.dialect.isInList(needle, array.constant.value, wanted) ?? UNKNOWN;
};

/** Where a text holds what every match of a constant pattern holds; its beginning, where that is known, as a range. */
const regexMatch: Compile = ([text, pattern, modifiers], wanted, context) => {
  leave(context, 'a regular expression runs in the evaluator');
  const given = modifiers === undefined ? '' : modifiers.constant?.value;
  const written = pattern?.constant?.value;
  if (!wanted || text === undefined || typeof written !== 'string' || typeof given !== 'string') {
    return UNKNOWN;
  }
  const compiled = lookupPattern(written, given);
  const required = compiled instanceof PatternFault ? undefined : compiled.required;
  const constant = context.dialect.constant(required?.text);
  return required === undefined || constant === undefined
    ? UNKNOWN
    : { ...context.dialect.text(required.place === 'start' ? 'prefix' : 'infix', text, constant, true), exact: false };
};

const CONDITIONS: ReadonlyMap<string, Compile> = new Map<string, Compile>([
  ['IS_ARRAY', typeCheck(TYPES.array)],
  ['IS_BOOL', typeCheck(TYPES.boolean)],
  ['IS_BOOLEAN', typeCheck(TYPES.boolean)],
  ['IS_DEFINED', typeCheck(TYPES.defined)],
  ['IS_NULL', typeCheck(TYPES.null)],
  ['IS_NUMBER', typeCheck(TYPES.number)],
  ['IS_OBJECT', typeCheck(TYPES.object)],
  ['IS_PRIMITIVE', typeCheck(TYPES.null | TYPES.boolean | TYPES.number | TYPES.string)],
  ['IS_STRING', typeCheck(TYPES.string)],
  ['IS_INTEGER', numberCheck((value, dialect) => dialect.isWhole(value))],
  ['IS_FINITE_NUMBER', numberCheck((value, dialect) => dialect.isFinite(value))],
  ['REGEXMATCH', regexMatch],
  ['CONTAINS', textTest('infix')],
  ['STARTSWITH', textTest('prefix')],
  ['ENDSWITH', textTest('suffix')],
  ['STRINGEQUALS', textTest('text')],
  ['CONTAINS_ALL_CS', forEachOf(true, textTest('infix'))],
  ['CONTAINS_ANY_CS', forEachOf(false, textTest('infix'))],
  ['CONTAINS_ALL_CI', forEachOf(true, containsFolded)],
  ['CONTAINS_ANY_CI', forEachOf(false, containsFolded)],
  ['ARRAY_CONTAINS', arrayContains],
  ['ARRAY_CONTAINS_ALL', forEachOf(true, arrayContains)],
  ['ARRAY_CONTAINS_ANY', forEachOf(false, arrayContains)],
]);

/** Whether a function gives booleans and is known to the compiler. */
export function isConditionCall(node: CallNode): boolean {
  return !node.udf && CONDITIONS.has(lookupFunction(node.name.toUpperCase())?.name ?? '');
}

/** Compiles a call of such a function. */
export function compileCallCondition(node: CallNode, wanted: boolean, context: CompileContext): Condition {
  if (takesExactIntegers(node)) {
    return UNKNOWN;
  }
  const name = lookupFunction(node.name.toUpperCase())?.name ?? '';
  const values: SqlValue[] = [];
  const readsBefore = context.loopReads;
  for (const argument of node.arguments) {
    // Needles stand inside a loop over the array.
    const isNeedle = values.length > 0 && name.startsWith('ARRAY_CONTAINS');
    const value = isNeedle ? insideLoop(context, () => context.value(argument)) : context.value(argument);
    if (value === undefined) {
      return UNKNOWN;
    }
    values.push(value);
  }
  return (CONDITIONS.get(name) as Compile)(values, wanted, context, context.loopReads - readsBefore);
}
