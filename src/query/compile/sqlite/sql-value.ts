import type { JsonValue } from '../../../core/json.ts';
import { hasLoneSurrogate } from '../../../core/json.ts';
import { bound, rawSql, sql, type Sql } from './sql-fragment.ts';

/** Sets of types, as bits. */
export const TYPES = {
  undefined: 1,
  null: 2,
  boolean: 4,
  number: 8,
  string: 16,
  array: 32,
  object: 64,
  /** Everything but undefined. */
  defined: 126,
  any: 127,
} as const;

/** What is always true, and what never is; recognised by identity. */
export const ALWAYS: Sql = rawSql('1');
export const NEVER: Sql = rawSql('0');
const NOTHING: Sql = rawSql('NULL');

/** A value that no row decides. */
export interface Constant {
  readonly value: JsonValue | undefined;
}

/**
 * A value of the language in SQL: not one expression but a view for each type, so that no coercion of SQLite's ever has a say.
 *
 * Undefined is SQL NULL in every view. Where a condition of `unsure` holds for a row, the views may differ from the evaluator's value there.
 */
export interface SqlValue {
  /** The types it can have, bits of {@link TYPES}. */
  readonly types: number;
  readonly unsure: readonly Sql[];
  /** Whether a number is known to be neither NaN nor infinite. */
  readonly isFinite: boolean;
  readonly constant: Constant | undefined;
  /**
   * One cheap expression that is right for numbers within 2^53 and strings, and wrong for all else: booleans read as 1 and 0, arrays and objects
   * as their text. Serves comparisons with constants that cannot be mistaken for these.
   */
  readonly raw: Sql | undefined;
  /** What `json_type` says of it, where it stands in JSON text. */
  readonly jsonType?: Sql | undefined;
  /** A double; NULL unless the value is a number. */
  number(): Sql;
  /** NULL unless the value is a string. */
  string(): Sql;
  /** 1 or 0; NULL unless the value is a boolean. */
  boolean(): Sql;
  /** The JSON text of an array or object, NULL for all else; undefined where there is none to be had. */
  document(): Sql | undefined;
  /** Whether the value has one of these types. May be NULL for "no". */
  is(types: number): Sql;
}

/** The bit of a value's type. */
export function typeOf(value: JsonValue | undefined): number {
  switch (typeof value) {
    case 'undefined':
      return TYPES.undefined;
    case 'boolean':
      return TYPES.boolean;
    case 'number':
      return TYPES.number;
    case 'string':
      return TYPES.string;
    default:
      return value === null ? TYPES.null : Array.isArray(value) ? TYPES.array : TYPES.object;
  }
}

/** Whether a text can be bound and compared as it is. */
export function isBindableText(text: string): boolean {
  return !text.includes('\u0000') && !hasLoneSurrogate(text);
}

/** A number as a double. Drivers may bind whole numbers as integers, which divide and overflow as such, and refuse those beyond 2^53. */
export function boundNumber(value: number): Sql {
  if (!Number.isFinite(value)) {
    return rawSql(value > 0 ? '9e999' : '-9e999');
  }
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? sql`CAST(${bound(String(value))} AS REAL)`
    : sql`CAST(${bound(value === 0 ? 0 : value)} AS REAL)`;
}

/** Deeper than any document. */
const MAX_CONSTANT_DEPTH = 200;

/** Whether JSON text says all of an array or object: it has no NaN and no infinities, and is not so deep that nothing can walk it. */
function isFiniteThroughout(value: JsonValue, depth: number = 0): boolean {
  return typeof value === 'object' && value !== null
    ? depth < MAX_CONSTANT_DEPTH && Object.values(value).every((member) => isFiniteThroughout(member as JsonValue, depth + 1))
    : typeof value !== 'number' || Number.isFinite(value);
}

function isBindable(value: JsonValue | undefined): boolean {
  switch (typeof value) {
    case 'string':
      return isBindableText(value);
    case 'number':
      return !Number.isNaN(value);
    case 'object':
      return isFiniteThroughout(value);
    default:
      return true;
  }
}

/** A constant; undefined for one that cannot be bound: a string with a NUL or half a character, NaN, and what holds a number that is not finite. */
export function constantValue(value: JsonValue | undefined): SqlValue | undefined {
  if (!isBindable(value)) {
    return undefined;
  }
  const type = typeOf(value);
  return {
    types: type,
    unsure: [],
    isFinite: Number.isFinite(value),
    constant: { value },
    raw: undefined,
    number: () => (typeof value === 'number' ? boundNumber(value) : NOTHING),
    string: () => (typeof value === 'string' ? bound(value) : NOTHING),
    boolean: () => (typeof value === 'boolean' ? rawSql(value ? '1' : '0') : NOTHING),
    document: () => undefined,
    is: (types) => ((types & type) !== 0 ? ALWAYS : NEVER),
  };
}

