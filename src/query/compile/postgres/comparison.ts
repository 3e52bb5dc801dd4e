import { equalValues } from '../../../core/json-order.ts';
import { hasLoneSurrogate, type JsonValue } from '../../../core/json.ts';
import { comparesWithinType, type ComparisonPieces } from '../common/compares-within-type.ts';
import { allOf, anyOf, decided, opposite, over, UNKNOWN, type Condition } from '../common/condition.ts';
import type { Comparison } from '../common/dialect.ts';
import { bound, rawSql, sql, SqlLeftOut, type Sql } from '../common/sql-fragment.ts';
import { isBindableText, isDefined, NEVER, typeOf, TYPES, type SqlValue } from '../common/sql-value.ts';
import { arrayLiteral } from './array-literal.ts';
import { boundJson, boundNumber, constantValue, isTold } from './json-value.ts';

/**
 * False for every document of which something is told. Other than {@link NEVER} it says nothing of odd ones, which may hold what no other can.
 */
function nowhereTold(): Sql {
  return rawSql('(FALSE)');
}

const CONTAINERS = TYPES.array | TYPES.object;

/** Rows where two values are equal; `exact: false` where that may hold for more rows. */
function exactly(condition: Sql): Condition {
  return { sql: condition, exact: true };
}

/** A number that is not in `jsonb`; a column of whole numbers stays bare where it can, so that an index serves it. */
function comparesNumber(value: SqlValue, comparison: Comparison, constant: number): Sql {
  return value.whole !== undefined && Number.isSafeInteger(constant)
    ? sql`${value.whole} ${rawSql(comparison)} ${bound(constant)}::bigint`
    : sql`${value.number()} ${rawSql(comparison)} ${boundNumber(constant)}`;
}

function equalsConstant(value: SqlValue, constant: JsonValue): Condition {
  if ((value.types & typeOf(constant)) === 0) {
    return exactly(NEVER);
  }
  if (constant === null) {
    return exactly(value.is(TYPES.null));
  }
  if (typeof constant === 'string' && value.encoded !== undefined) {
    return exactly(
      hasLoneSurrogate(constant) ? nowhereTold() : sql`${value.encoded.column} = ${bound(value.encoded.encode(constant))}::text`,
    );
  }
  if (value.raw !== undefined) {
    const json = boundJson(constant);
    return exactly(json === undefined ? nowhereTold() : sql`${value.raw} = ${json}`);
  }
  switch (typeof constant) {
    case 'boolean':
      return exactly(constant ? value.boolean() : sql`NOT (${value.boolean()})`);
    case 'string':
      return exactly(isBindableText(constant) ? sql`${value.string()} = ${bound(constant)}::text` : nowhereTold());
    case 'number':
      return exactly(comparesNumber(value, '=', constant));
    default: {
      const [document, json] = [value.document(), boundJson(constant)];
      return document === undefined
        ? { sql: value.is(typeOf(constant)), exact: false }
        : exactly(json === undefined ? nowhereTold() : sql`${document} = ${json}`);
    }
  }
}

function equalsValue(left: SqlValue, right: SqlValue): Condition {
  if (left.raw !== undefined && right.raw !== undefined) {
    return exactly(sql`${left.raw} = ${right.raw}`);
  }
  const common = left.types & right.types;
  const parts: Condition[] = [];
  const add = (type: number, piece: () => Sql): void => {
    if ((common & type) !== 0) {
      parts.push(exactly(piece()));
    }
  };
  add(TYPES.null, () => sql`(${left.is(TYPES.null)} AND ${right.is(TYPES.null)})`);
  add(TYPES.boolean, () => sql`(${left.boolean()}) = (${right.boolean()})`);
  add(TYPES.number, () => sql`${left.number()} = ${right.number()}`);
  add(TYPES.string, () => sql`${left.string()} = ${right.string()}`);
  if ((common & CONTAINERS) !== 0) {
    const [one, other] = [left.document(), right.document()];
    if (one === undefined || other === undefined) {
      return UNKNOWN;
    }
    parts.push(exactly(sql`${one} = ${other}`));
  }
  return anyOf(parts);
}

/** Where two values are equal, or where both are there and are not. */
export function equals(left: SqlValue, right: SqlValue, wanted: boolean): Condition {
  if (left.constant !== undefined && right.constant !== undefined) {
    const [one, other] = [left.constant.value, right.constant.value];
    return decided(one !== undefined && other !== undefined && equalValues(one, other) === wanted);
  }
  const same =
    left.constant?.value !== undefined
      ? equalsConstant(right, left.constant.value)
      : right.constant?.value !== undefined
        ? equalsConstant(left, right.constant.value)
        : equalsValue(left, right);
  const condition = wanted ? same : allOf([exactly(isDefined(left)), exactly(isDefined(right)), opposite(same)]);
  const widened = over(condition.sql, left, right);
  return { sql: widened.sql, exact: widened.exact && condition.exact };
}

/** In `jsonb` numbers lie between strings and booleans, so a range with two ends holds numbers alone; no double lies below this one. */
const BELOW_NUMBERS = rawSql("'-1.8e308'::jsonb");
const ABOVE_NUMBERS = rawSql("'false'::jsonb");

function jsonRange(json: Sql, comparison: Comparison, value: number): Sql {
  const end = boundJson(value) as Sql;
  return comparison === '<' || comparison === '<='
    ? sql`(${json} > ${BELOW_NUMBERS} AND ${json} ${rawSql(comparison)} ${end})`
    : sql`(${json} ${rawSql(comparison)} ${end} AND ${json} < ${ABOVE_NUMBERS})`;
}

