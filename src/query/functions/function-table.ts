import type { FunctionCatalog } from '../function-catalog.ts';
import { aggregateFunctions } from './aggregate-functions.ts';
import { arrayFunctions } from './array-functions.ts';
import { dateFunctions } from './date-functions.ts';
import type { FunctionEntry } from './function-entry.ts';
import { integerFunctions } from './integer-functions.ts';
import { mathFunctions } from './math-functions.ts';
import { otherFunctions } from './other-functions.ts';
import { setFunctions } from './set-functions.ts';
import { stringFunctions } from './string-functions.ts';
import { typeFunctions } from './type-functions.ts';

/** Every built-in function of the language, sorted by name: the 136 documented ones and 11 that the service knows without a page. */
export const functionTable: readonly FunctionEntry[] = [
  ...aggregateFunctions,
  ...arrayFunctions,
  ...dateFunctions,
  ...integerFunctions,
  ...mathFunctions,
  ...otherFunctions,
  ...setFunctions,
  ...stringFunctions,
  ...typeFunctions,
].sort((left, right) => (left.name < right.name ? -1 : 1));

const byName: ReadonlyMap<string, FunctionEntry> = new Map(
  functionTable.flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [name, entry] as const)),
);

/** The entry of a function by its name or an alias, upper case; `undefined` for an unknown name. */
export function lookupFunction(upperName: string): FunctionEntry | undefined {
  return byName.get(upperName);
}

/** The table as the binder wants it. */
export const functionCatalog: FunctionCatalog = { lookup: lookupFunction };
