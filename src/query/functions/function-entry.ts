import type { JsonValue } from '../../core/json.ts';
import type { FunctionSignature } from '../function-catalog.ts';
import type { Parameter, ParameterKind } from './parameter.ts';

/** An argument or a result of a function; `undefined` is the language's own undefined. */
export type Argument = JsonValue | undefined;

/** A function over values. It never changes its arguments, and its result may share structure with them. */
export type ScalarFunction = (...values: Argument[]) => Argument;

/** Folds the rows of one group into one value. */
export interface Accumulator {
  add(value: Argument): void;
  result(): Argument;
}

/** What functions without a fixed answer depend on. */
export interface EvaluationContext {
  /** When the query started, in milliseconds since 1970: what the `...STATIC` functions answer. */
  readonly nowMs: number;
  /** The clock at the moment of the call, in milliseconds since 1970. */
  currentMs(): number;
  /** A number in [0, 1). */
  random(): number;
}

/** Groups of functions as the language reference has them; `integer` is 64-bit arithmetic. */
export type FunctionFamily =
  | 'aggregate'
  | 'array'
  | 'conditional'
  | 'date'
  | 'full-text'
  | 'integer'
  | 'item'
  | 'math'
  | 'spatial'
  | 'string'
  | 'type'
  | 'vector';

/**
 * How a filter with the function uses an index: one value is sought, a precise or an expanded range is scanned, every distinct value is
 * looked at (`scan`), or every candidate document is loaded (`none`).
 */
export type IndexUse = 'seek' | 'precise' | 'expanded' | 'scan' | 'none';

/**
 * What the SQLite compiler makes of a call over paths and constants: `exact` is not evaluated again, a `superset` is filtered again by the
 * evaluator, `none` is left to it.
 */
export type SqliteForm = 'exact' | 'superset' | 'none';

/** What a function gives when it gives anything. */
export type ResultKind = Exclude<ParameterKind, 'date part'> | 'null';

/**
 * An expression and its result, `undefined` for none. Expressions may read `c`, the first of the sample documents of `sample-documents.ts`;
 * aggregates fold all of them. Where the text begins with SELECT it is a whole query over them, and the result an array of its rows.
 */
export type FunctionExample = readonly [expression: string, result: Argument];

/**
 * One built-in function of the language.
 *
 * At most one of `evaluate`, `bind` and `accumulate` is there. None, although `implemented`, means that the evaluator compiles the call
 * itself because it needs more than values.
 */
export interface FunctionEntry extends FunctionSignature {
  /** Other accepted spellings, upper case. */
  readonly aliases: readonly string[];
  readonly family: FunctionFamily;
  readonly parameters: readonly Parameter[];
  readonly result: ResultKind;
  /** What the call gives, in one sentence. */
  readonly summary: string;
  readonly examples: readonly FunctionExample[];
  /** Whether equal arguments give an equal result for the length of a query. */
  readonly deterministic: boolean;
  readonly indexUse: IndexUse;
  readonly sqlite: SqliteForm;
  /** `propagate`: an undefined argument makes the call undefined, and the function is not called. `pass`: the function decides. */
  readonly undefinedArguments: 'propagate' | 'pass';
  /** Whether a call may fail the query, for arguments that it cannot deal with. */
  readonly mayFail: boolean;
  readonly evaluate?: ScalarFunction | undefined;
  /** Gives the function for one run of a query, where it reads the clock or draws a random number. */
  readonly bind?: ((context: EvaluationContext) => ScalarFunction) | undefined;
  /**
   * The body over arguments in the form of their kinds, for a function that takes or gives 64-bit integers: these are exact, where
   * `evaluate` rounds to doubles. It is not called where an argument is undefined or of another kind.
   */
  readonly exact?: ((...values: unknown[]) => Argument | bigint) | undefined;
  /** For a function of one value of any kind: its answer for an integer that the evaluator has exactly. */
  readonly ofExactInteger?: ((value: bigint) => Argument) | undefined;
  /** A fresh accumulator, for aggregates. */
  readonly accumulate?: (() => Accumulator) | undefined;
}
