import { foldCase } from '../../functions/letter-case.ts';
import type { CompileFunction } from '../common/dialect.ts';
import { rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { computedValue, finiteNumber, TYPES, type SqlValue } from '../common/sql-value.ts';
import { boundNumber, constantValue } from './sql-value.ts';

/** What `trimStart` and `trimEnd` take away of ASCII. */
const BLANKS = rawSql('char(9, 10, 11, 12, 13, 32)');

/** Whether a text holds more than plain ASCII: there SQLite's case, lengths and positions differ. */
function isNotAscii(text: Sql): Sql {
  return sql`octet_length(${text}) <> length(${text})`;
}

function ofNumber(compute: (number: Sql) => Sql): CompileFunction {
  return (value) => {
    if (value === undefined || (value.types & TYPES.number) === 0) {
      return constantValue(undefined);
    }
    const result = compute(value.number());
    return value.isFinite ? finiteNumber(result, [value]) : computedValue(TYPES.number, result, [value]);
  };
}

/** A function over one text that agrees with the evaluator on ASCII. */
function ofAscii(type: number, compute: (text: Sql, ...rest: Sql[]) => Sql): CompileFunction {
  return (value) => {
    if (value === undefined || (value.types & TYPES.string) === 0) {
      return constantValue(undefined);
    }
    const text = value.string();
    const result = compute(text);
    return type === TYPES.number
      ? finiteNumber(result, [value], [isNotAscii(text)])
      : computedValue(type, result, [value], [isNotAscii(text)]);
  };
}

/** Halves away from zero, by the same steps as the evaluator: SQLite's own `round` adds a half first, which rounds 0.49999999999999994 up. */
function round(number: Sql): Sql {
  const whole = sql`trunc(${number})`;
  return sql`(${whole} + CASE WHEN abs(${number} - ${whole}) >= 0.5 THEN sign(${number}) ELSE 0.0 END)`;
}

function squareRoot(value: SqlValue | undefined): SqlValue | undefined {
  if (value === undefined || (value.types & TYPES.number) === 0) {
    return constantValue(undefined);
  }
  const number = value.number();
  return computedValue(TYPES.number, sql`sqrt(${number})`, [value], [sql`${number} < 0`]);
}

function square(value: SqlValue | undefined): SqlValue | undefined {
  if (value === undefined || (value.types & TYPES.number) === 0) {
    return constantValue(undefined);
  }
  const number = value.number();
  return computedValue(TYPES.number, sql`(${number} * ${number})`, [value]);
}

function concatenate(...values: SqlValue[]): SqlValue | undefined {
  if (values.some((value) => (value.types & TYPES.string) === 0)) {
    return constantValue(undefined);
  }
  const text = values.map((value) => value.string()).reduce((left, right) => sql`(${left} || ${right})`);
  return computedValue(TYPES.string, text, values);
}

function arrayLength(value: SqlValue | undefined): SqlValue | undefined {
  if (value === undefined || (value.types & TYPES.array) === 0) {
    return constantValue(undefined);
  }
  const document = value.document();
  return document === undefined
    ? undefined
    : finiteNumber(sql`CASE WHEN ${value.is(TYPES.array)} THEN CAST(json_array_length(${document}) AS REAL) END`, [value]);
}

function indexOf(text: SqlValue | undefined, other: SqlValue | undefined, start?: SqlValue): SqlValue | undefined {
  if (text === undefined || other === undefined || start !== undefined) {
    return undefined;
  }
  if ((text.types & other.types & TYPES.string) === 0) {
    return constantValue(undefined);
  }
  const whole = text.string();
  const position = sql`CAST(instr(${whole}, ${other.string()}) - 1 AS REAL)`;
  return finiteNumber(position, [text, other], [isNotAscii(whole)]);
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

function left(text: Sql, count = 0): Sql {
  return sql`substr(${text}, 1, ${integer(Math.max(count, 0))})`;
}

function right(text: Sql, count = 0): Sql {
  return count <= 0
    ? sql`substr(${text}, 1, 0)`
    : sql`CASE WHEN length(${text}) <= ${integer(count)} THEN ${text} ELSE substr(${text}, ${integer(-count)}) END`;
}

function substring(text: Sql, start = 0, count = 0): Sql {
  return start < 0 || count <= 0 ? sql`substr(${text}, 1, 0)` : sql`substr(${text}, ${integer(start + 1)}, ${integer(count)})`;
}

/** A whole number where SQLite wants an integer: longer than any text is as good as that. */
function integer(value: number): Sql {
  return rawSql(String(Math.max(Math.min(value, 2 ** 30), -(2 ** 30))));
}

function replace(text: SqlValue | undefined, search: SqlValue | undefined, by: SqlValue | undefined): SqlValue | undefined {
  if (text === undefined || search === undefined || by === undefined) {
    return undefined;
  }
  if ((text.types & search.types & by.types & TYPES.string) === 0) {
    return constantValue(undefined);
  }
  return computedValue(TYPES.string, sql`replace(${text.string()}, nullif(${search.string()}, ''), ${by.string()})`, [text, search, by]);
}

function numberBin(value: SqlValue | undefined, size?: SqlValue): SqlValue | undefined {
  const by = size === undefined ? 1 : size.constant?.value;
  if (value === undefined || !value.isFinite || typeof by !== 'number' || by === 0 || !Number.isFinite(by)) {
    return undefined;
  }
  const step = boundNumber(by);
  return (value.types & TYPES.number) === 0
    ? constantValue(undefined)
    : computedValue(TYPES.number, sql`(floor(${value.number()} / ${step}) * ${step})`, [value]);
}

function scaled(compute: (number: Sql, factor: Sql) => Sql): CompileFunction {
  return (value) =>
    value === undefined || (value.types & TYPES.number) === 0
      ? constantValue(undefined)
      : computedValue(TYPES.number, compute(value.number(), boundNumber(180 / Math.PI)), [value]);
}

function trimmed(name: 'trim' | 'ltrim' | 'rtrim'): CompileFunction {
  const compile = ofAscii(TYPES.string, (text) => sql`${rawSql(name)}(${text}, ${BLANKS})`);
  return (text, set) => (set === undefined ? compile(text as SqlValue) : undefined);
}

/** Functions that give numbers and strings, by name. Those of libm are not here: its last digit differs from that of JavaScript. */
export const FUNCTIONS: ReadonlyMap<string, CompileFunction> = new Map<string, CompileFunction>([
  ['ABS', ofNumber((number) => sql`abs(${number})`)],
  ['FLOOR', ofNumber((number) => sql`floor(${number})`)],
  ['CEILING', ofNumber((number) => sql`ceil(${number})`)],
  ['TRUNC', ofNumber((number) => sql`trunc(${number})`)],
  ['ROUND', (value) => (value?.isFinite === true ? ofNumber(round)(value) : undefined)],
  ['SIGN', ofNumber((number) => sql`CAST(sign(${number}) AS REAL)`)],
  ['SQRT', squareRoot],
  ['SQUARE', square],
  ['NUMBERBIN', numberBin],
  ['DEGREES', scaled((number, factor) => sql`(${number} * ${factor})`)],
  ['RADIANS', scaled((number, factor) => sql`(${number} / ${factor})`)],
  ['LENGTH', ofAscii(TYPES.number, (text) => sql`CAST(length(${text}) AS REAL)`)],
  ['LOWER', ofAscii(TYPES.string, (text) => sql`lower(${text})`)],
  ['UPPER', ofAscii(TYPES.string, (text) => sql`upper(${text})`)],
  ['TRIM', trimmed('trim')],
  ['LTRIM', trimmed('ltrim')],
  ['RTRIM', trimmed('rtrim')],
  ['LEFT', part(left)],
  ['RIGHT', part(right)],
  ['SUBSTRING', part(substring)],
  ['REPLACE', replace],
  ['CONCAT', concatenate],
  ['INDEX_OF', indexOf],
  ['ARRAY_LENGTH', arrayLength],
]);

/** The form of a text in which case does not matter, by SQLite's `upper`; unsure beyond ASCII. */
export function foldedText(value: SqlValue): SqlValue {
  const text = value.constant?.value;
  if (typeof text === 'string') {
    return constantValue(foldCase(text)) as SqlValue;
  }
  return ofAscii(TYPES.string, (text) => sql`upper(${text})`)(value) as SqlValue;
}
