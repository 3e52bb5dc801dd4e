import { equalValues } from '../../../core/json-order.ts';
import type { JsonValue } from '../../../core/json.ts';
import { isJsonObject } from '../../../core/json.ts';
import { comparesWithinType, type ComparisonPieces } from '../common/compares-within-type.ts';
import { allOf, anyOf, decided, NONE, opposite, over, UNKNOWN, type Condition } from '../common/condition.ts';
import type { Comparison } from '../common/dialect.ts';
import { bound, commaList, rawSql, sql, type Sql, type SqlParameter } from '../common/sql-fragment.ts';
import { isDefined, NEVER, typeOf, TYPES, type SqlValue } from '../common/sql-value.ts';
import { boundNumber, constantValue } from './sql-value.ts';

/** Up to so many items of IN have a placeholder each; more are bound as one JSON array. */
const MAX_PLACEHOLDERS = 8;

/** Whether a string cannot be mistaken for the JSON text of an array or object. */
function isPlainText(text: string): boolean {
  return !text.startsWith('[') && !text.startsWith('{');
}

/** Whether a number compares alike with the digits of a JSON integer and with the double that these stand for. */
function isSmall(value: number): boolean {
  // Less, not equal: the neighbour of a bound has to be safe too.
  return Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

/** Whether `raw = value` can hold for nothing else than the value. A boolean reads as 1 or 0. */
function isUnmistakable(value: JsonValue | undefined): value is string | number {
  return typeof value === 'string' ? isPlainText(value) : typeof value === 'number' && isSmall(value) && value !== 0 && value !== 1;
}

function hasManyKeys(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null
    ? (isJsonObject(value) && Object.keys(value).length > 1) || Object.values(value).some((member) => hasManyKeys(member as JsonValue))
    : false;
}

/** Rows where two values are equal: at least these, and at most these. */
interface Equality {
  readonly may: Condition;
  readonly sure: Condition;
}

const NEVER_EQUAL: Equality = { may: NONE, sure: NONE };
/** Nothing is known to be equal. */
const NOT_SURE: Condition = { sql: NEVER, exact: false };

function exactly(condition: Sql): Equality {
  const both = { sql: condition, exact: true };
  return { may: both, sure: both };
}

/** Equal JSON text is an equal value, and equal values have equal text but for the order of keys, so text of the same length. */
function equalsDocument(value: SqlValue, constant: JsonValue): Equality {
  const document = value.document();
  if (document === undefined) {
    return { may: { sql: value.is(typeOf(constant)), exact: false }, sure: NOT_SURE };
  }
  const text = JSON.stringify(constant);
  const same = sql`${document} = ${bound(text)}`;
  if (!hasManyKeys(constant)) {
    return exactly(same);
  }
  const bytes = bound(new TextEncoder().encode(text).length);
  return { may: { sql: sql`octet_length(${document}) = ${bytes}`, exact: false }, sure: { sql: same, exact: false } };
}

function equalsConstant(value: SqlValue, constant: JsonValue): Equality {
  if ((value.types & typeOf(constant)) === 0) {
    return NEVER_EQUAL;
  }
  switch (typeof constant) {
    case 'boolean':
      return exactly(
        value.jsonType === undefined
          ? sql`${value.boolean()} = ${rawSql(constant ? '1' : '0')}`
          : sql`${value.jsonType} = ${rawSql(constant ? "'true'" : "'false'")}`,
      );
    case 'string':
      return exactly(
        value.raw !== undefined && isPlainText(constant)
          ? sql`${value.raw} = ${bound(constant)}`
          : sql`${value.string()} = ${bound(constant)}`,
      );
    case 'number':
      if (value.raw !== undefined && isSmall(constant)) {
        const same = sql`${value.raw} = ${bound(constant)}`;
        return exactly(isUnmistakable(constant) ? same : sql`(${value.is(TYPES.number)} AND ${same})`);
      }
      return exactly(sql`${value.number()} = ${boundNumber(constant)}`);
    default:
      return constant === null ? exactly(value.is(TYPES.null)) : equalsDocument(value, constant);
  }
}

function equalsValue(left: SqlValue, right: SqlValue): Equality {
  const common = left.types & right.types;
  const parts: Condition[] = [];
  const add = (type: number, piece: () => Sql): void => {
    if ((common & type) !== 0) {
      parts.push({ sql: piece(), exact: true });
    }
  };
  add(TYPES.null, () => sql`(${left.is(TYPES.null)} AND ${right.is(TYPES.null)})`);
  add(TYPES.boolean, () => sql`${left.boolean()} = ${right.boolean()}`);
  add(TYPES.number, () => sql`${left.number()} = ${right.number()}`);
  add(TYPES.string, () => sql`${left.string()} = ${right.string()}`);
  if ((common & (TYPES.array | TYPES.object)) === 0) {
    const equal = anyOf(parts);
    return { may: equal, sure: equal };
  }
  const [one, other] = [left.document(), right.document()];
  if (one === undefined || other === undefined) {
    return { may: UNKNOWN, sure: NOT_SURE };
  }
  return {
    may: anyOf([...parts, { sql: sql`octet_length(${one}) = octet_length(${other})`, exact: false }]),
    sure: anyOf([...parts, { sql: sql`${one} = ${other}`, exact: false }]),
  };
}

function equality(left: SqlValue, right: SqlValue): Equality {
  if (left.constant !== undefined && right.constant !== undefined) {
    const both = decided(left.constant.value !== undefined && equalValues(left.constant.value, right.constant.value));
    return { may: both, sure: both };
  }
  return left.constant?.value !== undefined
    ? equalsConstant(right, left.constant.value)
    : right.constant?.value !== undefined
      ? equalsConstant(left, right.constant.value)
      : equalsValue(left, right);
}

function withUnsure(condition: Condition, ...values: readonly SqlValue[]): Condition {
  const widened = over(condition.sql, ...values);
  return { sql: widened.sql, exact: widened.exact && condition.exact };
}

/** Where two values are equal, or where both are there and are not. */
export function equals(left: SqlValue, right: SqlValue, wanted: boolean): Condition {
  const { may, sure } = equality(left, right);
  if (wanted) {
    return withUnsure(may, left, right);
  }
  const differs = opposite({ sql: sure.sql, exact: true });
  const there = [left, right].map((value): Condition => ({ sql: isDefined(value), exact: true }));
  const { sql: condition } = allOf([...there, differs]);
  return withUnsure({ sql: condition, exact: sure.exact }, left, right);
}

const BITS = new DataView(new ArrayBuffer(8));

/** The next double towards positive (`step` 1) or negative infinity. */
function neighbour(value: number, step: 1 | -1): number {
  if (value === 0) {
    return step * Number.MIN_VALUE;
  }
  BITS.setFloat64(0, value);
  BITS.setBigInt64(0, BITS.getBigInt64(0) + BigInt(value > 0 ? step : -step));
  return BITS.getFloat64(0);
}

const BELOW = rawSql('-9e999');
const ABOVE = rawSql('9e999');

/** `raw` compared with a small number in one look: text lies above every number, so a range with an end never holds it. */
function rawRange(raw: Sql, comparison: Comparison, value: number): Sql {
  switch (comparison) {
    case '<':
      return sql`${raw} BETWEEN ${BELOW} AND ${bound(neighbour(value, -1))}`;
    case '<=':
      return sql`${raw} BETWEEN ${BELOW} AND ${bound(value)}`;
    case '>':
      return sql`${raw} BETWEEN ${bound(neighbour(value, 1))} AND ${ABOVE}`;
    default:
      return sql`${raw} BETWEEN ${bound(value)} AND ${ABOVE}`;
  }
}

/** Whether the range of a comparison holds 0 or 1, as which booleans read. */
function holdsBoolean(comparison: Comparison, value: number): boolean {
  const holds = { '<': 0 < value, '<=': value >= 0, '>': value < 1, '>=': value <= 1 };
  return holds[comparison as keyof typeof holds];
}

function operator(comparison: Comparison): Sql {
  return rawSql(comparison);
}

function comparesWithConstant(value: SqlValue, comparison: Comparison, constant: JsonValue): Sql {
  if ((value.types & typeOf(constant)) === 0) {
    return NEVER;
  }
  switch (typeof constant) {
    case 'number':
      if (value.raw !== undefined && isSmall(constant)) {
        const range = rawRange(value.raw, comparison, constant);
        return holdsBoolean(comparison, constant) ? sql`(${value.is(TYPES.number)} AND ${range})` : range;
      }
      return sql`${value.number()} ${operator(comparison)} ${boundNumber(constant)}`;
    case 'string':
      return value.raw === undefined
        ? sql`${value.string()} ${operator(comparison)} ${bound(constant)}`
        : sql`(${value.is(TYPES.string)} AND ${value.raw} ${operator(comparison)} ${bound(constant)})`;
    case 'boolean':
      return sql`${value.boolean()} ${operator(comparison)} ${rawSql(constant ? '1' : '0')}`;
    default:
      return constant === null && comparison.endsWith('=') ? value.is(TYPES.null) : NEVER;
  }
}

const PIECES: ComparisonPieces = {
  views: (left, comparison, right) => sql`${left} ${operator(comparison)} ${right}`,
  constant: comparesWithConstant,
};

/** Where `left comparison right` is true, for one of `< <= > >=`. */
export function compares(left: SqlValue, comparison: Comparison, right: SqlValue): Condition {
  return comparesWithinType(left, comparison, right, PIECES);
}

/** The constants of IN that `raw` compares with at once; `rest` are the others. */
function splitItems(items: readonly SqlValue[]): { readonly plain: readonly (string | number)[]; readonly rest: readonly SqlValue[] } {
  const plain = new Set<string | number>();
  const rest: SqlValue[] = [];
  for (const item of items) {
    const value = item.constant?.value;
    if (value !== undefined && isUnmistakable(value)) {
      plain.add(value);
    } else {
      rest.push(item);
    }
  }
  return { plain: [...plain], rest };
}

function isAmong(view: Sql, values: readonly SqlParameter[]): Sql {
  return values.length <= MAX_PLACEHOLDERS
    ? sql`${view} IN (${commaList(values.map(bound))})`
    : sql`${view} IN (SELECT value FROM json_each(${bound(JSON.stringify(values))}))`;
}

function isAmongPlain(needle: SqlValue, values: readonly (string | number)[]): Condition {
  if (needle.raw !== undefined) {
    return over(isAmong(needle.raw, values), needle);
  }
  const texts = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value === 'number');
  const parts: Condition[] = [];
  if (texts.length > 0 && (needle.types & TYPES.string) !== 0) {
    parts.push(over(isAmong(needle.string(), texts), needle));
  }
  if (numbers.length > 0 && (needle.types & TYPES.number) !== 0) {
    parts.push(over(isAmong(needle.number(), numbers), needle));
  }
  return anyOf(parts);
}

