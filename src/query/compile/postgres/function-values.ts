import { foldCase } from '../../functions/letter-case.ts';
import type { CompileFunction } from '../common/dialect.ts';
import { rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { computedValue, finiteNumber, TYPES, valueOfConstant, type SqlValue } from '../common/sql-value.ts';
import { scaledValue, squareValue } from './arithmetic.ts';
import { constantValue } from './json-value.ts';

const UNDEFINED = valueOfConstant(undefined, {});

/** What `trimStart` and `trimEnd` take away of ASCII. */
const BLANKS = rawSql(String.raw`E'\t\n\x0B\f\r '`);
const HALF = rawSql("'0.5'::float8");

/** Whether a text holds more than plain ASCII: there case, lengths and positions differ. */
function isNotAscii(text: Sql): Sql {
  return sql`octet_length(${text}) <> length(${text})`;
}

function lacks(type: number, ...values: readonly (SqlValue | undefined)[]): boolean {
  return values.some((value) => value === undefined || (value.types & type) === 0);
}

function ofNumber(compute: (number: Sql) => Sql): CompileFunction {
  return (value) => {
    if (value === undefined || lacks(TYPES.number, value)) {
      return UNDEFINED;
    }
    const result = compute(value.number());
    return value.isFinite ? finiteNumber(result, [value]) : computedValue(TYPES.number, result, [value]);
  };
}

/** A function over one text that agrees with the evaluator on ASCII. */
function ofAscii(type: number, compute: (text: Sql) => Sql): CompileFunction {
  return (value) => {
    if (value === undefined || lacks(TYPES.string, value)) {
      return UNDEFINED;
    }
    const text = value.string();
    const result = compute(text);
    return type === TYPES.number
      ? finiteNumber(result, [value], [isNotAscii(text)])
      : computedValue(type, result, [value], [isNotAscii(text)]);
  };
}

/** Halves away from zero, by the same steps as the evaluator: PostgreSQL's own `round` takes halves to the even number. */
function round(number: Sql): Sql {
  const whole = sql`trunc(${number})`;
  return sql`(${whole} + CASE WHEN abs(${number} - ${whole}) >= ${HALF} THEN sign(${number}) ELSE 0 END)`;
}

/** Of a negative number it is NaN, which is left to the evaluator. */
function squareRoot(value: SqlValue | undefined): SqlValue | undefined {
  if (value === undefined || lacks(TYPES.number, value)) {
    return UNDEFINED;
  }
  const number = value.number();
  const result = sql`CASE WHEN ${number} >= 0 THEN sqrt(${number}) END`;
  const unsure = [sql`${number} < 0`];
  return value.isFinite ? finiteNumber(result, [value], unsure) : computedValue(TYPES.number, result, [value], unsure);
}

function concatenate(...values: SqlValue[]): SqlValue | undefined {
  if (lacks(TYPES.string, ...values)) {
    return UNDEFINED;
  }
  const text = values.map((value) => value.string()).reduce((left, right) => sql`(${left} || ${right})`);
  return computedValue(TYPES.string, text, values);
}

function arrayLength(value: SqlValue | undefined): SqlValue | undefined {
  if (value === undefined || lacks(TYPES.array, value)) {
    return UNDEFINED;
  }
  const document = value.document();
  return document === undefined
    ? undefined
    : finiteNumber(sql`CASE WHEN ${value.is(TYPES.array)} THEN jsonb_array_length(${document})::float8 END`, [value]);
}

function indexOf(text: SqlValue | undefined, other: SqlValue | undefined, start?: SqlValue): SqlValue | undefined {
  if (text === undefined || other === undefined || start !== undefined) {
    return undefined;
  }
  if (lacks(TYPES.string, text, other)) {
    return UNDEFINED;
  }
  const whole = text.string();
  return finiteNumber(sql`(strpos(${whole}, ${other.string()}) - 1)::float8`, [text, other], [isNotAscii(whole)]);
}

/** A whole number where PostgreSQL wants an integer: longer than any text is as good as that. */
function integer(value: number): Sql {
  return rawSql(String(Math.max(Math.min(value, 2 ** 30), 0)));
}

/** LEFT, RIGHT and SUBSTRING with constant positions, which are few in other forms. */
function part(take: (text: Sql, ...numbers: readonly number[]) => Sql): CompileFunction {
  return (text, ...positions) => {
    const numbers = positions.map((position) => position.constant?.value);
    if (text === undefined || !numbers.every((number) => Number.isSafeInteger(number))) {
      return undefined;
    }
    return ofAscii(TYPES.string, (piece) => take(piece, ...(numbers as number[])))(text);
  };
}

function substring(text: Sql, start = 0, count = 0): Sql {
  return start < 0 || count <= 0 ? sql`left(${text}, 0)` : sql`substr(${text}, ${integer(start + 1)}, ${integer(count)})`;
}

function replace(text: SqlValue | undefined, search: SqlValue | undefined, by: SqlValue | undefined): SqlValue | undefined {
  if (text === undefined || search === undefined || by === undefined) {
    return undefined;
  }
  return lacks(TYPES.string, text, search, by)
    ? UNDEFINED
    : computedValue(TYPES.string, sql`replace(${text.string()}, nullif(${search.string()}, ''), ${by.string()})`, [text, search, by]);
}

function numberBin(value: SqlValue | undefined, size?: SqlValue): SqlValue | undefined {
  const by = size === undefined ? 1 : size.constant?.value;
  if (value === undefined || !value.isFinite || typeof by !== 'number' || by === 0 || !Number.isFinite(by)) {
    return undefined;
  }
  if (lacks(TYPES.number, value)) {
    return UNDEFINED;
  }
  const divided = scaledValue('/', value, by);
  const floored = divided === undefined ? undefined : ofNumber((number) => sql`floor(${number})`)(divided);
  return floored === undefined ? undefined : scaledValue('*', floored, by);
}

function scaledBy(operator: '*' | '/'): CompileFunction {
  return (value) => (value === undefined || lacks(TYPES.number, value) ? UNDEFINED : scaledValue(operator, value, 180 / Math.PI));
}

function trimmed(name: 'btrim' | 'ltrim' | 'rtrim'): CompileFunction {
  const compile = ofAscii(TYPES.string, (text) => sql`${rawSql(name)}(${text}, ${BLANKS})`);
  return (text, set) => (set === undefined && text !== undefined ? compile(text) : undefined);
}

/** Functions that give numbers and strings, by name. Those of libm are not here: its last digit differs from that of JavaScript. */
export const FUNCTIONS: ReadonlyMap<string, CompileFunction> = new Map<string, CompileFunction>([
  ['ABS', ofNumber((number) => sql`abs(${number})`)],
  ['FLOOR', ofNumber((number) => sql`floor(${number})`)],
  ['CEILING', ofNumber((number) => sql`ceil(${number})`)],
  ['TRUNC', ofNumber((number) => sql`trunc(${number})`)],
  ['ROUND', (value) => (value?.isFinite === true ? ofNumber(round)(value) : undefined)],
  ['SIGN', ofNumber((number) => sql`sign(${number})`)],
  ['SQRT', squareRoot],
  ['SQUARE', (value) => (value === undefined || lacks(TYPES.number, value) ? UNDEFINED : squareValue(value))],
  ['NUMBERBIN', numberBin],
  ['DEGREES', scaledBy('*')],
  ['RADIANS', scaledBy('/')],
  ['LENGTH', ofAscii(TYPES.number, (text) => sql`length(${text})::float8`)],
  ['LOWER', ofAscii(TYPES.string, (text) => sql`lower(${text})`)],
  ['UPPER', ofAscii(TYPES.string, (text) => sql`upper(${text})`)],
  ['TRIM', trimmed('btrim')],
  ['LTRIM', trimmed('ltrim')],
  ['RTRIM', trimmed('rtrim')],
  ['LEFT', part((text, count = 0) => sql`left(${text}, ${integer(count)})`)],
  ['RIGHT', part((text, count = 0) => sql`right(${text}, ${integer(count)})`)],
  ['SUBSTRING', part(substring)],
  ['REPLACE', replace],
  ['CONCAT', concatenate],
  ['INDEX_OF', indexOf],
  ['ARRAY_LENGTH', arrayLength],
]);

/** The form of a text in which case does not matter, by `upper` of the collation "C"; unsure beyond ASCII. */
export function foldedText(value: SqlValue): SqlValue {
  const text = value.constant?.value;
  return typeof text === 'string'
    ? (constantValue(foldCase(text)) as SqlValue)
    : (ofAscii(TYPES.string, (piece) => sql`upper(${piece})`)(value) as SqlValue);
}
