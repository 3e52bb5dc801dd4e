import { setOwn, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { extremeAccumulator } from '../../functions/aggregate/accumulators.ts';
import type { Argument } from '../../functions/function-entry.ts';
import type { AggregateCall, PreparedQuery } from '../../prepared-query.ts';
import type { ExpressionNode, QueryParameter } from '../../syntax-nodes.ts';
import { createContext, filterCondition, isDocumentSource, type SqliteCompileOptions } from './compile-filter.ts';
import { documentBinding } from './exists-compiler.ts';
import { isOdd } from './odd-documents.ts';
import { rawSql, sql, type Sql, type SqliteValue } from './sql-fragment.ts';
import { TYPES, type SqlValue } from './sql-value.ts';

/** A value of a result row. */
type Cell = SqliteValue | undefined;

/** Puts together what slices of the documents gave. */
export interface AggregateMerger {
  /** Takes the row of one slice, its columns in the order of {@link SqliteAggregates.columns}. */
  add(cells: readonly Cell[]): void;
  /** The rows of the query, none or one; undefined where SQLite may differ from the evaluator, which then has to do it. */
  result(): readonly JsonValue[] | undefined;
}

/** The aggregates of a query without GROUP BY, to be selected over slices of the documents that pass the filter. */
export interface SqliteAggregates {
  /** Expressions of a SELECT list. */
  readonly columns: readonly string[];
  readonly parameters: readonly SqliteValue[];
  merger(): AggregateMerger;
}

interface Fold {
  add(cells: readonly Cell[]): void;
  /** `inexact` where the evaluator has to do it. */
  result(): { readonly value: Argument } | 'inexact';
}

interface Compiled {
  readonly columns: readonly Sql[];
  fold(): Fold;
}

function count(condition: Sql): Sql {
  return sql`COUNT(CASE WHEN ${condition} THEN 1 END)`;
}

function compileCount(value: SqlValue): Compiled {
  const isConstant = value.constant !== undefined;
  const column = isConstant ? (value.constant?.value === undefined ? rawSql('0') : rawSql('COUNT(*)')) : count(value.is(TYPES.defined));
  return {
    columns: [column],
    fold() {
      let total = 0;
      return {
        add([cell]) {
          total += Number(cell);
        },
        result: () => ({ value: total }),
      };
    },
  };
}

/**
 * SUM and AVG over whole numbers whose magnitudes add up to no more than 2^53: every partial sum is exact then, in whatever order and with
 * whatever compensation it is made. SQLite and the evaluator round other sums differently.
 */
function compileSum(value: SqlValue, average: boolean): Compiled | undefined {
  if (!value.isFinite) {
    return undefined;
  }
  const number = value.number();
  const others = TYPES.defined & ~TYPES.number;
  return {
    columns: [
      sql`COUNT(${number})`,
      count(value.is(others)),
      count(sql`${number} <> trunc(${number})`),
      sql`TOTAL(${number})`,
      sql`TOTAL(abs(${number}))`,
    ],
    fold() {
      const totals = [0, 0, 0, 0, 0];
      return {
        add(cells) {
          for (const [index, cell] of cells.entries()) {
            totals[index] = (totals[index] as number) + Number(cell);
          }
        },
        result() {
          const [numbers, poison, fractions, sum, magnitude] = totals as [number, number, number, number, number];
          if (poison > 0) {
            return { value: undefined };
          }
          if (fractions > 0 || magnitude > Number.MAX_SAFE_INTEGER) {
            return 'inexact';
          }
          return { value: average ? (numbers === 0 ? undefined : sum / numbers) : sum };
        },
      };
    },
  };
}

/** MIN and MAX of each type apart; the order between types is the evaluator's. */
function compileExtreme(value: SqlValue, sign: -1 | 1): Compiled | undefined {
  if (!value.isFinite) {
    return undefined;
  }
  const pick = (view: Sql): Sql => (sign === 1 ? sql`MAX(${view})` : sql`MIN(${view})`);
  return {
    columns: [
      count(value.is(TYPES.array | TYPES.object)),
      count(value.is(TYPES.null)),
      pick(value.boolean()),
      pick(value.number()),
      pick(value.string()),
    ],
    fold() {
      const extreme = extremeAccumulator(sign);
      return {
        add([containers, nulls, boolean, number, text]) {
          if (Number(containers) > 0) {
            extreme.add([]);
          }
          if (Number(nulls) > 0) {
            extreme.add(null);
          }
          if (boolean !== null) {
            extreme.add(boolean === 1);
          }
          if (number !== null) {
            extreme.add(Number(number));
          }
          if (typeof text === 'string') {
            extreme.add(text);
          }
        },
        result: () => ({ value: extreme.result() }),
      };
    },
  };
}

function compileCall(call: AggregateCall, value: SqlValue): Compiled | undefined {
  if (value.unsure.length > 0) {
    return undefined;
  }
  switch (call.name) {
    case 'COUNT':
      return compileCount(value);
    case 'SUM':
      return compileSum(value, false);
    case 'AVG':
      return compileSum(value, true);
    case 'MIN':
      return compileExtreme(value, -1);
    case 'MAX':
      return compileExtreme(value, 1);
    default:
      return undefined;
  }
}

/** The names of the result's members, in the order of the aggregates; `undefined` for SELECT VALUE, `'other'` where SELECT does more. */
function outputNames({ root, aggregateCalls }: PreparedQuery): readonly string[] | undefined | 'other' {
  const isCall = (node: ExpressionNode): boolean => node.kind === 'call' && aggregateCalls.has(node);
  if (root.node.select.kind === 'select-value') {
    return isCall(root.node.select.expression) ? undefined : 'other';
  }
  return root.columns?.every(({ expression }) => isCall(expression)) === true ? root.columns.map(({ name }) => name) : 'other';
}

function rowsOf(names: readonly string[] | undefined, values: readonly Argument[]): readonly JsonValue[] {
  if (names === undefined) {
    return values[0] === undefined ? [] : [values[0]];
  }
  const row = {};
  for (const [index, name] of names.entries()) {
    if (values[index] !== undefined) {
      setOwn(row, name, values[index]);
    }
  }
  return [row as JsonObject];
}

function createMerger(names: readonly string[] | undefined, compiled: readonly Compiled[]): AggregateMerger {
  const folds = compiled.map((aggregate) => aggregate.fold());
  let odd = 0;
  return {
    add(cells) {
      odd += Number(cells[0]);
      let start = 1;
      for (const [index, { columns }] of compiled.entries()) {
        (folds[index] as Fold).add(cells.slice(start, start + columns.length));
        start += columns.length;
      }
    },
    result() {
      if (odd > 0) {
        return undefined;
      }
      const values: Argument[] = [];
      for (const fold of folds) {
        const result = fold.result();
        if (result === 'inexact') {
          return undefined;
        }
        values.push(result.value);
      }
      return rowsOf(names, values);
    },
  };
}

/** Whether every document that passes the filter is one row, and all rows go into one group. */
function isPlainAggregate({ root }: PreparedQuery): boolean {
  const { isAggregate, sources, orderBy, distinct, top, offset } = root;
  return (
    isAggregate &&
    sources.length === 1 &&
    isDocumentSource(sources[0]) &&
    orderBy.length + Number(distinct) === 0 &&
    top === undefined &&
    offset === undefined
  );
}

/**
 * Compiles COUNT, SUM, AVG, MIN and MAX over the documents of a container, where the filter is exact and SELECT holds nothing but such calls.
 *
 * Undefined where the evaluator has to do it. Poisoning by values of other types is that of the evaluator.
 */
export function compileAggregates(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  options: SqliteCompileOptions = {},
): SqliteAggregates | undefined {
  const names = isPlainAggregate(prepared) ? outputNames(prepared) : 'other';
  const context = createContext(prepared, parameters, options);
  if (names === 'other' || !filterCondition(context).exact) {
    return undefined;
  }
  const slot = prepared.root.sources[0]?.slot as number;
  context.bindings.set(slot, documentBinding(context));
  const compiled: Compiled[] = [];
  for (const call of prepared.root.aggregates) {
    const value = context.value(call.node.arguments[0] as ExpressionNode);
    const aggregate = value === undefined ? undefined : compileCall(call, value);
    if (aggregate === undefined) {
      return undefined;
    }
    compiled.push(aggregate);
  }
  const columns = [count(isOdd(context.columns.body)), ...compiled.flatMap((aggregate) => aggregate.columns)];
  return {
    columns: columns.map((column) => column.text),
    parameters: columns.flatMap((column) => column.values),
    merger: () => createMerger(names, compiled),
  };
}