/** Where a value is there and is, or is not, equal to one of the items. */
export function isIn(needle: SqlValue, items: readonly SqlValue[], wanted: boolean): Condition {
  const { plain, rest } = splitItems(items.filter((item) => item.constant === undefined || item.constant.value !== undefined));
  return isAmongItems(needle, plain, rest, wanted);
}

/** {@link isIn} for the values of a list, which may be long; undefined where one of them cannot be told in SQL. */
export function isInList(needle: SqlValue, values: readonly JsonValue[], wanted: boolean): Condition | undefined {
  const plain = new Set<string | number>();
  const rest: SqlValue[] = [];
  for (const value of values) {
    if (isUnmistakable(value)) {
      plain.add(value);
      continue;
    }
    const item = constantValue(value);
    if (item === undefined) {
      return undefined;
    }
    rest.push(item);
  }
  return isAmongItems(needle, [...plain], rest, wanted);
}

function isAmongItems(needle: SqlValue, plain: readonly (string | number)[], rest: readonly SqlValue[], wanted: boolean): Condition {
  const found: Condition[] = plain.length === 0 ? [] : [isAmongPlain(needle, plain)];
  const present = over(isDefined(needle), needle);
  if (wanted) {
    return anyOf([...found, ...rest.map((item) => equals(needle, item, true))]);
  }
  // An undefined item is never equal, so "not equal" has to hold for items that are there only.
  const misses = rest.map((item) => anyOf([equals(needle, item, false), over(item.is(TYPES.undefined), item)]));
  return allOf([present, ...found.map(opposite), ...misses]);
}
