import { setOwn, type JsonObject, type JsonValue } from '../../../core/json.ts';
import type { PreparedQuery } from '../../prepared-query.ts';
import type { ExpressionNode } from '../../syntax-nodes.ts';
import type { CompileContext } from './compile-context.ts';
import { rowsMayFail } from '../../may-fail.ts';
import { filterOf, partsOf, type SqlFilter } from './compile-filter.ts';
import { allOf, over, type Condition } from './condition.ts';
import { rowsOf } from './exists-compiler.ts';
import { rawSql, sql, SqlLeftOut, type Sql, type SqlParameter } from './sql-fragment.ts';
import { ALWAYS, isDefined, NEVER } from './sql-value.ts';

/** Puts together what slices of the documents gave. */
export interface AggregateMerger {
  /** Takes the row of one slice, its columns in the order of {@link SqlAggregates.columns}. */
  add(cells: readonly (SqlParameter | undefined)[]): void;
  /** The rows of the query; undefined where there was an odd document, and the evaluator has to do it all. */
  result(): readonly JsonValue[] | undefined;
  /** Rows of FROM that passed WHERE, where a JOIN makes them others than the documents; otherwise undefined. */
  rows(): number | undefined;
}

/** The counts of a query without GROUP BY, to be selected over slices of the documents that pass the filter. */
export interface SqlAggregates {
  /** Expressions of a SELECT list. */
  readonly columns: readonly string[];
  readonly parameters: readonly SqlParameter[];
  /** Which documents are counted, or the rows of which: not those of the query's own filter where there is a JOIN. */
  readonly filter: SqlFilter | undefined;
  merger(): AggregateMerger;
}

/** The names of the result's members, in the order of the counts; `undefined` for SELECT VALUE, `'other'` where SELECT does more. */
function outputNames({ root, aggregateCalls }: PreparedQuery): readonly string[] | undefined | 'other' {
  const isCount = (node: ExpressionNode): boolean => node.kind === 'call' && aggregateCalls.get(node)?.name === 'COUNT';
  if (root.node.select.kind === 'select-value') {
    return isCount(root.node.select.expression) ? undefined : 'other';
  }
  return root.columns?.every(({ expression }) => isCount(expression)) === true ? root.columns.map(({ name }) => name) : 'other';
}

/** What is counted: the aggregates first. */
interface CompiledCounts {
  readonly where: Condition;
  readonly counts: readonly Sql[];
  /** Which of them counts all rows of a JOIN. */
  readonly rows: number | undefined;
}

function createMerger(names: readonly string[] | undefined, { counts, rows }: CompiledCounts): AggregateMerger {
  const totals = Array.from<number>({ length: counts.length }).fill(0);
  let odd = 0;
  return {
    add([oddOnes, ...cells]) {
      odd += Number(oddOnes);
      for (const [index, cell] of cells.entries()) {
        totals[index] = (totals[index] as number) + Number(cell);
      }
    },
    result() {
      if (odd > 0) {
        return undefined;
      }
      if (names === undefined) {
        return [totals[0] as number];
      }
      const row = {};
      for (const [index, name] of names.entries()) {
        setOwn(row, name, totals[index] as number);
      }
      return [row as JsonObject];
    },
    rows: () => (rows === undefined ? undefined : totals[rows]),
  };
}

/** Whether all rows go into one group, and this is the whole result. */
function isPlainAggregate({ root }: PreparedQuery): boolean {
  const { isAggregate, sources, orderBy, distinct, top, offset } = root;
  return (
    isAggregate &&
    sources[0]?.input.kind === 'container' &&
    orderBy.length + Number(distinct) === 0 &&
    top === undefined &&
    offset === undefined &&
    !rowsMayFail(root.node)
  );
}

/** Where an argument of COUNT is there; undefined where SQL cannot tell. */
function countedWhere(node: ExpressionNode, context: CompileContext): Condition | undefined {
  const value = context.value(node);
  return value === undefined ? undefined : over(isDefined(value), value);
}

/** How many rows a document has that meet some conditions; undefined where SQL cannot count them exactly. */
function rowCount(context: CompileContext, joined: Parameters<typeof rowsOf>[0], compile: () => readonly Condition[]): Sql | undefined {
  const rows = rowsOf(joined, context, compile);
  if (rows === undefined || !rows.condition.exact || (rows.table !== undefined && rows.reads > 0)) {
    return undefined;
  }
  const { table, condition } = rows;
  if (condition.sql === NEVER) {
    return rawSql('0');
  }
  return table === undefined
    ? sql`CASE WHEN ${condition.sql} THEN 1 ELSE 0 END`
    : sql`(SELECT COUNT(*) FROM ${table} WHERE ${condition.sql})`;
}

function compileCounts(context: CompileContext): CompiledCounts | undefined {
  const { root } = context.prepared;
  const { joined, outside, inside } = partsOf(root, context);
  const where = allOf(outside.map((node) => context.condition(node, true)));
  if (!where.exact) {
    return undefined;
  }
  const counts: Sql[] = [];
  let rows: number | undefined;
  const rowsWith = (counted: () => Condition): Sql | undefined =>
    rowCount(context, joined, () => [...inside.map((condition) => context.condition(condition, true)), counted()]);
  for (const { node } of root.aggregates) {
    const argument = node.arguments[0] as ExpressionNode;
    if (joined.length === 0) {
      const counted = countedWhere(argument, context);
      if (counted?.exact !== true) {
        return undefined;
      }
      counts.push(counted.sql === ALWAYS ? rawSql('COUNT(*)') : sql`COUNT(CASE WHEN ${counted.sql} THEN 1 END)`);
      continue;
    }
    let countsAll = false;
    const count = rowsWith(() => {
      const counted = countedWhere(argument, context) ?? { sql: ALWAYS, exact: false };
      countsAll = counted.sql === ALWAYS;
      return counted;
    });
    if (count === undefined) {
      return undefined;
    }
    rows ??= countsAll ? counts.length : undefined;
    counts.push(sql`COALESCE(SUM(${count}), 0)`);
  }
  if (joined.length > 0 && rows === undefined) {
    const all = rowsWith(() => ({ sql: ALWAYS, exact: true }));
    if (all === undefined) {
      return undefined;
    }
    rows = counts.length;
    counts.push(sql`COALESCE(SUM(${all}), 0)`);
  }
  return { where, counts, rows };
}

/**
 * Compiles a query that does nothing but COUNT over the documents of a container, or over the elements of one array in each.
 *
 * Other aggregates are the evaluator's: it needs one value of each document for them, and adds in an order of its own.
 * Undefined where the evaluator has to count as well.
 */
export function aggregatesOfQuery(context: CompileContext): SqlAggregates | undefined {
  const names = isPlainAggregate(context.prepared) ? outputNames(context.prepared) : 'other';
  if (names === 'other') {
    return undefined;
  }
  try {
    const compiled = compileCounts(context);
    if (compiled === undefined) {
      return undefined;
    }
    const columns = [sql`COUNT(CASE WHEN ${context.dialect.isOdd()} THEN 1 END)`, ...compiled.counts];
    return {
      columns: columns.map((column) => column.text),
      parameters: columns.flatMap((column) => column.values),
      filter: filterOf(compiled.where, context),
      merger: () => createMerger(names, compiled),
    };
  } catch (error) {
    if (error instanceof SqlLeftOut) {
      return undefined;
    }
    throw error;
  }
}
