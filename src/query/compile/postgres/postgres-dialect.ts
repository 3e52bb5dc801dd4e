import { leave } from '../common/compile-context.ts';
import { over, type Condition } from '../common/condition.ts';
import type { Dialect, ElementLoop } from '../common/dialect.ts';
import { rawSql, sql, type Sql } from '../common/sql-fragment.ts';
import { ALWAYS, NEVER, TYPES, valueOfConstant, type SqlValue } from '../common/sql-value.ts';
import { complementValue, negativeValue, numericValue } from './arithmetic.ts';
import { compares, equals, isIn, isInList } from './comparison.ts';
import { foldedText, FUNCTIONS } from './function-values.ts';
import { boundJson, constantValue, jsonValue } from './json-value.ts';
import { escapeText } from './nul-text.ts';
import { pathOf } from './path-expression.ts';
import { likeCondition, textCondition } from './text-condition.ts';

/** The columns of the table that holds documents, as the store writes them in its statement. */
export interface PostgresColumns {
  /** The document without its system properties as text, as `JSON.stringify` writes it. */
  readonly body: string;
  /** The same as `jsonb`; NULL for odd documents ({@link isOddText}). */
  readonly doc: string;
  /** The document's `id` as {@link escapeText} writes it, where there is such a column. */
  readonly id?: string | undefined;
  /** A whole number equal to the document's `_ts`, where there is such a column. */
  readonly ts?: string | undefined;
}

/** Longer documents are read again for each element only by the evaluator, which parses them once. */
const MAX_LOOP_READ_BYTES = 16_384;
const INT64_LIMIT = rawSql("'9223372036854775808'::float8");

function at(json: Sql, steps: readonly (string | number)[]): SqlValue | undefined {
  const path = pathOf(json, steps);
  return path === undefined ? undefined : jsonValue(path.json, path.text);
}

/** The elements of `json`, which may be anything: the function raises an error for what is no array. */
function loopOver(json: Sql, alias: string): ElementLoop {
  const element = rawSql(`${alias}.v`);
  return {
    table: sql`jsonb_array_elements(CASE WHEN jsonb_typeof(${json}) = 'array' THEN ${json} END) AS ${rawSql(`${alias}(v)`)}`,
    value: jsonValue(element, sql`(${element} #>> '{}')`, TYPES.defined),
    json: element,
  };
}

function isWhole(value: SqlValue): Condition {
  const number = value.number();
  return over(sql`(${number} = trunc(${number}) AND abs(${number}) <= ${INT64_LIMIT})`, value);
}

/** Whether an array holds a primitive: of such elements `@>` tells equality, and an index can serve it. */
function holds(array: SqlValue, needle: SqlValue): Condition | undefined {
  const value = needle.constant?.value;
  const document = array.raw;
  if (value === undefined || typeof value === 'object' || document === undefined) {
    return undefined;
  }
  const list = boundJson([value]);
  return list === undefined ? undefined : { sql: sql`${document} @> ${list}`, exact: true };
}

/** A value of one type, which is never undefined. */
function valueOfType(type: number, views: Partial<SqlValue>): SqlValue {
  return {
    ...valueOfConstant(undefined, {}),
    types: type,
    isFinite: true,
    constant: undefined,
    is: (types) => ((types & type) === 0 ? NEVER : ALWAYS),
    ...views,
  };
}

/** PostgreSQL over a table with these columns. */
export function postgresDialect(columns: PostgresColumns): Dialect {
  const [body, doc] = [rawSql(columns.body), rawSql(columns.doc)];
  return {
    name: 'PostgreSQL',
    maxLoops: 3,
    functions: FUNCTIONS,
    document() {
      // The stored document lacks the system properties, so it cannot be compared as a whole.
      const value = valueOfType(TYPES.object, {});
      return { json: doc, steps: [], value, isDocument: true };
    },
    isOdd: () => sql`${doc} IS NULL`,
    constant: constantValue,
    column(name) {
      const { id, ts } = columns;
      if (name === 'id' && id !== undefined) {
        const stored = at(doc, ['id']) as SqlValue;
        return { ...stored, types: TYPES.string, encoded: { column: sql`${rawSql(id)} COLLATE "C"`, encode: escapeText } };
      }
      return name === '_ts' && ts !== undefined
        ? valueOfType(TYPES.number, { whole: rawSql(ts), number: () => rawSql(`${ts}::float8`) })
        : undefined;
    },
    at,
    elements(json, steps, number) {
      const path = pathOf(json, steps);
      return path === undefined ? undefined : loopOver(path.json, `e${number}`);
    },
    elementsOf(array, number) {
      const json = array.raw ?? array.document();
      return json === undefined ? undefined : loopOver(json, `a${number}`);
    },
    holds,
    bounded(found, _, context) {
      leave(context, 'a loop over elements reads the document too');
      return { sql: sql`(octet_length(${body}) > ${rawSql(String(MAX_LOOP_READ_BYTES))} OR ${found.sql})`, exact: false };
    },
    equals,
    compares,
    isIn,
    isInList,
    text: textCondition,
    like: likeCondition,
    folded: foldedText,
    numeric: numericValue,
    negative: negativeValue,
    complement: complementValue,
    isWhole,
    isFinite: (value) => over(value.raw === undefined ? sql`abs(${value.number()}) < 'Infinity'::float8` : value.is(TYPES.number), value),
  };
}
