import type { JsonValue } from '../../../core/json.ts';
import { bound, rawSql, sql, SqlLeftOut, type Sql } from '../common/sql-fragment.ts';
import { ALWAYS, isBindableText, isFiniteThroughout, NEVER, TYPES, valueOfConstant, type SqlValue } from '../common/sql-value.ts';

const TYPE_NAMES: readonly (readonly [number, string])[] = [
  [TYPES.null, "'null'"],
  [TYPES.boolean, "'boolean'"],
  [TYPES.number, "'number'"],
  [TYPES.string, "'string'"],
  [TYPES.array, "'array'"],
  [TYPES.object, "'object'"],
];

function isOneOf(json: Sql, type: Sql, types: number): Sql {
  const withUndefined = (types & TYPES.undefined) !== 0;
  if ((types & TYPES.defined) === TYPES.defined) {
    return withUndefined ? ALWAYS : sql`${json} IS NOT NULL`;
  }
  const names = TYPE_NAMES.filter(([bit]) => (types & bit) !== 0).map(([, name]) => name);
  if (names.length === 0) {
    return withUndefined ? sql`${json} IS NULL` : NEVER;
  }
  const list = rawSql(names.join(', '));
  const holds =
    types === TYPES.null ? sql`${json} = 'null'::jsonb` : names.length === 1 ? sql`${type} = ${list}` : sql`${type} IN (${list})`;
  return withUndefined ? sql`(${json} IS NULL OR ${holds})` : holds;
}

/**
 * A value inside `jsonb`: `json` is the value, `text` what `->>` gives of it. Its `raw` is the `jsonb`, which compares with any other by `=` as the
 * language does.
 */
export function jsonValue(json: Sql, text: Sql, types: number = TYPES.any): SqlValue {
  const type = sql`jsonb_typeof(${json})`;
  return {
    types,
    unsure: [],
    isFinite: true,
    constant: undefined,
    raw: json,
    jsonType: type,
    text: sql`${text} COLLATE "C"`,
    number: () => sql`CASE WHEN ${type} = 'number' THEN ${json}::float8 END`,
    string: () => sql`(CASE WHEN ${type} = 'string' THEN ${text} END COLLATE "C")`,
    boolean: () => sql`CASE ${json} WHEN 'true'::jsonb THEN TRUE WHEN 'false'::jsonb THEN FALSE END`,
    document: () => sql`CASE WHEN ${type} IN ('array', 'object') THEN ${json} END`,
    is: (wanted) => isOneOf(json, type, wanted & types),
  };
}

/** A number as a double. */
export function boundNumber(value: number): Sql {
  return Number.isFinite(value)
    ? sql`${bound(value === 0 ? 0 : value)}::float8`
    : rawSql(value > 0 ? "'Infinity'::float8" : "'-Infinity'::float8");
}

/** A text, compared by code point. */
export function boundText(value: string): Sql {
  return sql`(${bound(value)}::text COLLATE "C")`;
}

/** A value as `jsonb`; undefined for one that no document can hold of which something is told: what holds a NUL. */
export function boundJson(value: JsonValue): Sql | undefined {
  return isTold(value) ? sql`${bound(JSON.stringify(value))}::jsonb` : undefined;
}

/** Whether a value can be written as `jsonb`. */
export function isTold(value: JsonValue): boolean {
  switch (typeof value) {
    case 'string':
      return isBindableText(value);
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || Object.entries(value).every(([key, member]) => isBindableText(key) && isTold(member as JsonValue));
    default:
      return true;
  }
}

/** A text in a statement, or an end of the piece: a text with a NUL can be compared, but not bound. */
function textOf(value: string): Sql {
  if (!isBindableText(value)) {
    throw new SqlLeftOut('a constant cannot be bound to a statement');
  }
  return boundText(value);
}

/** A constant; undefined for NaN, and for what holds a number that is not finite or is nested very deep. */
export function constantValue(value: JsonValue | undefined): SqlValue | undefined {
  if (typeof value === 'number' ? Number.isNaN(value) : typeof value === 'object' && !isFiniteThroughout(value)) {
    return undefined;
  }
  return valueOfConstant(value, { number: () => boundNumber(value as number), string: () => textOf(value as string) });
}
