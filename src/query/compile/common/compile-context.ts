import type { JsonValue } from '../../../core/json.ts';
import type { PreparedQuery } from '../../prepared-query.ts';
import type { ExpressionNode } from '../../syntax-nodes.ts';
import { UNKNOWN, type Condition } from './condition.ts';
import type { Dialect } from './dialect.ts';
import type { Sql } from './sql-fragment.ts';
import type { SqlValue } from './sql-value.ts';

/** What a variable of the query is in SQL. */
export interface SqlBinding {
  /** JSON (or NULL) with `steps` into it; undefined for values that are not inside JSON. */
  readonly json: Sql | undefined;
  readonly steps: readonly (string | number)[];
  /** The value itself; undefined where it is at `steps`, or where nothing is known of it. */
  readonly value: SqlValue | undefined;
  /** Whether it is a whole document of the container, of which columns and computed properties speak. */
  readonly isDocument: boolean;
}

/** What the parts of the compiler share while they compile one query. */
export interface CompileContext {
  readonly dialect: Dialect;
  readonly prepared: PreparedQuery;
  readonly parameters: ReadonlyMap<string, JsonValue>;
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

/** Keeps loops over elements short: one that nests too deep is left to the evaluator. `reads` is how often a loop reads the document. */
export function boundedLoop(context: CompileContext, found: Condition, reads: number): Condition {
  if (context.loops >= context.dialect.maxLoops) {
    leave(context, 'a loop over elements stands inside another');
    return UNKNOWN;
  }
  return reads === 0 ? found : context.dialect.bounded(found, reads, context);
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
