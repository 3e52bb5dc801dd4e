import type {
  Accumulator,
  Argument,
  EvaluationContext,
  FunctionEntry,
  FunctionExample,
  FunctionFamily,
  IndexUse,
  ResultKind,
  ScalarFunction,
  SqliteForm,
} from './function-entry.ts';
import { guard } from './guard.ts';
import { arityOf, type Parameter, type ValuesOf } from './parameter.ts';

/**
 * A body that receives its arguments in the form of their kinds, and is not called where one is of another kind. A `bigint` is a 64-bit
 * integer, which wraps around.
 */
export type Body<P extends readonly Parameter[]> = (...values: ValuesOf<P>) => Argument | bigint;

/** What an entry says of a function. Exactly one of the members from `compute` on is there; none for one that is known by name only. */
export interface FunctionDefinition<P extends readonly Parameter[]> {
  /** Upper case, without alias underscores. */
  readonly name: string;
  /** Other accepted spellings, upper case. */
  readonly aliases?: readonly string[] | undefined;
  readonly family: FunctionFamily;
  readonly parameters: P;
  readonly result: ResultKind;
  /** What the call gives, in one sentence. */
  readonly summary: string;
  readonly examples: readonly FunctionExample[];
  /** Default `none`. */
  readonly indexUse?: IndexUse | undefined;
  /** Default `none`. */
  readonly sqlite?: SqliteForm | undefined;
  /** Default true. */
  readonly deterministic?: boolean | undefined;
  /** Default `propagate`; `pass` goes with `evaluate` only. */
  readonly undefinedArguments?: FunctionEntry['undefinedArguments'] | undefined;
  /** See {@link FunctionEntry.refuses}. */
  readonly refuses?: FunctionEntry['refuses'];
  /** Default false. */
  readonly mayFail?: boolean | undefined;
  /** The usual body: called with arguments of the right kinds only. */
  readonly compute?: Body<P> | undefined;
  /** A body that checks its arguments itself. */
  readonly evaluate?: ScalarFunction | undefined;
  /** As `compute`, for a function that reads the clock or draws a random number; called once a run. */
  readonly bind?: ((context: EvaluationContext) => Body<P>) | undefined;
  /** For a function of one value of any kind: its answer for an integer that the evaluator has exactly, where that may differ. */
  readonly ofExactInteger?: ((value: bigint) => Argument) | undefined;
  /** A fresh accumulator, for aggregates. */
  readonly accumulate?: (() => Accumulator) | undefined;
  /** The evaluator compiles the call itself, because it needs more than values. */
  readonly compiled?: true | undefined;
}

function exactBody<P extends readonly Parameter[]>(compute: Body<P>): FunctionEntry['exact'] {
  return (...values) => {
    // The caller gives values in the form of their kinds, which no type can say for any entry.
    const result = compute(...(values as unknown as ValuesOf<P>));
    return typeof result === 'bigint' ? BigInt.asIntN(64, result) : result;
  };
}

function bodyOf<P extends readonly Parameter[]>({
  parameters,
  result,
  compute,
  bind,
  evaluate,
  accumulate,
}: FunctionDefinition<P>): Pick<FunctionEntry, 'evaluate' | 'bind' | 'accumulate' | 'exact'> {
  if (compute !== undefined) {
    const usesInt64 = parameters.some(({ kind }) => kind === 'int64');
    return {
      evaluate: guard(parameters, compute, result === 'int64'),
      exact: usesInt64 || result === 'int64' ? exactBody(compute) : undefined,
    };
  }
  return bind === undefined ? { evaluate, accumulate } : { bind: (context) => guard(parameters, bind(context), result === 'int64') };
}

/** Makes an entry of the function table. */
export function defineFunction<const P extends readonly Parameter[]>(definition: FunctionDefinition<P>): FunctionEntry {
  const { name, family, parameters, compute, evaluate, bind, accumulate, compiled } = definition;
  const [minArguments, maxArguments] = arityOf(parameters);
  return {
    name,
    aliases: definition.aliases ?? [],
    minArguments,
    maxArguments,
    family,
    parameters,
    result: definition.result,
    summary: definition.summary,
    examples: definition.examples,
    aggregate: family === 'aggregate',
    deterministic: definition.deterministic ?? true,
    indexUse: definition.indexUse ?? 'none',
    sqlite: definition.sqlite ?? 'none',
    undefinedArguments: definition.undefinedArguments ?? 'propagate',
    implemented: [compute, evaluate, bind, accumulate, compiled].some((body) => body !== undefined),
    refuses: definition.refuses,
    mayFail: definition.mayFail ?? false,
    ofExactInteger: definition.ofExactInteger,
    ...bodyOf(definition),
  };
}
