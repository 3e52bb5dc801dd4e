import type { JsonValue } from '../../../core/json.ts';
import type { BinaryOperator } from '../../syntax-nodes.ts';
import type { CompileContext, SqlBinding } from './compile-context.ts';
import type { Condition } from './condition.ts';
import type { LikePattern } from './like-pattern.ts';
import type { Sql } from './sql-fragment.ts';
import type { SqlValue } from './sql-value.ts';

/** The comparison operators. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';
/** How one text is compared with another. */
export type TextTest = 'prefix' | 'suffix' | 'infix' | 'text';
/** Operators over two numbers that give one. */
export type NumericOperator = Extract<BinaryOperator, '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>' | '>>>'>;
/** Compiles a call of a function from its arguments, none of which is known to be undefined; undefined where SQL has no equal. */
export type CompileFunction = (...values: SqlValue[]) => SqlValue | undefined;

/** A loop over the elements of an array: a table for FROM, and what its rows hold. */
export interface ElementLoop {
  readonly table: Sql;
  /** An element. */
  readonly value: SqlValue;
  /** An element as JSON with paths into it. */
  readonly json: Sql;
}

/**
 * What the compiler needs to know of an engine. Pieces that it gives are right for all documents that are not odd, for which {@link Dialect.isOdd}
 * holds; values given to its methods can have the types that the method is about.
 */
export interface Dialect {
  /** The engine's name, for the reasons why something is left to the evaluator. */
  readonly name: string;
  /** Most tables of one loop, and how deep loops may nest. */
  readonly maxLoops: number;
  /** Functions that give numbers and strings, by name. */
  readonly functions: ReadonlyMap<string, CompileFunction>;
  /** The document of the container itself. */
  document(): SqlBinding;
  /** Whether a document is one of which nothing is told in SQL. */
  isOdd(): Sql;
  /** A constant; undefined for one that cannot be told. */
  constant(value: JsonValue | undefined): SqlValue | undefined;
  /** What a column repeats of the document; undefined where there is none. */
  column(name: string, context: CompileContext): SqlValue | undefined;
  /** What stands at a path inside JSON; undefined for a path that the engine cannot be told. */
  at(json: Sql, steps: readonly (string | number)[]): SqlValue | undefined;
  /** The elements of an array at a path; `number` makes its alias unique. Undefined as for {@link Dialect.at}. */
  elements(json: Sql, steps: readonly (string | number)[], number: number): ElementLoop | undefined;
  /** The elements of a value, where it is an array. */
  elementsOf(array: SqlValue, number: number): ElementLoop | undefined;
  /** Whether an array in the document holds a constant, where there is a way without a loop. */
  holds(array: SqlValue, needle: SqlValue): Condition | undefined;
  /** Bounds what a loop costs that reads the document `reads` times for each element. */
  bounded(found: Condition, reads: number, context: CompileContext): Condition;
  /** Where two values are equal, or where both are there and are not. */
  equals(left: SqlValue, right: SqlValue, wanted: boolean): Condition;
  /** Where `left comparison right` is true, for one of `< <= > >=`. */
  compares(left: SqlValue, comparison: Comparison, right: SqlValue): Condition;
  /** Where a value is there and is, or is not, equal to one of the items. */
  isIn(needle: SqlValue, items: readonly SqlValue[], wanted: boolean): Condition;
  /** {@link Dialect.isIn} for the values of a list, which may be long; undefined where one of them cannot be told. */
  isInList(needle: SqlValue, values: readonly JsonValue[], wanted: boolean): Condition | undefined;
  /** Where a text is, starts with, ends with or contains another, or where both are strings and it does not. */
  text(test: TextTest, value: SqlValue, other: SqlValue, wanted: boolean): Condition;
  /** Where a text matches a pattern with wildcards, or is a text and does not; undefined where the engine has no equal. */
  like(value: SqlValue, pattern: LikePattern, wanted: boolean): Condition | undefined;
  /** The form of a text in which case does not matter. */
  folded(value: SqlValue): SqlValue;
  /** An operator over two numbers. */
  numeric(operator: NumericOperator, left: SqlValue, right: SqlValue): SqlValue | undefined;
  /** `-` of a number. */
  negative(operand: SqlValue): SqlValue | undefined;
  /** `~` of a number. */
  complement(operand: SqlValue): SqlValue | undefined;
  /** Whether a number is whole and fits into 64 bits. */
  isWhole(value: SqlValue): Condition;
  /** Whether a number is finite. */
  isFinite(value: SqlValue): Condition;
}