/** How a text without NUL compares with one that has some is how it compares with what stands before the first. */
function beforeNul(comparison: Comparison, text: string): readonly [Comparison, string] {
  const end = text.indexOf('\u0000');
  return end < 0 ? [comparison, text] : [comparison.startsWith('<') ? '<=' : '>', text.slice(0, end)];
}

function comparesText(value: SqlValue, comparison: Comparison, constant: string): Sql {
  if (value.encoded !== undefined && !hasLoneSurrogate(constant)) {
    return sql`${value.encoded.column} ${rawSql(comparison)} ${bound(value.encoded.encode(constant))}::text`;
  }
  const [operator, text] = beforeNul(comparison, constant);
  if (!isBindableText(text)) {
    throw new SqlLeftOut('a constant cannot be bound to a statement');
  }
  return value.text === undefined
    ? sql`${value.string()} ${rawSql(operator)} ${bound(text)}::text`
    : sql`(${value.is(TYPES.string)} AND ${value.text} ${rawSql(operator)} ${bound(text)}::text)`;
}

function comparesWithConstant(value: SqlValue, comparison: Comparison, constant: JsonValue): Sql {
  if ((value.types & typeOf(constant)) === 0) {
    return NEVER;
  }
  switch (typeof constant) {
    case 'number':
      if (value.raw === undefined) {
        return comparesNumber(value, comparison, constant);
      }
      if (Number.isFinite(constant)) {
        return jsonRange(value.raw, comparison, constant);
      }
      return constant > 0 === comparison.startsWith('<') ? value.is(TYPES.number) : nowhereTold();
    case 'string':
      return comparesText(value, comparison, constant);
    case 'boolean':
      return sql`(${value.boolean()}) ${rawSql(comparison)} ${rawSql(constant ? 'TRUE' : 'FALSE')}`;
    default:
      return constant === null && comparison.endsWith('=') ? value.is(TYPES.null) : NEVER;
  }
}

const PIECES: ComparisonPieces = {
  views: (left, comparison, right) => sql`(${left}) ${rawSql(comparison)} (${right})`,
  constant: comparesWithConstant,
};

/** Where `left comparison right` is true, for one of `< <= > >=`. */
export function compares(left: SqlValue, comparison: Comparison, right: SqlValue): Condition {
  return comparesWithinType(left, comparison, right, PIECES);
}

function isAmong(view: Sql, items: readonly string[], type: string): Condition[] {
  return items.length === 0 ? [] : [exactly(sql`${view} = ANY (${bound(arrayLiteral(items))}::${rawSql(type)}[])`)];
}

/** Where a value is one of some constants; the items of a list are one bound value, whatever their number. */
function isAmongConstants(needle: SqlValue, constants: readonly JsonValue[]): Condition {
  const told = constants.filter(isTold);
  const [strings, others] = [told.filter((value) => typeof value === 'string'), told.filter((value) => typeof value !== 'string')];
  if (needle.encoded !== undefined) {
    const { column, encode } = needle.encoded;
    const texts = constants.filter((value) => typeof value === 'string' && !hasLoneSurrogate(value)) as readonly string[];
    return anyOf([...isAmong(column, texts.map(encode), 'text'), exactly(nowhereTold())]);
  }
  const json = (values: readonly JsonValue[]): readonly string[] => values.map((value) => JSON.stringify(value));
  if (needle.raw !== undefined) {
    return told.length === 0 ? exactly(nowhereTold()) : anyOf(isAmong(needle.raw, json(told), 'jsonb'));
  }
  const numbers = constants.filter((value) => typeof value === 'number');
  const rest = others.filter((value) => typeof value !== 'number');
  return anyOf([
    ...((needle.types & TYPES.string) === 0 ? [] : isAmong(needle.string(), strings, 'text')),
    ...((needle.types & TYPES.number) === 0 ? [] : isAmong(needle.number(), numbers.map(String), 'float8')),
    ...rest.map((value) => equalsConstant(needle, value)),
    exactly(nowhereTold()),
  ]);
}

/** Where a value is there and is, or is not, equal to one of the items. */
export function isIn(needle: SqlValue, items: readonly SqlValue[], wanted: boolean): Condition {
  const constants = items.flatMap(({ constant }) => (constant?.value === undefined ? [] : [constant.value]));
  return isAmongItems(
    needle,
    constants,
    items.filter(({ constant }) => constant === undefined),
    wanted,
  );
}

/** {@link isIn} for the values of a list, which may be long; undefined where one of them cannot be told. */
export function isInList(needle: SqlValue, values: readonly JsonValue[], wanted: boolean): Condition | undefined {
  return values.every((value) => constantValue(value) !== undefined) ? isAmongItems(needle, values, [], wanted) : undefined;
}

function isAmongItems(needle: SqlValue, constants: readonly JsonValue[], rest: readonly SqlValue[], wanted: boolean): Condition {
  const present = over(isDefined(needle), needle);
  const found: Condition[] = [];
  if (needle.constant === undefined) {
    if (constants.length > 0) {
      const among = isAmongConstants(needle, constants);
      const widened = over(among.sql, needle);
      found.push({ sql: widened.sql, exact: widened.exact && among.exact });
    }
  } else {
    const { value } = needle.constant;
    found.push(decided(value !== undefined && constants.some((constant) => equalValues(value, constant))));
  }
  if (wanted) {
    return anyOf([...found, ...rest.map((item) => equals(needle, item, true))]);
  }
  // An undefined item is never equal, so "not equal" has to hold for items that are there only.
  const misses = rest.map((item) => anyOf([equals(needle, item, false), over(item.is(TYPES.undefined), item)]));
  return allOf([present, ...found.map(opposite), ...misses]);
}