const TYPE_NAMES: readonly (readonly [number, string])[] = [
  [TYPES.null, "'null'"],
  [TYPES.boolean, "'true', 'false'"],
  [TYPES.number, "'integer', 'real'"],
  [TYPES.string, "'text'"],
  [TYPES.array, "'array'"],
  [TYPES.object, "'object'"],
];

function isOneOf(type: Sql, types: number): Sql {
  const withUndefined = (types & TYPES.undefined) !== 0;
  const names = (types & TYPES.defined) === TYPES.defined ? [] : TYPE_NAMES.filter(([bit]) => (types & bit) !== 0).map(([, name]) => name);
  if ((types & TYPES.defined) === TYPES.defined) {
    return withUndefined ? ALWAYS : sql`${type} IS NOT NULL`;
  }
  if (names.length === 0) {
    return withUndefined ? sql`${type} IS NULL` : NEVER;
  }
  const list = rawSql(names.join(', '));
  const single = names.length === 1 && !(names[0] as string).includes(',');
  const holds = single ? sql`${type} = ${list}` : sql`${type} IN (${list})`;
  return withUndefined ? sql`(${type} IS NULL OR ${holds})` : holds;
}

/** A value inside JSON text: `type` is what `json_type` says of it, `value` what `json_extract` gives. */
export function jsonValue(type: Sql, value: Sql, types: number = TYPES.any): SqlValue {
  return {
    types,
    unsure: [],
    isFinite: true,
    constant: undefined,
    raw: value,
    jsonType: type,
    number: () => sql`CASE WHEN ${type} IN ('integer', 'real') THEN CAST(${value} AS REAL) END`,
    string: () => sql`CASE WHEN ${type} = 'text' THEN ${value} END`,
    boolean: () => sql`CASE ${type} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END`,
    document: () => sql`CASE WHEN ${type} IN ('array', 'object') THEN ${value} END`,
    is: (wanted) => isOneOf(type, wanted & types),
  };
}

/** The result of an operator or a function: of one type, or undefined where the SQL is NULL. */
export function computedValue(type: number, value: Sql, operands: readonly SqlValue[], unsure: readonly Sql[] = []): SqlValue {
  const view = (wanted: number): Sql => (wanted === type ? value : NOTHING);
  return {
    types: type | TYPES.undefined,
    unsure: [...operands.flatMap((operand) => operand.unsure), ...unsure],
    isFinite: false,
    constant: undefined,
    raw: undefined,
    number: () => view(TYPES.number),
    string: () => view(TYPES.string),
    boolean: () => view(TYPES.boolean),
    document: () => undefined,
    is(types) {
      const wanted = types & (type | TYPES.undefined);
      return wanted === type
        ? sql`(${value}) IS NOT NULL`
        : wanted === TYPES.undefined
          ? sql`(${value}) IS NULL`
          : wanted === 0
            ? NEVER
            : ALWAYS;
    },
  };
}

/** {@link computedValue} of a number that is never NaN or infinite. */
export function finiteNumber(value: Sql, operands: readonly SqlValue[], unsure: readonly Sql[] = []): SqlValue {
  return { ...computedValue(TYPES.number, value, operands, unsure), isFinite: true };
}

/** One value or the other, by a condition that is exact. */
export function choice(condition: Sql, whenTrue: SqlValue, otherwise: SqlValue): SqlValue {
  const pick = (one: Sql, other: Sql): Sql => (one === other ? one : sql`CASE WHEN ${condition} THEN ${one} ELSE ${other} END`);
  return {
    types: whenTrue.types | otherwise.types,
    unsure: [...whenTrue.unsure, ...otherwise.unsure],
    isFinite: whenTrue.isFinite && otherwise.isFinite,
    constant: undefined,
    raw: undefined,
    number: () => pick(whenTrue.number(), otherwise.number()),
    string: () => pick(whenTrue.string(), otherwise.string()),
    boolean: () => pick(whenTrue.boolean(), otherwise.boolean()),
    document() {
      const one = (whenTrue.types & (TYPES.array | TYPES.object)) === 0 ? NOTHING : whenTrue.document();
      const other = (otherwise.types & (TYPES.array | TYPES.object)) === 0 ? NOTHING : otherwise.document();
      return one === undefined || other === undefined ? undefined : pick(one, other);
    },
    is: (types) => pick(whenTrue.is(types), otherwise.is(types)),
  };
}
