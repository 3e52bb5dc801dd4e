import type { ExpressionNode } from '../syntax-nodes.ts';
import type { IndexDefinition } from './index-definition.ts';

/** A value that an index tells apart: all but arrays and objects; `undefined` for a missing one. */
export type IndexValue = undefined | null | boolean | number | string;

/** One end of a range. */
export interface RangeEnd<T extends number | string = number | string> {
  readonly value: T;
  readonly inclusive: boolean;
}

/** Values of one type between two ends, each of which may be open. */
export interface IndexRange {
  readonly type: 'number' | 'string';
  readonly from: RangeEnd | undefined;
  readonly to: RangeEnd | undefined;
}

/** How an index serves a query: which of its entries are read, in what order, and what is known of the documents they lead to. */
export interface AccessPath {
  readonly index: IndexDefinition;
  /** Values of the leading columns; a column's value is one of its list, none at all where the list is empty. */
  readonly equal: readonly (readonly IndexValue[])[];
  /** Range of the column behind them. */
  readonly range: IndexRange | undefined;
  /**
   * Which way the entries are walked to follow ORDER BY; undefined where it is no help for that. Then each of {@link equal} has one value, and
   * the other columns of the index are those of ORDER BY.
   */
  readonly order: 'forward' | 'backward' | undefined;
  /** For each column behind {@link equal}, where it serves ORDER BY: the place of its term there. */
  readonly orderItems: readonly number[];
  /** The conditions, joined by AND in WHERE, that hold for exactly the documents of these entries. All others are left to test. */
  readonly served: readonly ExpressionNode[];
  /** Whether {@link served} is all of WHERE. */
  readonly coversFilter: boolean;
  /** About how many entries are read, as estimated. */
  readonly expectedRows: number;
}
