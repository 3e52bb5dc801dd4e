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
  readonly evaluate?: ScalarFunction | undefined;
  /** Gives the function for one run of a query, where it reads the clock or draws a random number. */
  readonly bind?: ((context: EvaluationContext) => ScalarFunction) | undefined;
  /** A fresh accumulator, for aggregates. */
  readonly accumulate?: (() => Accumulator) | undefined;
}

/** What an entry may say beside its name, its arguments and its body. */
export interface EntryOptions {
  readonly aliases?: readonly string[] | undefined;
  readonly deterministic?: boolean | undefined;
  readonly indexUse?: IndexUse | undefined;
  readonly undefinedArguments?: 'propagate' | 'pass' | undefined;
}

/** `[fewest, most]` arguments of a call; `Infinity` where there is no upper bound. */
export type Arity = readonly [fewest: number, most: number];

type Body = Pick<FunctionEntry, 'evaluate' | 'bind' | 'accumulate'>;

function entry(family: FunctionFamily, name: string, arity: Arity, body: Body | undefined, options: EntryOptions): FunctionEntry {
  return {
    name,
    aliases: options.aliases ?? [],
    minArguments: arity[0],
    maxArguments: arity[1],
    family,
    parameters: [],
    result: 'any',
    summary: '',
    examples: [],
    sqlite: 'none',
    aggregate: family === 'aggregate',
    deterministic: options.deterministic ?? true,
    indexUse: options.indexUse ?? 'none',
    undefinedArguments: options.undefinedArguments ?? 'propagate',
    implemented: body !== undefined,
    ...body,
  };
}

/** An entry whose result follows from its arguments. */
export function scalar(
  family: FunctionFamily,
  name: string,
  arity: Arity,
  evaluate: ScalarFunction,
  options: EntryOptions = {},
): FunctionEntry {
  return entry(family, name, arity, { evaluate }, options);
}

/** An entry that reads the clock or draws a random number. */
export function contextual(
  family: FunctionFamily,
  name: string,
  arity: Arity,
  bind: (context: EvaluationContext) => ScalarFunction,
  options: EntryOptions = {},
): FunctionEntry {
  return entry(family, name, arity, { bind }, options);
}

/** An entry that folds rows. */
export function aggregate(name: string, accumulate: () => Accumulator, options: EntryOptions = {}): FunctionEntry {
  return entry('aggregate', name, [1, 1], { accumulate }, options);
}

/** An entry that the evaluator compiles itself. */
export function special(family: FunctionFamily, name: string, arity: Arity, options: EntryOptions = {}): FunctionEntry {
  return entry(family, name, arity, {}, options);
}

/** A known function that is not there yet: the binder refuses it by name. */
export function later(family: FunctionFamily, name: string, arity: Arity, options: EntryOptions = {}): FunctionEntry {
  return entry(family, name, arity, undefined, options);
}
