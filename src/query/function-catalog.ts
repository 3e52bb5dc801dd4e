import type { JsonValue } from '../core/json.ts';

/** What the binder needs to know of one built-in function. */
export interface FunctionSignature {
  /** The documented spelling, upper case, without alias underscores: `STRINGTONUMBER`. */
  readonly name: string;
  /** Whether it folds a set of rows into one value. */
  readonly aggregate: boolean;
  readonly minArguments: number;
  /** `Infinity` where there is no upper bound. */
  readonly maxArguments: number;
  /** False for a documented function that the evaluator does not have yet; the binder refuses it by name. */
  readonly implemented: boolean;
  /**
   * Names a feature in arguments that stand in the text of the query, where the function does not have it: then the query is refused before
   * it runs. An argument that is no literal comes as undefined.
   */
  readonly refuses?: ((constants: readonly (JsonValue | undefined)[]) => string | undefined) | undefined;
}

/**
 * The built-in functions by name.
 *
 * `lookup` takes a name in upper case and knows every accepted alias (`TO_STRING` gives the entry named `TOSTRING`); an unknown name gives
 * `undefined`. User-defined functions are not in it.
 */
export interface FunctionCatalog {
  lookup(upperName: string): FunctionSignature | undefined;
}
