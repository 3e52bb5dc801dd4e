import type { FunctionCatalog } from '../function-catalog.ts';
import { aggregateFunctions } from './aggregate/aggregate-functions.ts';
import { arrayAggregates } from './array/array-aggregates.ts';
import { arrayContains } from './array/array-contains.ts';
import { arrayParts } from './array/array-parts.ts';
import { choose } from './array/choose.ts';
import { objectToArray } from './array/object-to-array.ts';
import { setFunctions } from './array/set-functions.ts';
import { iif } from './conditional/iif.ts';
import { clockFunctions } from './date/clock.ts';
import { dateArithmetic } from './date/date-arithmetic.ts';
import { dateComponents } from './date/date-components.ts';
import { dateConversions } from './date/date-conversions.ts';
import type { FunctionEntry } from './function-entry.ts';
import { fullTextFunctions, planFunctions } from './full-text/full-text-functions.ts';
import { integerArithmetic } from './integer/integer-arithmetic.ts';
import { integerBits } from './integer/integer-bits.ts';
import { documentId } from './item/document-id.ts';
import { powers } from './math/powers.ts';
import { rand } from './math/rand.ts';
import { rounding } from './math/rounding.ts';
import { signs } from './math/signs.ts';
import { trigonometry } from './math/trigonometry.ts';
import { regexFunctions } from './regex/regex-functions.ts';
import { spatialFunctions } from './spatial/spatial-functions.ts';
import { aroundDelimiter } from './string/around-delimiter.ts';
import { comparisons } from './string/comparisons.ts';
import { concatenation } from './string/concatenation.ts';
import { containsManyFunctions } from './string/contains-many.ts';
import { hash } from './string/hash.ts';
import { parts } from './string/parts.ts';
import { positions } from './string/positions.ts';
import { rewriting } from './string/rewriting.ts';
import { toString } from './string/to-string.ts';
import { trimming } from './string/trimming.ts';
import { stringConversions } from './type/string-conversions.ts';
import { typeChecks } from './type/type-checks.ts';
import { vectorDistanceFunction } from './vector/vector-distance-function.ts';

/** Every built-in function of the language, sorted by name: the 136 documented ones and 11 that the service knows without a page. */
export const functionTable: readonly FunctionEntry[] = [
  ...aggregateFunctions,
  ...arrayAggregates,
  ...arrayContains,
  ...arrayParts,
  choose,
  objectToArray,
  ...setFunctions,
  iif,
  ...clockFunctions,
  ...dateArithmetic,
  ...dateComponents,
  ...dateConversions,
  ...fullTextFunctions,
  ...integerArithmetic,
  ...integerBits,
  documentId,
  ...powers,
  rand,
  ...rounding,
  ...signs,
  ...trigonometry,
  ...regexFunctions,
  ...spatialFunctions,
  ...aroundDelimiter,
  ...comparisons,
  ...concatenation,
  ...containsManyFunctions,
  hash,
  ...parts,
  ...positions,
  ...rewriting,
  toString,
  ...trimming,
  ...stringConversions,
  ...typeChecks,
  vectorDistanceFunction,
].sort((left, right) => (left.name < right.name ? -1 : 1));

const byName: ReadonlyMap<string, FunctionEntry> = new Map(
  [...functionTable, ...planFunctions].flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [name, entry] as const)),
);

/** The entry of a function by its name or an alias, upper case; `undefined` for an unknown name. */
export function lookupFunction(upperName: string): FunctionEntry | undefined {
  return byName.get(upperName);
}

/** The table as the binder wants it. */
export const functionCatalog: FunctionCatalog = { lookup: lookupFunction };
