import type { JsonValue } from '../../../core/json.ts';
import type { PreparedQuery } from '../../prepared-query.ts';
import type { ExpressionNode } from '../../syntax-nodes.ts';
import { UNKNOWN, type Condition } from './condition.ts';
import { rawSql, sql, type Sql } from './sql-fragment.ts';
import type { SqlValue } from './sql-value.ts';

/** The columns of the table that holds documents, as the store writes them in its statement. */
export interface SqliteColumns {
  /** The document without its system properties, as `JSON.stringify` writes it: as text, or as JSONB unless it is odd ({@link isOddText}). */
  readonly body: string;
  /** Text equal to the document's `id`, where there is such a column. */
  readonly id?: string | undefined;
  /** Number equal to the document's `_ts`, where there is such a column. */
  readonly ts?: string | undefined;
}

/** What a variable of the query is in SQL. */
export interface SqlBinding {
  /** JSON text (or NULL) with `steps` into it; undefined for values that are not inside JSON text. */
  readonly json: Sql | undefined;
  readonly steps: readonly (string | number)[];
  /** The value itself; undefined where it is at `steps`, or where nothing is known of it. */
  readonly value: SqlValue | undefined;
  /** Whether it is a whole document of the container, of which columns and computed properties speak. */
  readonly isDocument: boolean;
}

/** What the parts of the compiler share while they compile one query. */
export interface CompileContext {
  readonly prepared: PreparedQuery;
  readonly parameters: ReadonlyMap<string, JsonValue>;
  readonly columns: SqliteColumns;
  /** Names of computed properties, which hide stored ones. */
  readonly computedProperties: ReadonlySet<string>;
  readonly bindings: Map<number, SqlBinding>;
  /** Why something was left to the evaluator. */
  readonly reasons: Set<string>;
  /** How many loops over array elements enclose the piece that is compiled. */
  loops: number;
  /** How often the document was read inside a loop so far. */
  loopReads: number;
  /** The next number of an alias. */
  aliases: number;
  /** Compiles an expression; undefined where that cannot be done. */
  value(node: ExpressionNode): SqlValue | undefined;
  /** Where an expression is exactly `true`, or exactly `false`: these rows, or more. */
  condition(node: ExpressionNode, wanted: boolean): Condition;
}

/** Notes why a piece is left to the evaluator. Never with anything of a document or a parameter. */
export function leave(context: CompileContext, reason: string): undefined {
  context.reasons.add(reason);
  return undefined;
}

/** Longer documents are read again for each element only by the evaluator, which makes way for others meanwhile. */
const MAX_LOOP_READ_BYTES = 16_384;

/**
 * Keeps loops over elements short, for no one else has a turn while a statement runs: a loop inside a loop is left to the evaluator, and so is
 * one that reads a long document again for each element. `reads` is how often it reads the document.
 */
export function boundedLoop(context: CompileContext, found: Condition, reads: number): Condition {
  if (context.loops > 0) {
    leave(context, 'a loop over elements stands inside another');
    return UNKNOWN;
  }
  if (reads === 0) {
    return found;
  }
  leave(context, 'a loop over elements reads the document too');
  const isLong = sql`octet_length(${rawSql(context.columns.body)}) > ${rawSql(String(MAX_LOOP_READ_BYTES))}`;
  return { sql: sql`(${isLong} OR ${found.sql})`, exact: false };
}

/** Compiles what may stand inside a loop over elements, whose table has columns of its own. */
export function insideLoop<T>(context: CompileContext, compile: () => T): T {
  context.loops += 1;
  try {
    return compile();
  } finally {
    context.loops -= 1;
  }
}
