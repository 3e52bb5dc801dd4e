import type { JsonValue } from '../../../core/json.ts';
import { hasLoneSurrogate } from '../../../core/json.ts';
import { rawSql, sql, type Sql } from './sql-fragment.ts';

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
export const ALWAYS: Sql = rawSql('TRUE');
export const NEVER: Sql = rawSql('FALSE');

const NOTHING: Sql = rawSql('NULL');
/** NULL with a type, for an engine that tells types before it runs. */
const NO_NUMBER = rawSql('CAST(NULL AS double precision)');
const NO_STRING = rawSql('CAST(NULL AS text)');
const NO_BOOLEAN = rawSql('CAST(NULL AS boolean)');

/** A value that no row decides. */
export interface Constant {
  readonly value: JsonValue | undefined;
}

/**
 * A value of the language in SQL: not one expression but a view for each type, so that no coercion of an engine ever has a say.
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
  /** One expression for values of any type, where the dialect has one; what it is worth is the dialect's business. */
  readonly raw: Sql | undefined;
  /** The name of its type as the engine has it, where it stands in JSON. */
  readonly jsonType?: Sql | undefined;
  /** The text of a string, wrong for all other types, where that is cheaper than {@link SqlValue.string}. */
  readonly text?: Sql | undefined;
  /** A column that holds the string in another form, and how a constant is written in that form, order kept. */
  readonly encoded?: { readonly column: Sql; readonly encode: (text: string) => string } | undefined;
  /** A column of whole numbers that holds the number. */
  readonly whole?: Sql | undefined;
  /** A double; NULL unless the value is a number. */
  number(): Sql;
  /** NULL unless the value is a string. */
  string(): Sql;
  /** True or false; NULL unless the value is a boolean. */
  boolean(): Sql;
  /** The JSON of an array or object, NULL for all else; undefined where there is none to be had. */
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

/** Deeper than any document. */
const MAX_CONSTANT_DEPTH = 200;

/** Whether JSON text says all of an array or object: it has no NaN and no infinities, and is not so deep that nothing can walk it. */
export function isFiniteThroughout(value: JsonValue, depth: number = 0): boolean {
  return typeof value === 'object' && value !== null
    ? depth < MAX_CONSTANT_DEPTH && Object.values(value).every((member) => isFiniteThroughout(member as JsonValue, depth + 1))
    : typeof value !== 'number' || Number.isFinite(value);
}

/** A constant with the views that a dialect writes; what it leaves out is NULL. */
export function valueOfConstant(
  value: JsonValue | undefined,
  views: { readonly number?: () => Sql; readonly string?: () => Sql; readonly boolean?: () => Sql },
): SqlValue {
  const type = typeOf(value);
  return {
    types: type,
    unsure: [],
    isFinite: Number.isFinite(value),
    constant: { value },
    raw: undefined,
    number: () => (typeof value === 'number' && views.number !== undefined ? views.number() : NO_NUMBER),
    string: () => (typeof value === 'string' && views.string !== undefined ? views.string() : NO_STRING),
    boolean: () => (typeof value === 'boolean' ? rawSql(value ? 'TRUE' : 'FALSE') : NO_BOOLEAN),
    document: () => undefined,
    is: (types) => ((types & type) !== 0 ? ALWAYS : NEVER),
  };
}

/** The result of an operator or a function: of one type, or undefined where the SQL is NULL. */
export function computedValue(type: number, value: Sql, operands: readonly SqlValue[], unsure: readonly Sql[] = []): SqlValue {
  return {
    types: type | TYPES.undefined,
    unsure: [...operands.flatMap((operand) => operand.unsure), ...unsure],
    isFinite: false,
    constant: undefined,
    raw: undefined,
    number: () => (type === TYPES.number ? value : NO_NUMBER),
    string: () => (type === TYPES.string ? value : NO_STRING),
    boolean: () => (type === TYPES.boolean ? value : NO_BOOLEAN),
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

/** Whether a value is there at all. */
export function isDefined(value: SqlValue): Sql {
  return value.is(TYPES.defined);
}
