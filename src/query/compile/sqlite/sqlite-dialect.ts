import { leave } from '../common/compile-context.ts';
import { over, type Condition } from '../common/condition.ts';
import type { Dialect, ElementLoop } from '../common/dialect.ts';
import { bound, rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { TYPES, type SqlValue } from '../common/sql-value.ts';
import { complementValue, negativeValue, numericValue } from './arithmetic.ts';
import { compares, equals, isIn, isInList } from './comparison.ts';
import { foldedText, FUNCTIONS } from './function-values.ts';
import { globOf } from './glob-pattern.ts';
import { quotePath } from './json-path.ts';
import { isOdd } from './odd-documents.ts';
import { constantValue, jsonValue } from './sql-value.ts';
import { textCondition } from './text-condition.ts';

/** The columns of the table that holds documents, as the store writes them in its statement. */
export interface SqliteColumns {
  /** The document without its system properties, as `JSON.stringify` writes it: as text, or as JSONB unless it is odd ({@link isOddText}). */
  readonly body: string;
  /** Text equal to the document's `id`, where there is such a column. */
  readonly id?: string | undefined;
  /** Number equal to the document's `_ts`, where there is such a column. */
  readonly ts?: string | undefined;
}

/** Longer documents are read again for each element only by the evaluator, which makes way for others meanwhile. */
const MAX_LOOP_READ_BYTES = 16_384;
const INT64_LIMIT = rawSql('9223372036854775808.0');

function at(json: Sql, steps: readonly (string | number)[]): SqlValue | undefined {
  const path = quotePath(steps);
  return path === undefined ? undefined : jsonValue(sql`json_type(${json}, ${path})`, sql`json_extract(${json}, ${path})`);
}

function loopOver(source: Sql, alias: Sql): ElementLoop {
  const [type, value] = [sql`${alias}.type`, sql`${alias}.value`];
  return {
    table: sql`json_each(${source}) AS ${alias}`,
    value: jsonValue(type, value, TYPES.defined),
    json: sql`CASE WHEN ${type} IN ('array', 'object') THEN ${value} END`,
  };
}

function isWhole(value: SqlValue): Condition {
  const number = value.number();
  return over(sql`(${number} = trunc(${number}) AND abs(${number}) <= ${INT64_LIMIT})`, value);
}

/** SQLite over a table with these columns. Loops stay short there, for no one else has a turn while a statement runs. */
export function sqliteDialect(columns: SqliteColumns): Dialect {
  const body = rawSql(columns.body);
  return {
    name: 'SQLite',
    maxLoops: 1,
    functions: FUNCTIONS,
    document() {
      // The stored text lacks the system properties, so the document as a whole cannot be compared.
      const value: SqlValue = { ...jsonValue(rawSql("'object'"), body, TYPES.object), raw: undefined, document: () => undefined };
      return { json: body, steps: [], value, isDocument: true };
    },
    isOdd: () => isOdd(columns.body),
    constant: constantValue,
    column(name, context) {
      const { id, ts } = columns;
      // A loop over elements has an `id` of its own, which would hide the column.
      if (name === 'id' && id !== undefined && context.loops === 0) {
        return jsonValue(rawSql("'text'"), rawSql(id), TYPES.string);
      }
      return name === '_ts' && ts !== undefined ? jsonValue(rawSql("'integer'"), rawSql(ts), TYPES.number) : undefined;
    },
    at,
    elements(json, steps, number) {
      const path = quotePath(steps);
      return path === undefined ? undefined : loopOver(sql`${json}, ${path}`, rawSql(`e${number}`));
    },
    elementsOf(array, number) {
      const document = array.document();
      return document === undefined ? undefined : loopOver(document, rawSql(`a${number}`));
    },
    holds: () => undefined,
    bounded(found, _, context) {
      leave(context, 'a loop over elements reads the document too');
      return { sql: sql`(octet_length(${body}) > ${rawSql(String(MAX_LOOP_READ_BYTES))} OR ${found.sql})`, exact: false };
    },
    equals,
    compares,
    isIn,
    isInList,
    text: textCondition,
    like(value, pattern, wanted) {
      const matches = sql`${value.string()} GLOB ${bound(globOf(pattern))}`;
      return over(wanted ? matches : sql`NOT (${matches})`, value);
    },
    folded: foldedText,
    numeric: numericValue,
    negative: negativeValue,
    complement: complementValue,
    isWhole,
    isFinite: (value) => over(sql`abs(${value.number()}) < 9e999`, value),
  };
}
