import type { JsonValue } from '../../../core/json.ts';
import { bound, rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { ALWAYS, isBindableText, isFiniteThroughout, NEVER, TYPES, valueOfConstant, type SqlValue } from '../common/sql-value.ts';

/** A number as a double. Drivers may bind whole numbers as integers, which divide and overflow as such, and refuse those beyond 2^53. */
export function boundNumber(value: number): Sql {
  if (!Number.isFinite(value)) {
    return rawSql(value > 0 ? '9e999' : '-9e999');
  }
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? sql`CAST(${bound(String(value))} AS REAL)`
    : sql`CAST(${bound(value === 0 ? 0 : value)} AS REAL)`;
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
  return isBindable(value)
    ? valueOfConstant(value, { number: () => boundNumber(value as number), string: () => bound(value as string) })
    : undefined;
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

/**
 * A value inside JSON text: `type` is what `json_type` says of it, `value` what `json_extract` gives.
 *
 * Its `raw` is that value: right for numbers within 2^53 and strings, and wrong for all else, as booleans read as 1 and 0, arrays and objects as
 * their text. It serves comparisons with constants that cannot be mistaken for these.
 */
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
